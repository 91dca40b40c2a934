import { showable } from "../model/showable.js";
import { DecodeError } from "./decode-error.js";
import { floatRepr } from "./float-repr.js";
import { deepestLevel } from "./limits.js";
import {
  isKind,
  keyOf,
  type PythonDict,
  type PythonObject,
  type PythonSet,
  type PythonValue,
  textOf,
} from "./python-value.js";
import { firstValues, isReadable, tagOf } from "./tagged-dict.js";

/** Text is escaped in pieces of this many characters, so that what is too large is found before six times its size is spent. */
const pieceLength = 1 << 16;

/** Characters that are written before they become a chunk. */
const chunkLength = 1 << 16;

const needsEscape = /[^\x20-\x7e]|["\\]/;
const escapable = /[^\x20-\x7e]|["\\]/g;
const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

export interface PythonJson {
  /** Printable ASCII only. */
  readonly text: string;
  /** Whether reading it back gives something else than Python had: other key types, lists for tuples, first values of a multi-dict. */
  readonly lossy: boolean;
}

/**
 * What Python's `json.dumps(value, cls=<the applet's encoder>)` writes. Throws `DecodeError` for what it refuses, for what the applet
 * could not read back, and for more than 500 levels or `maxLength` characters.
 */
export function writePythonJson(value: PythonValue, maxLength: number): PythonJson {
  const writer = new JsonWriter(maxLength);
  writer.value(value, 0);
  return { text: writer.finish(), lossy: writer.lossy };
}

class JsonWriter {
  lossy = false;
  /** What was written last, not yet one of the chunks. */
  text = "";
  readonly #chunks: Buffer[] = [];
  #chunksLength = 0;
  readonly #maxLength: number;
  /** The containers that the current value stands in, outermost first. */
  readonly #path: object[] = [];

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  finish(): string {
    if (this.#chunks.length === 0) return this.text;
    return Buffer.concat([...this.#chunks, Buffer.from(this.text, "latin1")]).toString("latin1");
  }

  value(value: PythonValue, depth: number): void {
    switch (typeof value) {
      case "string":
        this.#string(value, depth);
        return;
      case "number":
      case "bigint":
      case "boolean":
        this.text += value;
        return;
    }
    if (value === null) this.text += "null";
    else if (Array.isArray(value)) this.#list(value, value, depth);
    else this.#object(value, depth);
  }

  #object(value: PythonObject, depth: number): void {
    switch (value.kind) {
      case "dict":
        this.#dict(value, value, depth);
        return;
      case "float":
        this.text += floatRepr(value.value);
        return;
      case "tuple":
        this.lossy = true;
        this.#list(value.items, value, depth);
        return;
      case "date-time":
        if (value.unreadable !== undefined) throw new DecodeError("unsupported-type", value.unreadable);
        this.text += `{"_type": "${value.type}", "value": "${value.iso}"}`;
        return;
      case "set":
        this.#set(value, depth);
        return;
      case "multi-dict":
        this.lossy = true;
        this.#multiDict(value.lists, value, depth);
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
        throw new DecodeError("unsupported-type", showable(`${value.module}.${value.name}`));
    }
  }

  #dict(dict: PythonDict, identity: object, depth: number): void {
    this.#enter(identity, depth);
    const tag = tagOf(dict);
    if (tag !== undefined) {
      if (!isReadable(dict, tag))
        throw new DecodeError("unsupported-type", `a dict that names itself ${tag} without a readable value`);
      this.lossy = true;
    }
    let separator = "{";
    for (const [key, item] of dict.values) {
      this.text += separator;
      if (typeof key === "string" && dict.keys === undefined) this.#string(key, depth);
      else this.#key(keyOf(dict, key), depth);
      this.text += ": ";
      this.value(item, depth + 1);
      this.#checkLength(depth);
      separator = ", ";
    }
    this.text += dict.values.size === 0 ? "{}" : "}";
  }

  #multiDict(lists: PythonDict, identity: object, depth: number): void {
    for (const list of lists.values.values()) {
      if (!Array.isArray(list))
        throw new DecodeError("unsupported-type", "a multi-dict with a value that is no list");
      if (list.length === 0)
        throw new DecodeError("unsupported-type", "a multi-dict with a key that has no value");
    }
    this.#dict(firstValues(lists), identity, depth);
  }

  #list(items: readonly PythonValue[], identity: object, depth: number): void {
    this.#enter(identity, depth);
    let separator = "[";
    for (const item of items) {
      this.text += separator;
      this.value(item, depth + 1);
      this.#checkLength(depth);
      separator = ", ";
    }
    this.text += items.length === 0 ? "[]" : "]";
  }

  #set(set: PythonSet, depth: number): void {
    if (set.frozen) throw new DecodeError("unsupported-type", "frozenset");
    const items = [...set.items.values()];
    for (const item of items) {
      if (isKind(item, "tuple")) {
        throw new DecodeError("unsupported-type", "a set that holds a tuple");
      }
    }
    this.#enter(set, depth);
    this.text += '{"_type": "set", "value": ';
    this.#list(items, items, depth + 1);
    this.text += "}";
  }

  /** Writes a key as text, as `json.dumps` turns one that is none. */
  #key(key: PythonValue, depth: number): void {
    if (typeof key === "string") {
      this.#string(key, depth);
      return;
    }
    const text = textOf(key);
    if (text !== undefined) {
      this.#string(text, depth);
      return;
    }
    this.lossy = true;
    this.text += `"${keyText(key)}"`;
  }

  #string(text: string, depth: number): void {
    if (text.length + this.text.length + this.#chunksLength > this.#maxLength) this.#tooLarge(depth);
    if (!needsEscape.test(text)) {
      this.text += `"${text}"`;
      return;
    }
    this.text += '"';
    for (let from = 0; from < text.length; from += pieceLength) {
      this.text += text.slice(from, from + pieceLength).replace(escapable, escapeUnit);
      this.#checkLength(depth);
    }
    this.text += '"';
  }

  #enter(container: object, depth: number): void {
    if (depth >= deepestLevel) {
      this.#refuseCycle(depth);
      throw new DecodeError("too-deep", `more than ${deepestLevel} levels`);
    }
    this.#path[depth] = container;
  }

  /** Bounds the whole, and turns a long string into a chunk: one that grew piece by piece takes many times its length. */
  #checkLength(depth: number): void {
    if (this.text.length < chunkLength && this.text.length + this.#chunksLength <= this.#maxLength) return;
    this.#chunks.push(Buffer.from(this.text, "latin1"));
    this.#chunksLength += this.text.length;
    this.text = "";
    if (this.#chunksLength > this.#maxLength) this.#tooLarge(depth);
  }

  #tooLarge(depth: number): never {
    this.#refuseCycle(depth);
    throw new DecodeError("too-large", `more than ${this.#maxLength} bytes of JSON`);
  }

  /** What has no end was found by its size or depth; a container that stands in itself says why. */
  #refuseCycle(depth: number): void {
    const path = this.#path.slice(0, depth + 1);
    if (new Set(path).size < path.length) throw new DecodeError("circular", "a value that contains itself");
  }
}

function keyText(key: PythonValue): string {
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean" || key === null)
    return String(key);
  if (isKind(key, "float")) return floatRepr(key.value);
  throw new DecodeError("unsupported-type", "a dict key that JSON cannot hold");
}

function requireText(value: PythonValue): string {
  const text = textOf(value);
  if (text === undefined)
    throw new DecodeError("unsupported-type", "a Python 2 byte string that is no UTF-8");
  return text;
}

function escapeUnit(unit: string): string {
  return shortEscapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
