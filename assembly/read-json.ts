import { decimal } from "./decimal";
import { readFloat, writeFloat } from "./floats";
import { jsonAt, sourceAt } from "./memory-layout";
import {
  Container,
  forgetValues,
  Kind,
  mayBeKey,
  newContainer,
  newFloat,
  newInt,
  newNone,
  newText,
  put,
  Text,
  Value,
} from "./plain-values";
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  minus,
  openBrace,
  openBracket,
  quote,
  space,
  zero,
} from "./signs";
import { isPlainUnit, isSurrogate, maxDepth, shortEscape } from "./write-json";

const letterU: u8 = 0x75;
const letterE: u8 = 0x65;
const plus: u8 = 0x2b;
const point: u8 = 0x2e;

/** The rest of the JSON. */
let at: usize = 0;
let end: usize = 0;

/**
 * Reads JSON that is, byte for byte, what Python's `json.dumps` writes for the same dict, and returns
 * the dict [CPython, json/encoder.py]: servers write session files that way. Texts keep their
 * escapes. `null` leaves any other JSON to the machine, as it does from any function below.
 */
export function readJson(length: usize): Container | null {
  at = sourceAt;
  end = sourceAt + length;
  forgetValues();
  const root = takes(openBrace) ? readDict(1) : null;
  return at === end ? root : null;
}

function readValue(depth: i32): Value | null {
  const sign: u8 = at < end ? load<u8>(at) : 0;
  if (sign === quote) return readText();
  if (sign === openBrace || sign === openBracket) {
    if (depth === maxDepth) return null;
    at++;
    return sign === openBrace ? readDict(depth + 1) : readList(depth + 1);
  }
  if (takesWord("null")) return newNone();
  if (takesWord("true")) return newInt(1, Kind.boolean);
  if (takesWord("false")) return newInt(0, Kind.boolean);
  return readNumber();
}

function readDict(depth: i32): Container | null {
  const dict = newContainer(Kind.dict);
  if (takes(closeBrace)) return dict;
  do {
    const key = readText();
    if (key === null || !mayBeKey(key, dict) || !takesSeparator(colon)) return null;
    const value = readValue(depth);
    if (value === null) return null;
    put(dict, key);
    put(dict, value);
  } while (takesSeparator(comma));
  return takes(closeBrace) ? dict : null;
}

function readList(depth: i32): Container | null {
  const list = newContainer(Kind.list);
  if (takes(closeBracket)) return list;
  do {
    const value = readValue(depth);
    if (value === null) return null;
    put(list, value);
  } while (takesSeparator(comma));
  return takes(closeBracket) ? list : null;
}

function readText(): Text | null {
  if (!takes(quote)) return null;
  const start = at;
  while (at < end) {
    const byte = load<u8>(at);
    if (isPlainUnit(byte)) at++;
    else if (byte === quote) return changetype<Text>(newText(Kind.text, start, at++));
    else if (byte !== backslash || !takesEscape()) return null;
  }
  return null;
}

/** Moves past an escape, or past the two of a character outside of the basic plane. */
function takesEscape(): bool {
  if (end - at < 2) return false;
  const letter = load<u8>(at + 1);
  if (letter !== letterU) {
    at += 2;
    return isShort(letter);
  }
  const unit = takeUnit();
  if (!isSurrogate(unit)) return unit >= 0 && !isPlainUnit(<u32>unit) && shortEscape(<u16>unit) === 0;
  return unit < 0xdc00 && (takeUnit() & ~0x3ff) === 0xdc00;
}

/** Whether a letter after a backslash is a short escape that Python writes. */
function isShort(letter: u8): bool {
  return (
    letter === quote ||
    letter === backslash ||
    letter === 0x62 || // b
    letter === 0x66 || // f
    letter === 0x6e || // n
    letter === 0x72 || // r
    letter === 0x74 // t
  );
}

/** Moves past `\u` and four digits in lower case, and returns their unit; -1 for anything else. */
function takeUnit(): i32 {
  if (end - at < 6 || load<u8>(at) !== backslash || load<u8>(at + 1) !== letterU) return -1;
  let unit: i32 = 0;
  for (let place = at + 2; place < at + 6; place++) {
    const digit = hexValue(load<u8>(place));
    if (digit < 0) return -1;
    unit = (unit << 4) | digit;
  }
  at += 6;
  return unit;
}

function hexValue(digit: u8): i32 {
  if (digit >= zero && digit <= zero + 9) return digit - zero;
  return digit >= 0x61 && digit <= 0x66 ? digit - 0x61 + 10 : -1;
}

/** An int of few digits, or a float. */
function readNumber(): Value | null {
  const start = at;
  let isFloat = false;
  for (; at < end; at++) {
    const sign = load<u8>(at);
    if (sign === point || sign === letterE) isFloat = true;
    else if (sign !== minus && sign !== plus && (sign < zero || sign > zero + 9)) break;
  }
  if (isFloat) return readPythonFloat(start);
  const isNegative = start < at && load<u8>(start) === minus;
  const size = decimal(isNegative ? start + 1 : start, at);
  // Python reads `-0` as 0.
  if (size < 0 || (isNegative && size === 0)) return null;
  return newInt(isNegative ? -size : size);
}

/** A float, if Python writes it the way it stands here. */
function readPythonFloat(start: usize): Value | null {
  const value = readFloat(start, at);
  if (!Number.isFinite(value)) return null;
  const length = writeFloat(value, jsonAt) - jsonAt;
  return length === at - start && memory.compare(start, jsonAt, length) === 0 ? newFloat(value) : null;
}

function takes(sign: u8): bool {
  if (at === end || load<u8>(at) !== sign) return false;
  at++;
  return true;
}

function takesSeparator(sign: u8): bool {
  if (end - at < 2 || load<u8>(at) !== sign || load<u8>(at + 1) !== space) return false;
  at += 2;
  return true;
}

function takesWord(word: string): bool {
  const length = <usize>word.length;
  if (end - at < length) return false;
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(at + index) !== word.charCodeAt(<i32>index)) return false;
  }
  at += length;
  return true;
}
