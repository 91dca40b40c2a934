export const quote = 0x22;
const backslash = 0x5c;

const hexDigits = Buffer.from("0123456789abcdef", "latin1");
/** Maps a character to the letter that follows the backslash in its short escape. */
const shortEscapes: ReadonlyMap<number, number> = new Map(
  ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);

/** The most bytes that one escape takes. */
export const maxEscapeLength = 6;

/** Whether JSON in printable ASCII holds a UTF-16 unit as it is [CPython, json/encoder.py]. */
export function isPlainUnit(unit: number): boolean {
  return unit >= 0x20 && unit <= 0x7e && unit !== quote && unit !== backslash;
}

/** Writes the escape of a UTF-16 unit and returns the offset after it. */
export function writeEscape(target: Uint8Array, unit: number, offset: number): number {
  let at = offset;
  target[at++] = backslash;
  const short = shortEscapes.get(unit);
  if (short !== undefined) {
    target[at++] = short;
    return at;
  }
  target[at++] = 0x75; // u
  for (let shift = 12; shift >= 0; shift -= 4) target[at++] = hexDigits[(unit >> shift) & 0xf] ?? 0;
  return at;
}

/** Writes printable ASCII that needs no escapes and returns the offset after it. */
export function writeAscii(target: Uint8Array, text: string, offset: number): number {
  for (let index = 0; index < text.length; index++) target[offset + index] = text.charCodeAt(index);
  return offset + text.length;
}
