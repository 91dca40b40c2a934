import type { PythonSplitText, SplitText } from "./python-value.js";
import { TextUnits } from "./text-units.js";

/** The smallest character that a sequence of 2, 3 or 4 bytes may stand for; below it the form is overlong. */
const smallestOfLength = [0, 0, 0x80, 0x800, 0x10000];

/**
 * UTF-8 with surrogates passed, as pickles hold text; `TextDecoder` would destroy lone ones. `undefined` where the bytes are none:
 * overlong forms, stray bytes and anything above U+10FFFF are refused as CPython's `surrogatepass` refuses them.
 */
export function decodeUtf8(
  bytes: Buffer,
  start: number,
  end: number,
  splitText: SplitText,
): string | PythonSplitText | undefined {
  const quick = bytes.toString("utf8", start, end);
  // The replacement character stands for a lone surrogate, for damage, or for itself.
  return quick.includes("\ufffd") ? decodeCarefully(bytes, start, end, splitText) : quick;
}

function decodeCarefully(
  bytes: Buffer,
  start: number,
  end: number,
  splitText: SplitText,
): string | PythonSplitText | undefined {
  const units = new TextUnits(end - start);
  for (let at = start; at < end; ) {
    const lead = bytes[at] ?? 0;
    const length = sequenceLength(lead);
    if (length === 0 || at + length > end) return undefined;
    let point = length === 1 ? lead : lead & (0x7f >> length);
    for (let index = 1; index < length; index++) {
      const next = bytes[at + index] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (next & 0x3f);
    }
    if (point < (smallestOfLength[length] ?? 0) || point > 0x10ffff) return undefined;
    units.addPoint(point);
    at += length;
  }
  return units.splits.length > 0 ? splitText(units.text(), units.splits) : units.text();
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}
