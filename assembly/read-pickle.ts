import { decimal } from "./decimal";
import { readFloat } from "./floats";
import { marksAt, maxMarks, memoAt, sourceAt, stackAt } from "./memory-layout";
import { Opcode } from "./opcodes";
import {
  Container,
  copyOf,
  forgetValues,
  isContainer,
  Kind,
  mayBeKey,
  newContainer,
  newFloat,
  newInt,
  newNone,
  newText,
  put,
  Value,
} from "./plain-values";
import { backslash, minus, zero } from "./signs";

const highestProtocol: u8 = 5;
const letterL: u8 = 0x4c;
const lineFeed: u8 = 0x0a;
const singleQuote: u8 = 0x27;
const doubleQuote: u8 = 0x22;

/** The rest of the pickle. */
let at: usize = 0;
let end: usize = 0;
/** How many values are on the stack. */
let height = 0;
/** The stack's height at the last mark: opcodes cannot reach below it. */
let fence = 0;
let marks = 0;
let remembered: u32 = 0;
let countsFromOne = false;
let isFramed = false;

/**
 * Reads the pickle in memory and returns its root, a dict [CPython, pickletools.py]. `null` leaves
 * the pickle to the machine, as does `false` from any function below.
 */
export function readPickle(length: usize): Container | null {
  at = sourceAt;
  end = sourceAt + length;
  height = fence = marks = 0;
  remembered = 0;
  countsFromOne = isFramed = false;
  forgetValues();
  while (at < end) {
    const code = load<u8>(at++);
    if (code === Opcode.stop) return root();
    if (!step(code)) return null;
  }
  return null;
}

function root(): Container | null {
  if (height !== 1 || marks !== 0) return null;
  const value = top();
  return value.kind === Kind.dict ? changetype<Container>(value) : null;
}

function step(code: Opcode): bool {
  switch (code) {
    case Opcode.memoize:
      return !countsFromOne && remember(remembered);
    case Opcode.binput:
      return has(1) && remember(load<u8>(take(1)));
    case Opcode.put:
      return putLine();
    case Opcode.binget:
      return has(1) && recall(load<u8>(take(1)));
    case Opcode.get:
      return getLine();
    case Opcode.shortBinunicode:
      return has(1) && pushText(Kind.text, load<u8>(take(1)));
    case Opcode.binunicode:
      return has(4) && pushText(Kind.text, load<u32>(take(4)));
    case Opcode.unicode:
      return unicodeLine();
    case Opcode.shortBinstring:
      return has(1) && pushText(Kind.byteText, load<u8>(take(1)));
    case Opcode.binstring:
      return has(4) && pushText(Kind.byteText, load<u32>(take(4)));
    case Opcode.string:
      return stringLine();
    case Opcode.none:
      return push(newNone());
    case Opcode.newtrue:
      return push(newInt(1, Kind.boolean));
    case Opcode.newfalse:
      return push(newInt(0, Kind.boolean));
    case Opcode.binint1:
      return has(1) && push(newInt(load<u8>(take(1))));
    case Opcode.binint2:
      return has(2) && push(newInt(load<u16>(take(2))));
    case Opcode.binint:
      return has(4) && push(newInt(load<i32>(take(4))));
    case Opcode.long1:
      return has(1) && pushLong(load<u8>(take(1)));
    case Opcode.int:
      return intLine();
    case Opcode.long:
      return longLine();
    case Opcode.binfloat:
      return has(8) && push(newFloat(reinterpret<f64>(bswap<u64>(load<u64>(take(8))))));
    case Opcode.float:
      return floatLine();
    case Opcode.emptyDict:
      return push(newContainer(Kind.dict));
    case Opcode.emptyList:
      return push(newContainer(Kind.list));
    case Opcode.emptyTuple:
      return push(newContainer(Kind.tuple));
    case Opcode.mark:
      return pushMark();
    case Opcode.setitems:
      return marks > 0 && fillTop(Kind.dict, popMark());
    case Opcode.appends:
      return marks > 0 && fillTop(Kind.list, popMark());
    case Opcode.setitem:
      return fillTop(Kind.dict, height - 2);
    case Opcode.append:
      return fillTop(Kind.list, height - 1);
    case Opcode.dict:
      return marks > 0 && make(Kind.dict, popMark());
    case Opcode.list:
      return marks > 0 && make(Kind.list, popMark());
    case Opcode.tuple:
      return marks > 0 && make(Kind.tuple, popMark());
    case Opcode.tuple1:
      return make(Kind.tuple, height - 1);
    case Opcode.tuple2:
      return make(Kind.tuple, height - 2);
    case Opcode.tuple3:
      return make(Kind.tuple, height - 3);
    case Opcode.proto:
      return has(1) && load<u8>(take(1)) <= highestProtocol;
    case Opcode.frame:
      return has(8) && enterFrame(load<u64>(take(8)));
    default:
      return false;
  }
}

/** Whether the pickle has so many bytes left. */
function has(bytes: usize): bool {
  return bytes <= end - at;
}

/** Moves on by bytes that the pickle has, and returns where they begin. */
function take(bytes: usize): usize {
  const start = at;
  at += bytes;
  return start;
}

/** The one frame of a short pickle spans the rest of the file. */
function enterFrame(length: u64): bool {
  if (isFramed || length !== <u64>(end - at)) return false;
  isFramed = true;
  return true;
}

function push(value: Value): bool {
  store<usize>(stackAt + (height++ << 2), changetype<usize>(value));
  return true;
}

