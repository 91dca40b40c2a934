import type { PythonSplitText } from "../python-value.js";

const simpleEscapes: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  b: "\b",
  f: "\f",
  t: "\t",
  n: "\n",
  r: "\r",
  v: "\v",
  a: "\x07",
};

/**
 * The bytes that a Python 2 string literal with its quotes stands for, as `codecs.escape_decode` reads it; text and result are latin1.
 * `undefined` where Python would raise.
 */
export function unquoteBytes(literal: string): string | undefined {
  const quote = literal[0];
  if (literal.length < 2 || quote !== literal.at(-1) || (quote !== "'" && quote !== '"')) return undefined;
  const body = literal.slice(1, -1);
  let valid = true;
  const bytes = body.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|([\s\S])|$)/g,
    (whole, octal, hex, character) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (character === undefined || character === "x") valid = false;
      return simpleEscapes[character] ?? whole;
    },
  );
  return valid ? bytes : undefined;
}

/**
 * Text in Python's raw-unicode-escape, as protocol 0 writes it: latin1 with `\uXXXX` and `\UXXXXXXXX` after an odd number of
 * backslashes. `undefined` where Python would raise.
 */
export function decodeRawUnicodeEscape(
  line: string,
  splitText: (text: string) => PythonSplitText,
): string | PythonSplitText | undefined {
  if (!line.includes("\\")) return line;
  let valid = true;
  let split = false;
  let highEnd = -1;
  // `length` is that of the text made so far.
  let shift = 0;
  const text = line.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S])|$)/g,
    (whole, four, eight, character, offset) => {
      if (four === undefined && eight === undefined) {
        if (character === "u" || character === "U") valid = false;
        return whole;
      }
      const point = Number.parseInt(four ?? eight, 16);
      if (point > 0x10ffff) {
        valid = false;
        return whole;
      }
      const made = String.fromCodePoint(point);
      const at = offset - shift;
      if (at === highEnd && point >= 0xdc00 && point <= 0xdfff) split = true;
      shift += whole.length - made.length;
      highEnd = point >= 0xd800 && point <= 0xdbff ? at + 1 : -1;
      return made;
    },
  );
  if (!valid) return undefined;
  return split ? splitText(text) : text;
}
