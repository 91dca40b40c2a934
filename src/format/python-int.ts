import { DecodeError } from "./decode-error.js";
import { pythonInt } from "./python-value.js";

/** Python refuses to print an int of more decimal digits [`sys.int_info.default_max_str_digits`]. */
const mostDigits = 4300;
const beyondMostDigits = 10n ** BigInt(mostDigits);

/** A number's text is never longer: 4300 digits, an underscore after each, and room for spaces. */
const longestText = 16_384;

const spaces = "[ \\t\\n\\v\\f\\r]*";
const anyBase = new RegExp(
  `^${spaces}([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?\\d)*|0(?:_?0)*)${spaces}$`,
);
const decimal = new RegExp(`^${spaces}([+-]?)(\\d+(?:_\\d+)*)${spaces}$`);
const float = new RegExp(
  `^${spaces}([+-]?(?:(?:\\d+(?:_\\d+)*(?:\\.(?:\\d+(?:_\\d+)*)?)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+(?:_\\d+)*)?|inf|infinity|nan))${spaces}$`,
  "i",
);

export function tooManyDigits(count: number): boolean {
  return count > mostDigits;
}

/** `int(text, 0)` of Python: any base by its prefix, underscores between digits. `undefined` where it would raise. */
export function parseIntAnyBase(text: string): number | bigint | undefined {
  return parseBy(anyBase, text);
}

/** `int(text)` of Python. `undefined` where it would raise. */
export function parseDecimalInt(text: string): number | bigint | undefined {
  return parseBy(decimal, text);
}

/** `float(text)` of Python. `undefined` where it would raise. */
export function parseFloatText(text: string): number | undefined {
  const match = text.length > longestText ? null : float.exec(text);
  if (match === null) return undefined;
  const plain = (match[1] ?? "").replaceAll("_", "").toLowerCase();
  if (plain.endsWith("nan")) return Number.NaN;
  if (plain.includes("inf"))
    return plain.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(plain);
}

/** A signed little-endian int, as LONG1 and LONG4 hold it. */
export function parseLittleEndianInt(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  if (bytes.length <= 6) return bytes.readIntLE(0, bytes.length);
  const significant = withoutSignExtension(bytes);
  if (significant.length > mostDigits / 2) throw tooLong();
  const unsigned = BigInt(`0x${Buffer.from(significant).reverse().toString("hex")}`);
  return checked(BigInt.asIntN(significant.length * 8, unsigned));
}

function withoutSignExtension(bytes: Buffer): Buffer {
  const filler = (bytes[bytes.length - 1] ?? 0) < 0x80 ? 0x00 : 0xff;
  let end = bytes.length;
  // One byte of the filler stays: it carries the sign.
  while (end > 1 && bytes[end - 1] === filler && bytes[end - 2] === filler) end--;
  return bytes.subarray(0, end);
}

function parseBy(pattern: RegExp, text: string): number | bigint | undefined {
  if (text.length > longestText) throw tooLong();
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const digits = (match[2] ?? "").replaceAll("_", "");
  if (/^\d+$/.test(digits) && tooManyDigits(digits.length)) throw tooLong();
  const size = BigInt(digits.toLowerCase());
  return checked(match[1] === "-" ? -size : size);
}

function checked(value: bigint): number | bigint {
  if (value >= beyondMostDigits || value <= -beyondMostDigits) throw tooLong();
  return pythonInt(value);
}

function tooLong(): DecodeError {
  return new DecodeError("unsupported-type", "an integer of more than 4300 digits");
}
