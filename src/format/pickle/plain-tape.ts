import { opcode } from "./opcodes.js";

/** What a plain value is. `byteText` is a Python 2 `str`. */
export const plainKind = {
  none: 1,
  true: 2,
  false: 3,
  int: 4,
  float: 5,
  text: 6,
  byteText: 7,
  list: 8,
  tuple: 9,
  dict: 10,
} as const;

/** Bytes of a pickle: a longer one is for the pickle machine. */
const longestPlain = 8 * 1024;
/** No opcode makes two values. */
const mostNodes = longestPlain + 1;
const mostMarks = 64;
const highestProtocol = 5;

/**
 * The values of a plain pickle as numbers in arrays, where nothing has to be made for each: `None`, booleans, ints of 32 bits, floats, texts, lists, tuples and
 * dicts with text keys. One tape serves one pickle after another. A node is a value's number, from 1 on; 0 is none.
 */
export class PlainTape {
  /** The pickle, which texts lie in. */
  bytes: Uint8Array = new Uint8Array();
  readonly kinds = new Uint8Array(mostNodes);
  /** Where a text begins, what an int is, or the first child of a container. */
  readonly firsts = new Int32Array(mostNodes);
  /** Where a text ends, or the last child of a container. */
  readonly lasts = new Int32Array(mostNodes);
  /** The next child of the same container. In a dict keys and values take turns. */
  readonly nexts = new Int32Array(mostNodes);
  readonly floats = new Float64Array(mostNodes);
  readonly #stack = new Int32Array(mostNodes);
  readonly #marks = new Int32Array(mostMarks);
  readonly #memo = new Int32Array(mostNodes);
  readonly #float = new DataView(new ArrayBuffer(8));
  #nodes = 0;

