import { parseIsoText } from "../calendar.js";
import { isKind, type PythonDict, type PythonObject, type PythonValue } from "../python-value.js";
import { tagOf } from "../tagged-dict.js";
import { encodeUtf8 } from "../utf8.js";
import { opcode } from "./opcodes.js";

/** The protocols that sessions are written with: 2 for Python 2, 4 for Python 3. */
export type WrittenProtocol = 2 | 4;

/** Longer texts, in bytes, need an opcode with a longer length. */
const maxShort = 0xff;
const minSafeByte = -0x80;
const maxInt32 = 0x7fffffff;
const minInt32 = -0x80000000;
/** The buffer grows from here, bytes; larger than almost every session. */
const firstLength = 4096;

/** The buffer of the last pickle that needed no larger one. */
let scratch = Buffer.allocUnsafe(firstLength);

/**
 * Pickles what `decodeJson` read, with the applet's tagged dicts turned back into dates and sets as
 * its decoder does [session_redis/json_encoding.py]. Every tag must be readable (`writePythonJson`
 * refuses others). Returns a buffer of its own.
 */
export function writePickle(session: PythonDict, protocol: WrittenProtocol): Buffer {
  return new PickleWriter(protocol).write(session);
}

class PickleWriter {
  readonly #protocol: WrittenProtocol;
  #buffer = scratch;
  #length = 0;

  constructor(protocol: WrittenProtocol) {
    this.#protocol = protocol;
  }

  write(session: PythonDict): Buffer {
    this.#byte(opcode.proto, this.#protocol);
    // The session itself is a dict, whatever its own `_type` says.
    this.#items(session);
    this.#byte(opcode.stop);
    scratch = this.#buffer;
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #value(value: PythonValue): void {
    switch (typeof value) {
      case "string":
        this.#text(value);
        return;
      case "boolean":
        this.#byte(value ? opcode.newtrue : opcode.newfalse);
        return;
      case "number":
        this.#int(value);
        return;
      case "bigint":
        this.#long(value);
        return;
    }
    if (value === null) this.#byte(opcode.none);
    else if (Array.isArray(value)) this.#list(value);
    else this.#object(value);
  }

