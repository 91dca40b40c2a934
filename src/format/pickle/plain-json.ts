import { floatRepr } from "../float-repr.js";
import { isPlainUnit, longestEscape, writeEscape } from "../json-escape.js";
import type { PythonJson } from "../python-json.js";
import { type PlainTape, plainKind } from "./plain-tape.js";

/** Enough for the JSON of almost every plain pickle. */
const room = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(room);
const deepestPlain = 50;
/** More than what is written between two looks at the room left, a text apart: a number, a separator, and the end of every container around it. */
const roomForOthers = 40 + deepestPlain;

const [quote, minus, zero] = [0x22, 0x2d, 0x30];
const [space, comma, colon] = [0x20, 0x2c, 0x3a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** What Python's `json.dumps` writes of a plain value; `undefined` where that is for the pickle machine to judge, or more than `maxLength` bytes. */
export function writePlainJson(tape: PlainTape, root: number, maxLength: number): PythonJson | undefined {
  const writer = new PlainWriter(tape);
  const length = writer.value(root, 0, 0);
  if (length < 0 || length > Math.min(maxLength, room)) return undefined;
  return { text: scratch.toString("latin1", 0, length), lossy: writer.lossy };
}

/** Each method gives the offset behind what it wrote, or less than 0 where it gives up. */
class PlainWriter {
  lossy = false;
  readonly #tape: PlainTape;

  constructor(tape: PlainTape) {
    this.#tape = tape;
  }

  value(node: number, offset: number, depth: number): number {
    const { kinds, firsts, floats } = this.#tape;
    if (offset + roomForOthers > room) return -1;
    switch (kinds[node]) {
      case plainKind.none:
        return writeText("null", offset);
      case plainKind.true:
        return writeText("true", offset);
      case plainKind.false:
        return writeText("false", offset);
      case plainKind.int:
        return writeInt(firsts[node] ?? 0, offset);
      case plainKind.float:
        return writeText(floatRepr(floats[node] ?? 0), offset);
      case plainKind.text:
      case plainKind.byteText:
        return this.#text(node, offset);
      case plainKind.dict:
        return depth === deepestPlain ? -1 : this.#dict(node, offset, depth);
      case plainKind.tuple:
        this.lossy = true;
        return depth === deepestPlain ? -1 : this.#list(node, offset, depth);
      case plainKind.list:
        return depth === deepestPlain ? -1 : this.#list(node, offset, depth);
      default:
        return -1;
    }
  }

  #list(list: number, offset: number, depth: number): number {
    const { firsts, nexts } = this.#tape;
    let at = offset;
    scratch[at++] = openBracket;
    for (let node = firsts[list] ?? 0; node !== 0; node = nexts[node] ?? 0) {
      if (at > offset + 1) at = writeSeparator(comma, at);
      at = this.value(node, at, depth + 1);
      if (at < 0) return at;
    }
    scratch[at++] = closeBracket;
    return at;
  }

  #dict(dict: number, offset: number, depth: number): number {
    const { firsts, nexts } = this.#tape;
    let at = offset;
    scratch[at++] = openBrace;
    for (let key = firsts[dict] ?? 0; key !== 0; ) {
      if (at > offset + 1) at = writeSeparator(comma, at);
      at = this.#text(key, at);
      if (at < 0) return at;
      const value = nexts[key] ?? 0;
      at = this.value(value, writeSeparator(colon, at), depth + 1);
      if (at < 0) return at;
      key = nexts[value] ?? 0;
    }
    scratch[at++] = closeBrace;
    return at;
  }

  #text(node: number, offset: number): number {
    const { bytes, kinds, firsts, lasts } = this.#tape;
    const start = firsts[node] ?? 0;
    const end = lasts[node] ?? 0;
    if (offset + longestEscape * (end - start) + roomForOthers > room) return -1;
    let at = offset;
    scratch[at++] = quote;
    for (let index = start; index < end; ) {
      const byte = bytes[index] ?? 0;
      if (isPlainUnit(byte)) {
        scratch[at++] = byte;
        index++;
      } else if (byte < 0x80) {
        at = writeEscape(scratch, byte, at);
        index++;
      } else {
        const length = kinds[node] === plainKind.text ? sequenceLength(bytes, index, end) : 0;
        if (length === 0) return -1;
        at = writeCharacter(codePoint(bytes, index, length), at);
        index += length;
      }
    }
    scratch[at++] = quote;
    return at;
  }
}

function writeText(text: string, offset: number): number {
  let at = offset;
  for (let index = 0; index < text.length; index++) scratch[at++] = text.charCodeAt(index);
  return at;
}

function writeSeparator(separator: number, offset: number): number {
  scratch[offset] = separator;
  scratch[offset + 1] = space;
  return offset + 2;
}

function writeInt(value: number, offset: number): number {
  let at = offset;
  let rest = Math.abs(value);
  if (value < 0) scratch[at++] = minus;
  let end = at + 1;
  for (let above = rest; above >= 10; above = Math.floor(above / 10)) end++;
  for (let place = end - 1; place >= at; place--) {
    scratch[place] = zero + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
}

/** How many bytes the UTF-8 sequence takes that begins at an offset; 0 where there is none, and for the halves of surrogate pairs [RFC 3629]. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > end) return 0;
  for (let index = 1; index < length; index++) if (((bytes[at + index] ?? 0) & 0xc0) !== 0x80) return 0;
  const point = codePoint(bytes, at, length);
  const isWellFormed =
    length === 2 || (length === 3 ? point >= 0x800 && (point < 0xd800 || point > 0xdfff) : point >= 0x10000);
  return isWellFormed && point <= 0x10ffff ? length : 0;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let point = (bytes[at] ?? 0) & (0xff >> (length + 1));
  for (let index = 1; index < length; index++) point = (point << 6) | ((bytes[at + index] ?? 0) & 0x3f);
  return point;
}

function writeCharacter(point: number, offset: number): number {
  if (point < 0x10000) return writeEscape(scratch, point, offset);
  const above = point - 0x10000;
  return writeEscape(scratch, 0xdc00 + (above & 0x3ff), writeEscape(scratch, 0xd800 + (above >> 10), offset));
}
