import type { PythonSplitText, SplitText } from "../python-value.js";
import { TextUnits } from "../text-units.js";

const backslash = 0x5c;
const simpleEscapes: ReadonlyMap<string, number> = new Map([
  ["\\", backslash],
  ["'", 0x27],
  ['"', 0x22],
  ["b", 0x08],
  ["f", 0x0c],
  ["t", 0x09],
  ["n", 0x0a],
  ["r", 0x0d],
  ["v", 0x0b],
  ["a", 0x07],
]);
const octalDigits = /[0-7]{1,3}/y;
const maxPoint = 0x10ffff;

/**
 * The bytes of a Python 2 string literal in quotes, as `codecs.escape_decode` reads it; the literal
 * is latin1. Returns `undefined` if Python would raise.
 */
export function unquoteBytes(literal: string): Buffer | undefined {
  const quote = literal[0];
  const end = literal.length - 1;
  if (end < 1 || quote !== literal[end] || (quote !== "'" && quote !== '"')) return undefined;
  const bytes = Buffer.allocUnsafe(literal.length);
  let length = 0;
  for (let at = 1; at < end; ) {
    const unit = literal.charCodeAt(at++);
    if (unit !== backslash) {
      bytes[length++] = unit;
      continue;
    }
    if (at === end) return undefined;
    const character = literal[at] ?? "";
    const simple = simpleEscapes.get(character);
    if (simple !== undefined) {
      bytes[length++] = simple;
      at++;
    } else if (character === "x") {
      const value = hexValue(literal, at + 1, 2, end);
      if (value === undefined) return undefined;
      bytes[length++] = value;
      at += 3;
    } else {
      octalDigits.lastIndex = at;
      const octal = octalDigits.exec(literal)?.[0];
      // An unknown escape keeps its backslash; the next turn adds the character.
      bytes[length++] = octal === undefined ? backslash : Number.parseInt(octal, 8) & 0xff;
      at += octal?.length ?? 0;
    }
  }
  return bytes.subarray(0, length);
}

/**
 * Text in Python's raw-unicode-escape, which protocol 0 writes: latin1 with `\uXXXX` and
 * `\UXXXXXXXX` after an odd number of backslashes. Returns `undefined` if Python would raise.
 */
export function decodeRawUnicodeEscape(line: string, splitText: SplitText): string | PythonSplitText | undefined {
  if (!line.includes("\\")) return line;
  const units = new TextUnits(line.length);
  for (let at = 0; at < line.length; ) {
    const letter = line.charCodeAt(at) === backslash ? line[at + 1] : undefined;
    if (letter === undefined) {
      units.addPoint(line.charCodeAt(at++));
      continue;
    }
    if (letter !== "u" && letter !== "U") {
      units.addPoint(backslash);
      units.addPoint(letter.charCodeAt(0));
      at += 2;
      continue;
    }
    const digits = letter === "u" ? 4 : 8;
    const point = hexValue(line, at + 2, digits, line.length);
    if (point === undefined || point > maxPoint) return undefined;
    units.addPoint(point);
    at += 2 + digits;
  }
  return units.finish(splitText);
}

/** The value of that many hex digits; `undefined` if there are fewer. */
function hexValue(text: string, from: number, digits: number, end: number): number | undefined {
  const hex = text.slice(from, Math.min(from + digits, end));
  return hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : undefined;
}
