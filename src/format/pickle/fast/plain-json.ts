import { floatRepr } from "../../float-repr.js";
import { isPlainUnit, maxEscapeLength, quote, writeAscii, writeEscape } from "../../json-bytes.js";
import type { PythonJson } from "../../python-json.js";
import { codePoint, sequenceLength } from "../../utf8.js";
import { type PlainTape, plainKind } from "./plain-tape.js";

/** Bytes; enough for the JSON of almost every plain pickle. */
const room = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(room);
const maxPlainDepth = 50;
/** More than anything but a text takes: a number, a separator, the ends of all containers. */
const roomForOthers = 40 + maxPlainDepth;
const [space, comma, minus, zero, colon] = [0x20, 0x2c, 0x2d, 0x30, 0x3a];

/**
 * Writes a plain value as Python's `json.dumps` does. Returns `undefined` if the pickle machine
 * must judge the value, or if the text takes more than `maxLength` bytes.
 */
export function writePlainJson(tape: PlainTape, root: number, maxLength: number): PythonJson | undefined {
  const writer = new PlainWriter(tape);
  const length = writer.value(root, 0, 0);
  if (length < 0 || length > Math.min(maxLength, room)) return undefined;
  return { text: scratch.toString("latin1", 0, length), lossy: writer.lossy };
}

/** Each method returns the offset after what it wrote, or -1 to leave the pickle to the machine. */
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
        return writeAscii(scratch, "null", offset);
      case plainKind.true:
        return writeAscii(scratch, "true", offset);
      case plainKind.false:
        return writeAscii(scratch, "false", offset);
      case plainKind.int:
        return writeInt(firsts[node] ?? 0, offset);
      case plainKind.float:
        return writeAscii(scratch, floatRepr(floats[node] ?? 0), offset);
      case plainKind.text:
      case plainKind.byteText:
        return this.#text(node, offset);
      case plainKind.dict:
        return depth === maxPlainDepth ? -1 : this.#dict(node, offset, depth);
      case plainKind.tuple:
        this.lossy = true;
        return depth === maxPlainDepth ? -1 : this.#list(node, offset, depth);
      case plainKind.list:
        return depth === maxPlainDepth ? -1 : this.#list(node, offset, depth);
      default:
        return -1;
    }
  }

  #list(list: number, offset: number, depth: number): number {
    const { firsts, nexts } = this.#tape;
    let at = writeAscii(scratch, "[", offset);
    for (let node = firsts[list] ?? 0; node !== 0; node = nexts[node] ?? 0) {
      if (at > offset + 1) at = writeSeparator(comma, at);
      at = this.value(node, at, depth + 1);
      if (at < 0) return at;
    }
    return writeAscii(scratch, "]", at);
  }

  #dict(dict: number, offset: number, depth: number): number {
    const { firsts, nexts } = this.#tape;
    let at = writeAscii(scratch, "{", offset);
    for (let key = firsts[dict] ?? 0; key !== 0; ) {
      if (at > offset + 1) at = writeSeparator(comma, at);
      at = this.#text(key, at);
      if (at < 0) return at;
      const value = nexts[key] ?? 0;
      at = this.value(value, writeSeparator(colon, at), depth + 1);
      if (at < 0) return at;
      key = nexts[value] ?? 0;
    }
    return writeAscii(scratch, "}", at);
  }

  #text(node: number, offset: number): number {
    const { bytes, kinds, firsts, lasts } = this.#tape;
    const start = firsts[node] ?? 0;
    const end = lasts[node] ?? 0;
    if (offset + maxEscapeLength * (end - start) + roomForOthers > room) return -1;
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
        const point = codePoint(bytes, index, length);
        if (length === 0 || isSurrogate(point)) return -1;
        at = writeCharacter(point, at);
        index += length;
      }
    }
    scratch[at++] = quote;
    return at;
  }
}

/** Bytes, not text: separators come so often that writing them as text costs 2% of a conversion. */
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

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}

function writeCharacter(point: number, offset: number): number {
  if (point < 0x10000) return writeEscape(scratch, point, offset);
  const above = point - 0x10000;
  return writeEscape(scratch, 0xdc00 + (above & 0x3ff), writeEscape(scratch, 0xd800 + (above >> 10), offset));
}
