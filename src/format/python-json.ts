import { DecodeError, ForeignNameError, maxDepth } from "./decode-error.js";
import { floatRepr } from "./float-repr.js";
import { isPlainUnit, maxEscapeLength, quote, writeAscii, writeEscape } from "./json-bytes.js";
import {
  isKind,
  keyOf,
  type PythonDict,
  type PythonInstance,
  type PythonObject,
  type PythonSet,
  type PythonValue,
  textOf,
} from "./python-value.js";
import { firstValues, isReadable, tagOf } from "./tagged-dict.js";

/** The most bytes that a chunk holds. */
const chunkLength = 1 << 16;
/** Every call writes into this one buffer: allocating one would cost more than the writing. */
const scratch = Buffer.allocUnsafe(chunkLength);

export interface PythonJson {
  /** Printable ASCII only. */
  readonly text: string;
  /**
   * Whether reading the text back gives other values than Python had: text for other keys, lists
   * for tuples, only the first values of a multi-dict.
   */
  readonly lossy: boolean;
}

/**
 * Writes what Python's `json.dumps(value, cls=<the applet's encoder>)` writes.
 *
 * @throws DecodeError for what Python refuses, for what the applet could not read back, for more
 * than `maxDepth` levels and for more than `maxLength` characters.
 */
export function writePythonJson(value: PythonValue, maxLength: number): PythonJson {
  const writer = new JsonWriter(maxLength);
  writer.value(value, 0);
  return { text: writer.finish(), lossy: writer.lossy };
}

class JsonWriter {
  lossy = false;
  /** How many bytes of the scratch buffer are written but not yet in a chunk. */
  #length = 0;
  readonly #chunks: Buffer[] = [];
  #chunksLength = 0;
  readonly #maxLength: number;
  /** The containers around the current value, outermost first. */
  readonly #path: object[] = [];

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  finish(): string {
    if (this.#chunks.length === 0) return scratch.toString("latin1", 0, this.#length);
    this.#cutChunk();
    return Buffer.concat(this.#chunks).toString("latin1");
  }

  value(value: PythonValue, depth: number): void {
    switch (typeof value) {
      case "string":
        this.#string(value, depth);
        return;
      case "boolean":
        this.#ascii(value ? "true" : "false");
        return;
      case "number":
      case "bigint":
        this.#ascii(String(value));
        return;
    }
    if (value === null) this.#ascii("null");
    else if (Array.isArray(value)) this.#list(value, value, depth);
    else this.#object(value, depth);
  }

  #object(value: PythonObject, depth: number): void {
    switch (value.kind) {
      case "dict":
        this.#dict(value, value, depth);
        return;
      case "float":
        this.#ascii(floatRepr(value.value));
        return;
      case "tuple":
        this.lossy = true;
        this.#list(value.items, value, depth);
        return;
      case "date-time":
        if (value.unreadable !== undefined) throw new DecodeError("unsupported-type", value.unreadable);
        this.#ascii(`{"_type": "${value.type}", "value": "${value.iso}"}`);
        return;
      case "set":
        this.#set(value, depth);
        return;
      case "multi-dict":
        this.lossy = true;
        this.#multiDict(value.lists, value, depth);
        return;
      case "instance":
        this.#instance(value, depth);
        return;
      case "split-text":
        this.#string(value.text, depth);
        return;
      case "byte-text":
        this.#string(requireText(value), depth);
        return;
      case "bytes":
        throw new DecodeError("unsupported-type", value.mutable ? "bytearray" : "bytes");
      case "time-zone":
        throw new DecodeError("unsupported-type", "a time zone as a value");
      case "duration":
        throw new DecodeError("unsupported-type", "datetime.timedelta");
      case "name":
        throw new ForeignNameError(value);
    }
  }

  /** `json.dumps` writes an instance of a dict or list subclass as a dict or list. */
  #instance({ type, content }: PythonInstance, depth: number): void {
    if (content === undefined) throw new ForeignNameError(type);
    this.lossy = true;
    if (Array.isArray(content)) this.#list(content, content, depth);
    else this.#dict(content, content, depth);
  }

