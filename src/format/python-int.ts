import { DecodeError } from "./decode-error.js";
import { pythonInt } from "./python-value.js";

/** Python refuses to print longer ints [`sys.int_info.default_max_str_digits`]. */
export const maxDigits = 4300;
const limit = 10n ** BigInt(maxDigits);

/** Enough for 4300 digits, an underscore after each, and spaces. */
const maxTextLength = 16_384;

const spaces = "[ \\t\\n\\v\\f\\r]*";
const anyBase = new RegExp(
  `^${spaces}([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?\\d)*|0(?:_?0)*)${spaces}$`,
);
const decimal = new RegExp(`^${spaces}([+-]?)(\\d+(?:_\\d+)*)${spaces}$`);
/** What C's `strtol` reads to the end with base 0: digits after a zero are octal. */
const cLong = new RegExp(`^${spaces}([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\\d*)$`);
const maxCLongDigits = 22;
const maxCLong = 2n ** 63n - 1n;
const float = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)$/i;

export function tooManyDigits(): DecodeError {
  return new DecodeError("unsupported-type", `an integer of more than ${maxDigits} digits`);
}

/**
 * The argument of INT, read by `strtol` or else by `int(text, 0)`; `00` and `01` are bools. Returns
 * `undefined` if Python would raise [CPython, _pickle.c, `load_int`].
 */
export function parseIntText(line: string): number | bigint | boolean | undefined {
  const text = cString(line);
  // `strtol` returns 0 for an empty text; Python accepts that only before a NUL.
  const value = text === "" && line !== "" ? 0 : parseCLong(text);
  if (value === undefined) return parseBy(anyBase, text);
  return line.length === 2 && (value === 0 || value === 1) ? value === 1 : value;
}

/** The argument of LONG: any base, perhaps an `L` at the end; `undefined` if Python would raise. */
export function parseLongText(line: string): number | bigint | undefined {
  return parseBy(anyBase, cString(line.endsWith("L") ? line.slice(0, -1) : line));
}

/** The argument of GET and PUT, read by `int(text)`. Returns `undefined` if Python would raise. */
export function parseMemoText(line: string): number | bigint | undefined {
  return parseBy(decimal, cString(line));
}

/** The argument of FLOAT, without spaces or underscores; `undefined` if Python would raise. */
export function parseFloatText(line: string): number | undefined {
  const text = cString(line);
  if (!float.test(text)) return undefined;
  const lower = text.toLowerCase();
  if (lower.endsWith("nan")) return Number.NaN;
  if (lower.includes("inf")) return lower.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(lower);
  return Number.isFinite(value) ? value : undefined;
}

/** The part of a text that C sees: up to the first NUL. */
function cString(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function parseCLong(text: string): number | bigint | undefined {
  const match = cLong.exec(text);
  if (match === null) return undefined;
  const digits = match[2] ?? "";
  const base = /^0x/i.test(digits) ? "0x" : digits.startsWith("0") ? "0o" : "";
  const significant = digits.replace(/^0[xX]?0*/, "");
  if (significant.length > maxCLongDigits) return undefined;
  const size = significant === "" ? 0n : BigInt(base + significant);
  if (size > maxCLong + (match[1] === "-" ? 1n : 0n)) return undefined;
  return pythonInt(match[1] === "-" ? -size : size);
}

/** The signed little-endian int of LONG1 and LONG4. */
export function parseLittleEndianInt(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  if (bytes.length <= 6) return bytes.readIntLE(0, bytes.length);
  const significant = withoutSignExtension(bytes);
  // A byte holds more than two digits.
  if (2 * significant.length > maxDigits) throw tooManyDigits();
  const unsigned = BigInt(`0x${Buffer.from(significant).reverse().toString("hex")}`);
  return checked(BigInt.asIntN(significant.length * 8, unsigned));
}

function withoutSignExtension(bytes: Buffer): Buffer {
  const filler = (bytes[bytes.length - 1] ?? 0) < 0x80 ? 0x00 : 0xff;
  let end = bytes.length;
  // One filler byte stays: it carries the sign.
  while (end > 1 && bytes[end - 1] === filler && bytes[end - 2] === filler) end--;
  return bytes.subarray(0, end);
}

function parseBy(pattern: RegExp, text: string): number | bigint | undefined {
  if (text.length > maxTextLength) throw tooManyDigits();
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const digits = (match[2] ?? "").replaceAll("_", "");
  if (/^\d+$/.test(digits) && digits.length > maxDigits) throw tooManyDigits();
  const size = BigInt(digits.toLowerCase());
  return checked(match[1] === "-" ? -size : size);
}

function checked(value: bigint): number | bigint {
  if (value >= limit || value <= -limit) throw tooManyDigits();
  return pythonInt(value);
}