function valueAt(place: i32): Value {
  return changetype<Value>(load<usize>(stackAt + (place << 2)));
}

function top(): Value {
  return valueAt(height - 1);
}

function pushMark(): bool {
  if (marks === maxMarks) return false;
  store<i32>(marksAt + (marks++ << 2), height);
  fence = height;
  return true;
}

/** Removes the last of the marks, and returns its place on the stack. */
function popMark(): i32 {
  const place = load<i32>(marksAt + (--marks << 2));
  fence = marks === 0 ? 0 : load<i32>(marksAt + ((marks - 1) << 2));
  return place;
}

/** Remembers the top of the stack; picklers count without a gap. */
function remember(number: u32): bool {
  // Python 2's cPickle counts from 1.
  if (number === 1 && remembered === 0) {
    countsFromOne = true;
    store<usize>(memoAt, 0);
    remembered = 1;
  }
  if (height === fence || number !== remembered) return false;
  store<usize>(memoAt + (remembered++ << 2), changetype<usize>(top()));
  return true;
}

/** Pushes a value that was remembered. A container is left to the machine: it could hold itself. */
function recall(number: u32): bool {
  if (number >= remembered) return false;
  const value = changetype<Value | null>(load<usize>(memoAt + (number << 2)));
  return value !== null && !isContainer(value) && push(copyOf(value));
}

function pushText(kind: Kind, length: usize): bool {
  if (!has(length)) return false;
  const start = take(length);
  return push(newText(kind, start, at));
}

/** Puts the stack from a place on into the container below, which must be of that kind. */
function fillTop(kind: Kind, from: i32): bool {
  if (from <= fence) return false;
  const container = valueAt(from - 1);
  return container.kind === kind && fill(changetype<Container>(container), from);
}

/** Makes a container of the stack from a place on. */
function make(kind: Kind, from: i32): bool {
  if (from < fence) return false;
  const container = newContainer(kind);
  return fill(container, from) && push(container);
}

function fill(container: Container, from: i32): bool {
  const isDict = container.kind === Kind.dict;
  if (isDict && ((height - from) & 1) !== 0) return false;
  for (let place = from; place < height; place++) {
    const value = valueAt(place);
    if (isDict && ((place - from) & 1) === 0 && !mayBeKey(value, container)) return false;
    put(container, value);
  }
  height = from;
  return true;
}

/** An int in two's complement, its lowest byte first. */
function pushLong(length: usize): bool {
  if (length > sizeof<i64>() || !has(length)) return false;
  const start = take(length);
  let number: i64 = 0;
  for (let index: usize = 0; index < length; index++) {
    number |= (<i64>load<u8>(start + index)) << (<i64>(8 * index));
  }
  const unused = <i64>(8 * (sizeof<i64>() - length));
  return push(newInt(length === 0 ? 0 : (number << unused) >> unused));
}

/** Moves on to the next line, and returns where this one ends; 0 if it does not end. */
function takeLine(): usize {
  for (let place = at; place < end; place++) {
    if (load<u8>(place) === lineFeed) {
      at = place + 1;
      return place;
    }
  }
  return 0;
}

function pushDecimal(start: usize, lineEnd: usize): bool {
  const isNegative = start < lineEnd && load<u8>(start) === minus;
  const size = decimal(isNegative ? start + 1 : start, lineEnd);
  // `-0` is a boolean for INT.
  if (size < 0 || (isNegative && size === 0)) return false;
  return push(newInt(isNegative ? -size : size));
}

/** An int, or a boolean: `00` and `01`. */
function intLine(): bool {
  const start = at;
  const lineEnd = takeLine();
  if (lineEnd - start === 2 && load<u8>(start) === zero) {
    const digit = load<u8>(start + 1) - zero;
    return digit <= 1 && push(newInt(digit, Kind.boolean));
  }
  return pushDecimal(start, lineEnd);
}

function longLine(): bool {
  const start = at;
  const lineEnd = takeLine();
  return lineEnd > start && load<u8>(lineEnd - 1) === letterL && pushDecimal(start, lineEnd - 1);
}

function floatLine(): bool {
  const start = at;
  const lineEnd = takeLine();
  if (lineEnd === 0) return false;
  const number = readFloat(start, lineEnd);
  return !Number.isNaN(number) && push(newFloat(number));
}

function putLine(): bool {
  const start = at;
  const number = decimal(start, takeLine());
  return number >= 0 && number <= <i64>remembered + 1 && remember(<u32>number);
}

function getLine(): bool {
  const start = at;
  const number = decimal(start, takeLine());
  return number >= 0 && number < <i64>remembered && recall(<u32>number);
}

function unicodeLine(): bool {
  const start = at;
  const lineEnd = takeLine();
  return lineEnd !== 0 && pushLine(Kind.latinText, start, lineEnd);
}

function stringLine(): bool {
  const start = at;
  const lineEnd = takeLine();
  if (lineEnd < start + 2) return false;
  const quote = load<u8>(start);
  if ((quote !== singleQuote && quote !== doubleQuote) || load<u8>(lineEnd - 1) !== quote) return false;
  return pushLine(Kind.byteText, start + 1, lineEnd - 1);
}

/** Pushes text without escapes. `kind`: for text that is not ASCII. */
function pushLine(kind: Kind, start: usize, lineEnd: usize): bool {
  let isAscii = true;
  for (let place = start; place < lineEnd; place++) {
    const byte = load<u8>(place);
    if (byte === backslash) return false;
    if (byte >= 0x80) isAscii = false;
  }
  return push(newText(isAscii ? Kind.text : kind, start, lineEnd));
}
