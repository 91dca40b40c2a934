import type { PythonSplitText } from "../../../src/format/python-value.js";

/**
 * The UTF-16 units of a decoded text, and whether it is kept as split; `null` if nothing was
 * decoded.
 */
export function kept(decoded: string | PythonSplitText | undefined): string {
  if (decoded === undefined) return "null";
  const split = typeof decoded !== "string";
  return JSON.stringify([Array.from(Buffer.from(split ? decoded.text : decoded, "utf16le")), split]);
}

/** What `kept` gives for a text that Python gave as its characters. */
export function expectedOf(points: readonly number[] | null | undefined): string {
  if (!points) return "null";
  const isHigh = (point = 0) => point >= 0xd800 && point <= 0xdbff;
  const isLow = (point = 0) => point >= 0xdc00 && point <= 0xdfff;
  const split = points.some((point, index) => isHigh(points[index - 1]) && isLow(point));
  const text = points.map((point) => String.fromCodePoint(point)).join("");
  return JSON.stringify([Array.from(Buffer.from(text, "utf16le")), split]);
}
