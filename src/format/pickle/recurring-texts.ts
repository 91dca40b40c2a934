import type { PythonSplitText, SplitText } from "../python-value.js";
import { decodeUtf8 } from "../utf8.js";

const maxKeptLength = 24;
/** A power of two. */
const slotCount = 512;
const kept: string[] = Array.from({ length: slotCount }, () => "");

/**
 * Decodes text as `decodeUtf8` does. Keys and many values recur from session to session, and
 * comparing a short text with one already made costs far less than making it again: a quarter of
 * the time that a whole pickle takes.
 */
export function decodeRecurring(
  bytes: Buffer,
  start: number,
  end: number,
  splitText: SplitText,
): string | PythonSplitText | undefined {
  const length = end - start;
  if (length === 0 || length > maxKeptLength) return decodeUtf8(bytes, start, end, splitText);
  const [first, middle, last] = [bytes[start] ?? 0, bytes[(start + end) >> 1] ?? 0, bytes[end - 1] ?? 0];
  const slot = (length * 131 + first * 31 + middle * 7 + last) & (slotCount - 1);
  const known = kept[slot] ?? "";
  if (known.length === length && isSame(known, bytes, start)) return known;
  const text = decodeUtf8(bytes, start, end, splitText);
  // As many units as bytes: it is ASCII, so its units can be compared with bytes.
  if (typeof text === "string" && text.length === length) kept[slot] = text;
  return text;
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
