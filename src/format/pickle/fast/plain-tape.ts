import { decodeRecurring } from "../recurring-texts.js";

/** The kinds of plain values. `byteText` is a Python 2 `str`. */
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

/** The longest pickle that a tape has room for, in bytes: no opcode makes two values. */
export const maxPlainLength = 8 * 1024;
const maxNodes = maxPlainLength + 1;
const maxKeys = 100;

/**
 * Holds the values of a plain pickle in arrays of numbers, without an object for each: `None`,
 * booleans, ints of 32 bits, floats, texts, lists, tuples, and dicts with text keys. One tape
 * serves one pickle after another. Values are numbered from 1; such a number is a node, and 0 is no
 * node.
 */
export class PlainTape {
  /** The pickle that texts point into. */
  bytes: Buffer = Buffer.alloc(0);
  readonly kinds = new Uint8Array(maxNodes);
  /** Where a text begins, an int's value, or a container's first child. */
  readonly firsts = new Int32Array(maxNodes);
  /** Where a text ends, or a container's last child. */
  readonly lasts = new Int32Array(maxNodes);
  /** The next child of the same container. In a dict, keys and values alternate. */
  readonly nexts = new Int32Array(maxNodes);
  readonly floats = new Float64Array(maxNodes);
  #nodes = 0;

  /** Empties the tape for the next pickle. */
  begin(bytes: Buffer): void {
    this.bytes = bytes;
    this.#nodes = 0;
  }

  /** Adds a value and returns its node; `firsts` and `lasts` say what `first` and `last` mean. */
  add(kind: number, first: number, last: number): number {
    const node = ++this.#nodes;
    this.kinds[node] = kind;
    this.firsts[node] = first;
    this.lasts[node] = last;
    this.nexts[node] = 0;
    return node;
  }

  addFloat(value: number): number {
    const node = this.add(plainKind.float, 0, 0);
    this.floats[node] = value;
    return node;
  }

  /** Adds a copy of a value; returns 0 for a container, which must not be copied. */
  addAgain(node: number): number {
    const kind = this.kinds[node] ?? 0;
    if (node === 0 || kind >= plainKind.list) return 0;
    const copy = this.add(kind, this.firsts[node] ?? 0, this.lasts[node] ?? 0);
    this.floats[copy] = this.floats[node] ?? 0;
    return copy;
  }

  /** Makes a value the last child of a container. */
  put(container: number, node: number): void {
    const last = this.lasts[container] ?? 0;
    if (last === 0) this.firsts[container] = node;
    else this.nexts[last] = node;
    this.lasts[container] = node;
  }

  /** Whether a dict can take a node as a key: a new text, not `_type`, few keys to search. */
  mayBeKey(node: number, dict: number): boolean {
    const kind = this.kinds[node];
    if ((kind !== plainKind.text && kind !== plainKind.byteText) || this.#isText(node, "_type")) return false;
    let keys = 0;
    for (let key = this.firsts[dict] ?? 0; key !== 0; key = this.nexts[this.nexts[key] ?? 0] ?? 0) {
      keys++;
      if (keys === maxKeys || this.#isSameText(key, node)) return false;
    }
    return true;
  }

  /** The value of a key in a dict; 0 if there is none. */
  valueOf(dict: number, key: string): number {
    for (let child = this.firsts[dict] ?? 0; child !== 0; ) {
      const value = this.nexts[child] ?? 0;
      if (this.#isText(child, key)) return value;
      child = this.nexts[value] ?? 0;
    }
    return 0;
  }

  /** A text; `undefined` for anything else. */
  textOf(node: number): string | undefined {
    const kind = this.kinds[node];
    if (node === 0 || (kind !== plainKind.text && kind !== plainKind.byteText)) return undefined;
    const [first, last] = [this.firsts[node] ?? 0, this.lasts[node] ?? 0];
    const text = decodeRecurring(this.bytes, first, last, (split) => ({ kind: "split-text", text: split }));
    return typeof text === "string" ? text : undefined;
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

  /** Whether a node is this text, which must be ASCII. */
  #isText(node: number, text: string): boolean {
    const start = this.firsts[node] ?? 0;
    if ((this.lasts[node] ?? 0) - start !== text.length) return false;
    for (let index = 0; index < text.length; index++) {
      if (this.bytes[start + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }
}
