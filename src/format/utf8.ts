import { isUtf8 } from "node:buffer";
import type { PythonSplitText, SplitText } from "./python-value.js";
import { TextUnits } from "./text-units.js";

/** The lowest character of a sequence of 2, 3 or 4 bytes; anything lower is overlong. */
const minPointByLength = [0, 0, 0x80, 0x800, 0x10000];
const maxPoint = 0x10ffff;

/** Strict UTF-8, which has no surrogates; `undefined` if the bytes are not. */
export function decodeStrictUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/**
 * UTF-8 that may hold surrogates, as pickles do; `TextDecoder` would replace lone ones. Returns
 * `undefined` for what CPython's `surrogatepass` refuses: overlong forms, stray bytes and anything
 * above U+10FFFF.
 */
export function decodeUtf8(
  bytes: Buffer,
  start: number,
  end: number,
  splitText: SplitText,
): string | PythonSplitText | undefined {
  const text = bytes.toString("utf8", start, end);
  // The replacement character may stand for a lone surrogate, for damage, or for itself.
  return text.includes("\ufffd") ? decodeWithSurrogates(bytes, start, end, splitText) : text;
}

/** UTF-8 with lone surrogates as characters of their own, as pickles have them. */
export function encodeUtf8(text: string): Buffer {
  if (!/\p{Cs}/u.test(text)) return Buffer.from(text, "utf8");
  return Buffer.concat(
    Array.from(text, (character) => {
      const point = character.charCodeAt(0);
      const isLone = character.length === 1 && point >= 0xd800 && point <= 0xdfff;
      return isLone
        ? Buffer.of(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f))
        : Buffer.from(character, "utf8");
    }),
  );
}

function decodeWithSurrogates(
  bytes: Buffer,
  start: number,
  end: number,
  splitText: SplitText,
): string | PythonSplitText | undefined {
  const units = new TextUnits(end - start);
  for (let at = start; at < end; ) {
    const length = sequenceLength(bytes, at, end);
    if (length === 0) return undefined;
    units.addPoint(codePoint(bytes, at, length));
    at += length;
  }
  return units.finish(splitText);
}

/** The length of the UTF-8 sequence at an offset, 0 if there is none; surrogates are allowed. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > end) return 0;
  for (let index = 1; index < length; index++) if (((bytes[at + index] ?? 0) & 0xc0) !== 0x80) return 0;
  const point = codePoint(bytes, at, length);
  return point >= (minPointByLength[length] ?? 0) && point <= maxPoint ? length : 0;
}

/** The character that a UTF-8 sequence of that length encodes. */
function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] ?? 0;
  let point = length === 1 ? lead : lead & (0x7f >> length);
  for (let index = 1; index < length; index++) point = (point << 6) | ((bytes[at + index] ?? 0) & 0x3f);
  return point;
}
