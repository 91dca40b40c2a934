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
/** What `strtol` of C reads whole with base 0: octal digits after a zero. */
const cLong = new RegExp(`^${spaces}([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\\d*)$`);
const mostCLongDigits = 22;
const largestCLong = 2n ** 63n - 1n;
const float = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)$/i;

export function tooManyDigits(count: number): boolean {
  return count > mostDigits;
}

/**
 * The argument of INT: by `strtol`, and if that cannot, by `int(text, 0)` of Python. A bool is 0 or 1 in two characters. `undefined`
 * where Python would raise [CPython, _pickle.c, `load_int`].
 */
export function parseIntText(line: string): number | bigint | boolean | undefined {
  const text = cString(line);
  // `strtol` gives 0 for no digits at all; only a NUL lets that pass.
  const value = text === "" && line !== "" ? 0 : parseCLong(text);
  if (value === undefined) return parseBy(anyBase, text);
  return line.length === 2 && (value === 0 || value === 1) ? value === 1 : value;
}

/** The argument of LONG: any base by its prefix, underscores between digits, an `L` at the end. `undefined` where Python would raise. */
export function parseLongText(line: string): number | bigint | undefined {
  return parseBy(anyBase, cString(line.endsWith("L") ? line.slice(0, -1) : line));
}

/** The argument of GET and PUT: `int(text)` of Python. `undefined` where it would raise. */
export function parseMemoText(line: string): number | bigint | undefined {
  return parseBy(decimal, cString(line));
}

/** The argument of FLOAT: no spaces, no underscores, nothing beyond a double. `undefined` where Python would raise. */
export function parseFloatText(line: string): number | undefined {
  const text = cString(line);
  if (!float.test(text)) return undefined;
  const lower = text.toLowerCase();
  if (lower.endsWith("nan")) return Number.NaN;
  if (lower.includes("inf"))
    return lower.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(lower);
  return Number.isFinite(value) ? value : undefined;
}

/** What C sees of a text: it ends at a NUL. */
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
  if (significant.length > mostCLongDigits) return undefined;
  const size = significant === "" ? 0n : BigInt(base + significant);
  if (size > largestCLong + (match[1] === "-" ? 1n : 0n)) return undefined;
  return pythonInt(match[1] === "-" ? -size : size);
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
