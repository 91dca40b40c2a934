import { opcode } from "../opcodes.js";
import { maxPlainLength, type PlainTape, plainKind } from "./plain-tape.js";

const highestProtocol = 5;
const maxMarks = 64;

/** Reused by every call: the stack of nodes, the places of its marks, and the memo. */
const stack = new Int32Array(maxPlainLength + 1);
const markPlaces = new Int32Array(maxMarks);
const memo = new Int32Array(maxPlainLength + 1);
const float = new DataView(new ArrayBuffer(8));

/**
 * The fast path: most sessions are short pickles of plain values, and this folder converts them in
 * a third of the time that the pickle machine (`unpickle.ts`) and its JSON writer take. It must
 * never judge a file itself. Whatever it does not know, or what looks damaged, it leaves to the
 * machine; a property test compares the two byte for byte (`test/format/plain-json.test.ts`).
 *
 * Reads a pickle into a tape and returns its root, a dict; 0 leaves the pickle to the machine
 * [CPython, pickletools.py].
 */
export function readPlain(tape: PlainTape, bytes: Buffer): number {
  const { length } = bytes;
  if (length > maxPlainLength) return 0;
  tape.begin(bytes);
  let height = 0;
  /** The stack's height at the last mark: opcodes cannot reach below it. */
  let fence = 0;
  let marks = 0;
  let remembered = 0;
  let countsFromOne = false;
  let isFramed = false;
  for (let at = 0; at < length; ) {
    const code = bytes[at++];
    switch (code) {
      case opcode.memoize:
        if (height === fence || countsFromOne) return 0;
        memo[remembered++] = stack[height - 1] ?? 0;
        break;
      case opcode.binput: {
        const number = bytes[at++];
        // Python 2's cPickle counts from 1.
        if (number === 1 && remembered === 0) {
          countsFromOne = true;
          memo[remembered++] = 0;
        }
        if (height === fence || number !== remembered) return 0;
        memo[remembered++] = stack[height - 1] ?? 0;
        break;
      }
      case opcode.binget: {
        const number = bytes[at++] ?? remembered;
        const node = number < remembered ? tape.addAgain(memo[number] ?? 0) : 0;
        if (node === 0) return 0;
        stack[height++] = node;
        break;
      }
      case opcode.shortBinunicode:
      case opcode.shortBinstring: {
        const size = bytes[at++] ?? 0;
        if (at + size > length) return 0;
        const kind = code === opcode.shortBinstring ? plainKind.byteText : plainKind.text;
        stack[height++] = tape.add(kind, at, at + size);
        at += size;
        break;
      }
      case opcode.binunicode: {
        if (at + 4 > length) return 0;
        const size = int32(bytes, at);
        at += 4;
        if (size < 0 || at + size > length) return 0;
        stack[height++] = tape.add(plainKind.text, at, at + size);
        at += size;
        break;
      }
      case opcode.none:
        stack[height++] = tape.add(plainKind.none, 0, 0);
        break;
      case opcode.newtrue:
        stack[height++] = tape.add(plainKind.true, 0, 0);
        break;
      case opcode.newfalse:
        stack[height++] = tape.add(plainKind.false, 0, 0);
        break;
      case opcode.binint1:
        if (at >= length) return 0;
        stack[height++] = tape.add(plainKind.int, bytes[at++] ?? 0, 0);
        break;
      case opcode.binint2:
        if (at + 2 > length) return 0;
        stack[height++] = tape.add(plainKind.int, (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8), 0);
        at += 2;
        break;
      case opcode.binint:
        if (at + 4 > length) return 0;
        stack[height++] = tape.add(plainKind.int, int32(bytes, at), 0);
        at += 4;
        break;
      case opcode.binfloat: {
        if (at + 8 > length) return 0;
        stack[height++] = tape.addFloat(double(bytes, at));
        at += 8;
        break;
      }
      case opcode.emptyDict:
        stack[height++] = tape.add(plainKind.dict, 0, 0);
        break;
      case opcode.emptyList:
        stack[height++] = tape.add(plainKind.list, 0, 0);
        break;
      case opcode.emptyTuple:
        stack[height++] = tape.add(plainKind.tuple, 0, 0);
        break;
      case opcode.mark:
        if (marks === maxMarks) return 0;
        markPlaces[marks++] = height;
        fence = height;
        break;
      case opcode.setitems:
      case opcode.appends: {
        if (marks === 0) return 0;
        const from = markPlaces[--marks] ?? 0;
        fence = marks === 0 ? 0 : (markPlaces[marks - 1] ?? 0);
        const kind = code === opcode.setitems ? plainKind.dict : plainKind.list;
        if (from === fence || !fill(tape, kind, from, height)) return 0;
        height = from;
        break;
      }
      case opcode.setitem:
        height -= 2;
        if (height <= fence || !fill(tape, plainKind.dict, height, height + 2)) return 0;
        break;
      case opcode.append:
        height -= 1;
        if (height <= fence || !fill(tape, plainKind.list, height, height + 1)) return 0;
        break;
      case opcode.tuple: {
        if (marks === 0) return 0;
        const from = markPlaces[--marks] ?? 0;
        fence = marks === 0 ? 0 : (markPlaces[marks - 1] ?? 0);
        height = takeTuple(tape, from, height);
        break;
      }
      case opcode.tuple1:
      case opcode.tuple2:
      case opcode.tuple3: {
        const from = height - (code - opcode.tuple1 + 1);
        if (from < fence) return 0;
        height = takeTuple(tape, from, height);
        break;
      }
      case opcode.proto:
        if ((bytes[at++] ?? highestProtocol + 1) > highestProtocol) return 0;
        break;
      case opcode.frame:
        // The one frame of a short pickle spans the rest of the file.
        if (isFramed || at + 8 > length || int32(bytes, at) !== length - at - 8 || int32(bytes, at + 4) !== 0)
          return 0;
        isFramed = true;
        at += 8;
        break;
      case opcode.stop: {
        const root = stack[0] ?? 0;
        return height === 1 && marks === 0 && tape.kinds[root] === plainKind.dict ? root : 0;
      }
      default:
        return 0;
    }
  }
  return 0;
}

/** Puts the top of the stack into a container; returns false if the container cannot take it. */
function fill(tape: PlainTape, kind: number, from: number, end: number): boolean {
  const container = stack[from - 1] ?? 0;
  if (tape.kinds[container] !== kind) return false;
  const isDict = kind === plainKind.dict;
  if (isDict && (end - from) % 2 !== 0) return false;
  for (let place = from; place < end; place++) {
    const node = stack[place] ?? 0;
    if (isDict && (place - from) % 2 === 0 && !tape.mayBeKey(node, container)) return false;
    tape.put(container, node);
  }
  return true;
}

/** Replaces the top of the stack by a tuple of it, and returns the new height. */
function takeTuple(tape: PlainTape, from: number, end: number): number {
  const tuple = tape.add(plainKind.tuple, 0, 0);
  for (let place = from; place < end; place++) tape.put(tuple, stack[place] ?? 0);
  stack[from] = tuple;
  return from + 1;
}

function int32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function double(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < 8; index++) float.setUint8(index, bytes[at + index] ?? 0);
  return float.getFloat64(0);
}