  /**
   * Reads a pickle and gives its root, a dict; 0 for whatever is not plain or not quite as a pickler writes it, which is for the pickle machine to
   * judge.
   */
  read(bytes: Uint8Array): number {
    const { length } = bytes;
    if (length > longestPlain) return 0;
    this.bytes = bytes;
    this.#nodes = 0;
    const stack = this.#stack;
    const memo = this.#memo;
    let height = 0;
    /** The stack's height at the last mark: what is below is out of reach. */
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
          // cPickle of Python 2 does.
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
          const node = number < remembered ? this.#again(memo[number] ?? 0) : 0;
          if (node === 0) return 0;
          stack[height++] = node;
          break;
        }
        case opcode.shortBinunicode:
        case opcode.shortBinstring: {
          const size = bytes[at++] ?? 0;
          if (at + size > length) return 0;
          const kind = code === opcode.shortBinstring ? plainKind.byteText : plainKind.text;
          stack[height++] = this.#add(kind, at, at + size);
          at += size;
          break;
        }
        case opcode.binunicode: {
          if (at + 4 > length) return 0;
          const size = this.#int32(at);
          at += 4;
          if (size < 0 || at + size > length) return 0;
          stack[height++] = this.#add(plainKind.text, at, at + size);
          at += size;
          break;
        }
        case opcode.none:
          stack[height++] = this.#add(plainKind.none, 0, 0);
          break;
        case opcode.newtrue:
          stack[height++] = this.#add(plainKind.true, 0, 0);
          break;
        case opcode.newfalse:
          stack[height++] = this.#add(plainKind.false, 0, 0);
          break;
        case opcode.binint1:
          if (at >= length) return 0;
          stack[height++] = this.#add(plainKind.int, bytes[at++] ?? 0, 0);
          break;
        case opcode.binint2:
          if (at + 2 > length) return 0;
          stack[height++] = this.#add(plainKind.int, (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8), 0);
          at += 2;
          break;
        case opcode.binint:
          if (at + 4 > length) return 0;
          stack[height++] = this.#add(plainKind.int, this.#int32(at), 0);
          at += 4;
          break;
        case opcode.binfloat: {
          if (at + 8 > length) return 0;
          const node = this.#add(plainKind.float, 0, 0);
          this.floats[node] = this.#double(at);
          stack[height++] = node;
          at += 8;
          break;
        }
        case opcode.emptyDict:
          stack[height++] = this.#add(plainKind.dict, 0, 0);
          break;
        case opcode.emptyList:
          stack[height++] = this.#add(plainKind.list, 0, 0);
          break;
        case opcode.emptyTuple:
          stack[height++] = this.#add(plainKind.tuple, 0, 0);
          break;
        case opcode.mark:
          if (marks === mostMarks) return 0;
          this.#marks[marks++] = height;
          fence = height;
          break;
        case opcode.setitems:
        case opcode.appends: {
          if (marks === 0) return 0;
          const from = this.#marks[--marks] ?? 0;
          fence = marks === 0 ? 0 : (this.#marks[marks - 1] ?? 0);
          const kind = code === opcode.setitems ? plainKind.dict : plainKind.list;
          if (from === fence || !this.#fill(stack[from - 1] ?? 0, kind, from, height)) return 0;
          height = from;
          break;
        }
        case opcode.setitem:
          height -= 2;
          if (height <= fence || !this.#fill(stack[height - 1] ?? 0, plainKind.dict, height, height + 2))
            return 0;
          break;
        case opcode.append:
          height -= 1;
          if (height <= fence || !this.#fill(stack[height - 1] ?? 0, plainKind.list, height, height + 1))
            return 0;
          break;
        case opcode.tuple: {
          if (marks === 0) return 0;
          const from = this.#marks[--marks] ?? 0;
          fence = marks === 0 ? 0 : (this.#marks[marks - 1] ?? 0);
          height = this.#tuple(from, height);
          break;
        }
        case opcode.tuple1:
        case opcode.tuple2:
        case opcode.tuple3: {
          const from = height - (code - opcode.tuple1 + 1);
          if (from < fence) return 0;
          height = this.#tuple(from, height);
          break;
        }
        case opcode.proto:
          if ((bytes[at++] ?? highestProtocol + 1) > highestProtocol) return 0;
          break;
        case opcode.frame:
          // One that spans the rest of the file, as all that is short does.
          if (isFramed || at + 8 > length || this.#int32(at) !== length - at - 8 || this.#int32(at + 4) !== 0)
            return 0;
          isFramed = true;
          at += 8;
          break;
        case opcode.stop: {
          const root = stack[0] ?? 0;
          return height === 1 && marks === 0 && this.kinds[root] === plainKind.dict ? root : 0;
        }
        default:
          return 0;
      }
    }
    return 0;
  }

  /** The value of a key in a dict; 0 where there is none. */
  valueOf(dict: number, key: string): number {
    for (let child = this.firsts[dict] ?? 0; child !== 0; ) {
      const value = this.nexts[child] ?? 0;
      if (this.#isText(child, key)) return value;
      child = this.nexts[value] ?? 0;
    }
    return 0;
  }

  /** Whether `bool(value)` is `True`. */
  isTruthy(node: number): boolean {
    const first = this.firsts[node] ?? 0;
    switch (this.kinds[node]) {
      case plainKind.true:
        return true;
      case plainKind.int:
        return first !== 0;
      case plainKind.float:
        return this.floats[node] !== 0;
      case plainKind.text:
      case plainKind.byteText:
        return this.lasts[node] !== first;
      case plainKind.list:
      case plainKind.tuple:
      case plainKind.dict:
        return first !== 0;
      default:
        return false;
    }
  }

  #add(kind: number, first: number, last: number): number {
    const node = ++this.#nodes;
    this.kinds[node] = kind;
    this.firsts[node] = first;
    this.lasts[node] = last;
    this.nexts[node] = 0;
    return node;
  }

  /** A remembered value once more; 0 for a container, of which there is only one. */
  #again(node: number): number {
    const kind = this.kinds[node] ?? 0;
    if (node === 0 || kind >= plainKind.list) return 0;
    const copy = this.#add(kind, this.firsts[node] ?? 0, this.lasts[node] ?? 0);
    this.floats[copy] = this.floats[node] ?? 0;
    return copy;
  }

  /** Puts part of the stack into a container; tells whether it is of that kind and may hold it. */
  #fill(container: number, kind: number, from: number, end: number): boolean {
    if (this.kinds[container] !== kind) return false;
    const isDict = kind === plainKind.dict;
    if (isDict && (end - from) % 2 !== 0) return false;
    for (let place = from; place < end; place++) {
      const node = this.#stack[place] ?? 0;
      if (isDict && (place - from) % 2 === 0 && !this.#mayBeKey(node, container)) return false;
      this.#link(container, node);
    }
    return true;
  }

  #tuple(from: number, end: number): number {
    const tuple = this.#add(plainKind.tuple, 0, 0);
    for (let place = from; place < end; place++) this.#link(tuple, this.#stack[place] ?? 0);
    this.#stack[from] = tuple;
    return from + 1;
  }

  #link(container: number, node: number): void {
    const last = this.lasts[container] ?? 0;
    if (last === 0) this.firsts[container] = node;
    else this.nexts[last] = node;
    this.lasts[container] = node;
  }

  /** Whether a value is a text that a dict does not have as a key, and not the one that makes dicts special. */
  #mayBeKey(node: number, dict: number): boolean {
    const kind = this.kinds[node];
    if ((kind !== plainKind.text && kind !== plainKind.byteText) || this.#isText(node, "_type")) return false;
    for (let key = this.firsts[dict] ?? 0; key !== 0; key = this.nexts[this.nexts[key] ?? 0] ?? 0) {
      if (this.#isSameText(key, node)) return false;
    }
    return true;
  }

  #isSameText(one: number, other: number): boolean {
    const { bytes, firsts, lasts } = this;
    const [start, otherStart] = [firsts[one] ?? 0, firsts[other] ?? 0];
    const length = (lasts[one] ?? 0) - start;
    if ((lasts[other] ?? 0) - otherStart !== length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] !== bytes[otherStart + index]) return false;
    }
    return true;
  }

  /** Whether a text is one of ASCII. */
  #isText(node: number, text: string): boolean {
    const start = this.firsts[node] ?? 0;
    if ((this.lasts[node] ?? 0) - start !== text.length) return false;
    for (let index = 0; index < text.length; index++) {
      if (this.bytes[start + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  #int32(at: number): number {
    const { bytes } = this;
    return (
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    );
  }

  #double(at: number): number {
    for (let index = 0; index < 8; index++) this.#float.setUint8(index, this.bytes[at + index] ?? 0);
    return this.#float.getFloat64(0);
  }
}