  #dict(dict: PythonDict, identity: object, depth: number): void {
    this.#enter(identity, depth);
    const tag = tagOf(dict);
    if (tag !== undefined) {
      if (!isReadable(dict, tag))
        throw new DecodeError("unsupported-type", `a dict with the tag ${tag} but no readable value`);
      this.lossy = true;
    }
    if (dict.attributes) this.lossy = true;
    this.#ascii("{");
    let isFirst = true;
    for (const [key, item] of dict.values) {
      if (isFirst) isFirst = false;
      else this.#ascii(", ");
      if (typeof key === "string" && dict.keys === undefined) this.#string(key, depth);
      else this.#key(keyOf(dict, key), depth);
      this.#ascii(": ");
      this.value(item, depth + 1);
      this.#checkLength(depth);
    }
    this.#ascii("}");
  }

  #multiDict(lists: PythonDict, identity: object, depth: number): void {
    for (const list of lists.values.values()) {
      if (!Array.isArray(list))
        throw new DecodeError("unsupported-type", "a multi-dict with a value that is not a list");
      if (list.length === 0) throw new DecodeError("unsupported-type", "a multi-dict with a key that has no value");
    }
    this.#dict(firstValues(lists), identity, depth);
  }

  #list(items: readonly PythonValue[], identity: object, depth: number): void {
    this.#enter(identity, depth);
    this.#ascii("[");
    let isFirst = true;
    for (const item of items) {
      if (isFirst) isFirst = false;
      else this.#ascii(", ");
      this.value(item, depth + 1);
      this.#checkLength(depth);
    }
    this.#ascii("]");
  }

  #set(set: PythonSet, depth: number): void {
    if (set.frozen) throw new DecodeError("unsupported-type", "frozenset");
    const items = [...set.items.values()];
    if (items.some((item) => isKind(item, "tuple"))) {
      throw new DecodeError("unsupported-type", "a set that holds a tuple");
    }
    this.#enter(set, depth);
    this.#ascii('{"_type": "set", "value": ');
    this.#list(items, items, depth + 1);
    this.#ascii("}");
  }

  /** Writes a key, as text even if it is none: `json.dumps` does the same. */
  #key(key: PythonValue, depth: number): void {
    const text = textOf(key);
    if (text !== undefined) {
      this.#string(text, depth);
      return;
    }
    this.lossy = true;
    this.#ascii(`"${keyText(key)}"`);
  }

  #string(text: string, depth: number): void {
    const { length } = text;
    this.#checkLength(depth, length);
    if (maxEscapeLength * (length + 1) <= chunkLength - this.#length) {
      scratch[this.#length] = quote;
      const end = writeCharacters(text, 0, length, this.#length + 1);
      scratch[end] = quote;
      this.#length = end + 1;
      return;
    }
    this.#byte(quote);
    for (let from = 0; from < length; ) {
      // Checks the size bit by bit: escapes can take six times as many bytes as the text has
      // characters.
      const end = Math.min(length, from + this.#room(depth));
      this.#length = writeCharacters(text, from, end, this.#length);
      from = end;
    }
    this.#room(depth);
    this.#byte(quote);
  }

  /** How many characters fit even if each needs an escape; always at least one. */
  #room(depth: number): number {
    if (this.#length + 2 * maxEscapeLength > chunkLength) this.#cutChunk();
    this.#checkLength(depth);
    return Math.floor((chunkLength - this.#length) / maxEscapeLength) - 1;
  }

  #byte(byte: number): void {
    if (this.#length === chunkLength) this.#cutChunk();
    scratch[this.#length++] = byte;
  }

  /** Writes printable ASCII that needs no escapes. */
  #ascii(text: string): void {
    if (this.#length + text.length > chunkLength) this.#cutChunk();
    this.#length = writeAscii(scratch, text, this.#length);
  }

  #enter(container: object, depth: number): void {
    if (depth >= maxDepth) {
      this.#refuseCycle(depth);
      throw new DecodeError("too-deep", `more than ${maxDepth} levels`);
    }
    this.#path[depth] = container;
  }

  #checkLength(depth: number, more = 0): void {
    if (more + this.#length + this.#chunksLength > this.#maxLength) this.#tooLarge(depth);
  }

  #cutChunk(): void {
    this.#chunks.push(Buffer.from(scratch.subarray(0, this.#length)));
    this.#chunksLength += this.#length;
    this.#length = 0;
  }

  #tooLarge(depth: number): never {
    this.#refuseCycle(depth);
    throw new DecodeError("too-large", `more than ${this.#maxLength} bytes of JSON`);
  }

  /** Data that is too deep or too large may have no end: checks for a cycle before refusing it. */
  #refuseCycle(depth: number): void {
    const path = this.#path.slice(0, depth + 1);
    if (new Set(path).size < path.length) throw new DecodeError("circular", "a value that contains itself");
  }
}

/** Writes characters into the scratch buffer, which has room, and returns the offset after them. */
function writeCharacters(text: string, from: number, end: number, offset: number): number {
  let at = offset;
  for (let index = from; index < end; index++) {
    const unit = text.charCodeAt(index);
    if (isPlainUnit(unit)) scratch[at++] = unit;
    else at = writeEscape(scratch, unit, at);
  }
  return at;
}

function keyText(key: PythonValue): string {
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean" || key === null)
    return String(key);
  if (isKind(key, "float")) return floatRepr(key.value);
  throw new DecodeError("unsupported-type", "a dict key that JSON cannot hold");
}

function requireText(value: PythonValue): string {
  const text = textOf(value);
  if (text === undefined) throw new DecodeError("unsupported-type", "a Python 2 byte string that is not UTF-8");
  return text;
}