  /** JSON holds no other objects. */
  #object(value: PythonObject): void {
    if (value.kind === "dict") this.#dict(value);
    else if (value.kind === "float") {
      this.#byte(opcode.binfloat);
      this.#length = this.#room(8).writeDoubleBE(value.value, this.#length);
    } else throw new Error(`JSON holds no ${value.kind}`);
  }

  #dict(dict: PythonDict): void {
    const tag = tagOf(dict);
    const value = dict.values.get("value") ?? null;
    if (tag === undefined) this.#items(dict);
    else if (tag === "set") this.#set(setItems(value));
    else this.#date(String(value), tag === "date_isoformat");
  }

  #items({ values }: PythonDict): void {
    this.#byte(opcode.emptyDict);
    if (values.size === 0) return;
    this.#byte(opcode.mark);
    for (const [key, item] of values) {
      this.#text(String(key));
      this.#value(item);
    }
    this.#byte(opcode.setitems);
  }

  #list(items: readonly PythonValue[]): void {
    this.#byte(opcode.emptyList);
    if (items.length === 0) return;
    this.#byte(opcode.mark);
    for (const item of items) this.#value(item);
    this.#byte(opcode.appends);
  }

  #set(items: readonly PythonValue[]): void {
    if (this.#protocol === 2) {
      this.#global("__builtin__", "set");
      this.#list(items);
      this.#byte(opcode.tuple1, opcode.reduce);
      return;
    }
    this.#byte(opcode.emptySet, opcode.mark);
    for (const item of items) this.#value(item);
    this.#byte(opcode.additems);
  }

  /** A `date` or a `datetime`, from the state that `__reduce__` gives [CPython, datetime.py]. */
  #date(text: string, isDate: boolean): void {
    const parts = parseIsoText(text);
    if (parts === undefined) throw new Error("not a date");
    const { year, month, day, hour, minute, second, microsecond, offsetMinutes } = parts;
    const state = Buffer.of(year >> 8, year & 0xff, month, day, hour, minute, second, 0, 0, 0);
    state.writeUIntBE(microsecond, 7, 3);
    this.#global("datetime", isDate ? "date" : "datetime");
    this.#bytes(isDate ? state.subarray(0, 4) : state);
    if (isDate || offsetMinutes === undefined) this.#byte(opcode.tuple1);
    else {
      this.#zone(offsetMinutes);
      this.#byte(opcode.tuple2);
    }
    this.#byte(opcode.reduce);
  }

  /** Python 2 has no fixed zones of its own; pytz comes with every server. */
  #zone(minutes: number): void {
    if (this.#protocol === 2) {
      this.#global("pytz", "FixedOffset");
      this.#int(minutes);
    } else {
      this.#global("datetime", "timezone");
      this.#global("datetime", "timedelta");
      this.#int(0);
      this.#int(60 * minutes);
      this.#byte(opcode.tuple2, opcode.reduce);
    }
    this.#byte(opcode.tuple1, opcode.reduce);
  }

  #global(module: string, name: string): void {
    if (this.#protocol === 2) {
      this.#byte(opcode.global);
      this.#raw(Buffer.from(`${module}\n${name}\n`, "latin1"));
      return;
    }
    this.#text(module);
    this.#text(name);
    this.#byte(opcode.stackGlobal);
  }

  /** Protocol 2 has no bytes: `_codecs.encode` makes them, a `str` in Python 2. */
  #bytes(bytes: Buffer): void {
    if (this.#protocol === 2) {
      this.#global("_codecs", "encode");
      this.#text(bytes.toString("latin1"));
      this.#text("latin1");
      this.#byte(opcode.tuple2, opcode.reduce);
      return;
    }
    this.#byte(opcode.shortBinbytes, bytes.length);
    this.#raw(bytes);
  }

  #text(text: string): void {
    const bytes = encodeUtf8(text);
    if (this.#protocol === 4 && bytes.length <= maxShort) this.#byte(opcode.shortBinunicode, bytes.length);
    else this.#sized(opcode.binunicode, bytes.length);
    this.#raw(bytes);
  }

  #int(value: number): void {
    if (value >= 0 && value <= 0xff) this.#byte(opcode.binint1, value);
    else if (value >= 0 && value <= 0xffff) this.#byte(opcode.binint2, value & 0xff, value >> 8);
    else if (value >= minInt32 && value <= maxInt32) {
      this.#byte(opcode.binint);
      this.#length = this.#room(4).writeInt32LE(value, this.#length);
    } else this.#long(BigInt(value));
  }

  /** The shortest little-endian two's complement. */
  #long(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 8n) {
      bytes.push(Number(rest & 0xffn));
      if (rest < 0x80n && rest >= BigInt(minSafeByte)) break;
    }
    if (bytes.length <= maxShort) this.#byte(opcode.long1, bytes.length);
    else this.#sized(opcode.long4, bytes.length);
    this.#raw(Buffer.from(bytes));
  }

  #sized(code: number, length: number): void {
    this.#byte(code);
    this.#length = this.#room(4).writeUInt32LE(length, this.#length);
  }

  #byte(...bytes: readonly number[]): void {
    const buffer = this.#room(bytes.length);
    for (const byte of bytes) buffer[this.#length++] = byte;
  }

  #raw(bytes: Buffer): void {
    this.#length += bytes.copy(this.#room(bytes.length), this.#length);
  }

  /** The buffer, with room for this many more bytes. */
  #room(length: number): Buffer {
    if (this.#length + length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * (this.#length + length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}

/** What `set(value)` holds: the items of a list, the characters of a text, the keys of a dict. */
function setItems(value: PythonValue): readonly PythonValue[] {
  // `json.loads` makes one object of every NaN, so that a set holds it once.
  if (Array.isArray(value)) return [...new Set(value)];
  if (typeof value === "string") return [...value];
  if (!isKind(value, "dict")) throw new Error("not a set");
  if (tagOf(value) === "set") return setItems(value.values.get("value") ?? null);
  return [...value.values.keys()].map(String);
}
