import { writeFloat } from "./floats";
import { jsonAt, maxJsonLength } from "./memory-layout";
import { Container, Float, Int, Kind, Text, Value } from "./plain-values";
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

/** Containers inside one another. */
export const maxDepth = 50;
const maxEscapeLength: usize = 6;
/** More than anything but a text takes: a number, a separator, the ends of all containers. */
const roomForOthers: usize = 40 + maxDepth;
const roomEnd = jsonAt + maxJsonLength;

/** Where the next byte goes. */
let at: usize = 0;
let hasTuple = false;

/**
 * Writes a dict as Python's `json.dumps` does, and returns the length. 0 leaves the pickle to the
 * machine, as does `false` from any function below.
 */
export function writeJson(root: Container): usize {
  at = jsonAt;
  hasTuple = false;
  return writeDict(root, 0) ? at - jsonAt : 0;
}

/** Whether reading back what was written last gives lists for tuples. */
export function isLossy(): bool {
  return hasTuple;
}

function writeValue(value: Value, depth: i32): bool {
  if (at + roomForOthers > roomEnd) return false;
  switch (value.kind) {
    case Kind.none:
      return write("null");
    case Kind.boolean:
      return write(changetype<Int>(value).value === 1 ? "true" : "false");
    case Kind.int:
      return writeInt(changetype<Int>(value).value);
    case Kind.float:
      at = writeFloat(changetype<Float>(value).value, at);
      return true;
    case Kind.dict:
      return writeDict(changetype<Container>(value), depth);
    case Kind.tuple:
      hasTuple = true;
      return writeList(changetype<Container>(value), depth);
    case Kind.list:
      return writeList(changetype<Container>(value), depth);
    default:
      return writeText(changetype<Text>(value));
  }
}

function writeList(list: Container, depth: i32): bool {
  if (depth === maxDepth) return false;
  writeByte(openBracket);
  for (let value = list.first; value !== null; ) {
    if (value !== list.first) writeSeparator(comma);
    if (!writeValue(value, depth + 1)) return false;
    value = value.next;
  }
  return writeByte(closeBracket);
}

function writeDict(dict: Container, depth: i32): bool {
  if (depth === maxDepth) return false;
  writeByte(openBrace);
  for (let key = dict.first; key !== null; ) {
    if (key !== dict.first) writeSeparator(comma);
    if (!writeText(changetype<Text>(key))) return false;
    writeSeparator(colon);
    const value = key.next;
    if (value === null || !writeValue(value, depth + 1)) return false;
    key = value.next;
  }
  return writeByte(closeBrace);
}

function writeText(text: Text): bool {
  if (at + maxEscapeLength * (text.end - text.start) + roomForOthers > roomEnd) return false;
  writeByte(quote);
  for (let place = text.start; place < text.end; ) {
    place = copyPlain(place, text.end);
    if (place === text.end) break;
    const byte = load<u8>(place);
    if (byte < 0x80 || text.kind === Kind.latinText) {
      writeEscape(byte);
      place++;
    } else {
      const length: usize = text.kind === Kind.text ? sequenceLength(place, text.end) : 0;
      if (length === 0) return false;
      writeCharacter(codePoint(place, length));
      place += length;
    }
  }
  return writeByte(quote);
}

/** Writes what needs no escape, and returns where it ends. */
function copyPlain(start: usize, end: usize): usize {
  let place = start;
  // A local address: writing a global one for each byte takes half of the time.
  let to = at;
  while (place < end) {
    const byte = load<u8>(place);
    if (!isPlainUnit(byte)) break;
    store<u8>(to++, byte);
    place++;
  }
  at = to;
  return place;
}

function writeByte(byte: u8): bool {
  store<u8>(at++, byte);
  return true;
}

function write(ascii: string): bool {
  for (let index = 0; index < ascii.length; index++) writeByte(<u8>ascii.charCodeAt(index));
  return true;
}

function writeSeparator(separator: u8): void {
  writeByte(separator);
  writeByte(space);
}

function writeInt(value: i64): bool {
  if (value < 0) writeByte(minus);
  let rest: u64 = value < 0 ? -value : value;
  let end = at + 1;
  for (let above = rest; above >= 10; above /= 10) end++;
  for (let place = end; place > at; rest /= 10) store<u8>(--place, zero + <u8>(rest % 10));
  at = end;
  return true;
}

/** Whether JSON in printable ASCII holds a UTF-16 unit as it is [CPython, json/encoder.py]. */
export function isPlainUnit(unit: u32): bool {
  return unit >= 0x20 && unit <= 0x7e && unit !== quote && unit !== backslash;
}

function writeCharacter(point: u32): void {
  if (point < 0x10000) {
    writeEscape(<u16>point);
    return;
  }
  const above = point - 0x10000;
  writeEscape(<u16>(0xd800 + (above >> 10)));
  writeEscape(<u16>(0xdc00 + (above & 0x3ff)));
}

function writeEscape(unit: u16): void {
  writeByte(backslash);
  const short = shortEscape(unit);
  if (short !== 0) {
    writeByte(short);
    return;
  }
  writeByte(0x75); // u
  for (let shift = 12; shift >= 0; shift -= 4) writeByte(hexDigit((unit >> <u16>shift) & 0xf));
}

/** The letter after the backslash of a short escape; 0 if there is none. */
export function shortEscape(unit: u16): u8 {
  switch (unit) {
    case quote:
    case backslash:
      return <u8>unit;
    case 0x08:
      return 0x62; // b
    case 0x09:
      return 0x74; // t
    case 0x0a:
      return 0x6e; // n
    case 0x0c:
      return 0x66; // f
    case 0x0d:
      return 0x72; // r
    default:
      return 0;
  }
}

function hexDigit(value: u16): u8 {
  return <u8>(value < 10 ? zero + value : 0x61 - 10 + value);
}

/** The length of the UTF-8 sequence at an address; 0 if there is none, and for a surrogate. */
function sequenceLength(place: usize, end: usize): usize {
  const lead = load<u8>(place);
  const length: usize = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || length > end - place) return 0;
  for (let index: usize = 1; index < length; index++) {
    if ((load<u8>(place + index) & 0xc0) !== 0x80) return 0;
  }
  const point = codePoint(place, length);
  const isOverlong = (length === 3 && point < 0x800) || (length === 4 && point < 0x10000);
  return isOverlong || isSurrogate(point) || point > 0x10ffff ? 0 : length;
}

/** The character that a UTF-8 sequence of that length, at least 2, encodes. */
function codePoint(place: usize, length: usize): u32 {
  let point: u32 = load<u8>(place) & (0x7f >> <u8>length);
  for (let index: usize = 1; index < length; index++) point = (point << 6) | (load<u8>(place + index) & 0x3f);
  return point;
}

export function isSurrogate(point: u32): bool {
  return point >= 0xd800 && point <= 0xdfff;
}
