const hexDigits = Buffer.from("0123456789abcdef", "latin1");
/** By character: what stands behind the backslash in its short escape. */
const shortEscapes: ReadonlyMap<number, number> = new Map(
  ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);
const [quote, backslash, letterU] = [0x22, 0x5c, 0x75];

/** The most bytes that an escape takes. */
export const longestEscape = 6;

/** Whether a UTF-16 unit is written as it is in JSON of printable ASCII [CPython, json/encoder.py]. */
export function isPlainUnit(unit: number): boolean {
  return unit >= 0x20 && unit <= 0x7e && unit !== quote && unit !== backslash;
}

/** Writes the escape of a UTF-16 unit, and gives the offset behind it. */
export function writeEscape(target: Uint8Array, unit: number, offset: number): number {
  let at = offset;
  target[at++] = backslash;
  const short = shortEscapes.get(unit);
  if (short !== undefined) {
    target[at++] = short;
    return at;
  }
  target[at++] = letterU;
  for (let shift = 12; shift >= 0; shift -= 4) target[at++] = hexDigits[(unit >> shift) & 0xf] ?? 0;
  return at;
}
