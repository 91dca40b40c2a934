import { isAscii } from "node:buffer";
import { DecodeError, ForeignNameError, maxContainers } from "../decode-error.js";
import { parseFloatText, parseIntText, parseLittleEndianInt, parseLongText, parseMemoText } from "../python-int.js";
import {
  addItem,
  isHashable,
  isKind,
  newDict,
  type PythonInstance,
  type PythonMultiDict,
  type PythonName,
  type PythonTuple,
  type PythonValue,
  type SplitText,
  setItem,
} from "../python-value.js";
import { decodeStrictUtf8, decodeUtf8 } from "../utf8.js";
import { ByteReader } from "./byte-reader.js";
import { type Construction, copyOf, knownName } from "./known-names.js";
import { Memo } from "./memo.js";
import { opcode } from "./opcodes.js";
import { decodeRecurring } from "./recurring-texts.js";
import { decodeRawUnicodeEscape, unquoteBytes } from "./text-escapes.js";

const highestProtocol = 5;
/** Picklers count from 0 or 1; Python would allocate a table as long as the highest number. */
const maxMemoNumber = 2 ** 24;

/** Opcodes that need something outside the file, with the name that the refusal gives them. */
const foreignOpcodes: ReadonlyMap<number, string> = new Map([
  [opcode.persid, "a persistent id (PERSID)"],
  [opcode.binpersid, "a persistent id (BINPERSID)"],
  [opcode.ext1, "an extension code (EXT1)"],
  [opcode.ext2, "an extension code (EXT2)"],
  [opcode.ext4, "an extension code (EXT4)"],
  [opcode.nextBuffer, "an out-of-band buffer (NEXT_BUFFER)"],
  [opcode.readonlyBuffer, "an out-of-band buffer (READONLY_BUFFER)"],
]);

/**
 * Reads a pickle of protocol 0 to 5 as data: no name in it is imported, called or looked up.
 * Ignores bytes after its end, as Python does.
 *
 * @throws DecodeError for what no session can hold, and for more than `maxOpcodes` opcodes.
 */
export function unpickle(bytes: Buffer, maxOpcodes: number): PythonValue {
  return new Unpickler(bytes, maxOpcodes).load();
}

/** The pickle machine: a stack divided by marks, and a memo [CPython, pickletools.py]. */
class Unpickler {
  readonly #reader: ByteReader;
  readonly #stack: PythonValue[] = [];
  readonly #marks: number[] = [];
  /** The stack's length at the last mark: opcodes cannot reach below it. */
  #fence = 0;
  readonly #memo = new Memo();
  // Made on demand: most sessions need none of these three, and making them costs a tenth of the
  // reading.
  #unknownNames: Set<PythonName> | undefined;
  #interned: Map<string, object> | undefined;
  #constructionMade: Construction | undefined;
  #copiesLeft: number;
  #stepsLeft: number;
  #containersLeft = maxContainers;

  constructor(bytes: Buffer, maxOpcodes: number) {
    this.#reader = new ByteReader(bytes);
    this.#stepsLeft = maxOpcodes;
    // A pickler copies nothing twice, so an honest file cannot make the reader copy more than it
    // holds.
    this.#copiesLeft = 2 * bytes.length;
  }

  get #construction(): Construction {
    this.#constructionMade ??= {
      intern: (text) => this.#intern(text, () => ({})),
      spend: (items) => {
        this.#copiesLeft -= items;
        if (this.#copiesLeft < 0) throw new DecodeError("too-large", "too many copies", this.#reader.at);
      },
    };
    return this.#constructionMade;
  }

  load(): PythonValue {
    for (;;) {
      const code = this.#reader.byte();
      if (code === opcode.stop) break;
      if (this.#stepsLeft-- === 0) throw new DecodeError("too-large", "too many opcodes", this.#reader.at);
      this.#step(code);
    }
    const value = this.#pop();
    for (const name of this.#unknownNames ?? []) throw new ForeignNameError(name);
    return value;
  }

  #step(code: number): void {
    const reader = this.#reader;
    switch (code) {
      case opcode.binput:
        this.#remember(reader.byte());
        return;
      case opcode.memoize:
        this.#remember(this.#memo.size);
        return;
      case opcode.binunicode:
        this.#pushText(reader.uint32());
        return;
      case opcode.shortBinunicode:
        this.#pushText(reader.byte());
        return;
      case opcode.binget:
        this.#pushRemembered(reader.byte());
        return;
      case opcode.none:
        this.#stack.push(null);
        return;
      case opcode.newtrue:
        this.#stack.push(true);
        return;
      case opcode.newfalse:
        this.#stack.push(false);
        return;
      case opcode.binint1:
        this.#stack.push(reader.byte());
        return;
      case opcode.binint2:
        this.#stack.push(reader.bytes.readUInt16LE(reader.take(2)));
        return;
      case opcode.binint:
        this.#stack.push(reader.bytes.readInt32LE(reader.take(4)));
        return;
      case opcode.binfloat:
        this.#pushFloat(reader.bytes.readDoubleBE(reader.take(8)));
        return;
      case opcode.mark:
        this.#marks.push(this.#stack.length);
        this.#fence = this.#stack.length;
        return;
      case opcode.emptyDict:
        this.#stack.push(this.#counted(newDict()));
        return;
      case opcode.setitems:
        this.#setItems(this.#popMark());
        return;
      case opcode.setitem: {
        const value = this.#pop();
        this.#setItems([this.#pop(), value]);
        return;
      }
      case opcode.emptyList:
        this.#stack.push(this.#counted([]));
        return;
      case opcode.appends:
        this.#append(this.#popMark());
        return;
      case opcode.append:
        this.#append([this.#pop()]);
        return;
      case opcode.emptyTuple:
        this.#pushTuple([]);
        return;
      case opcode.tuple:
        this.#pushTuple(this.#popMark());
        return;
      case opcode.tuple1:
        this.#pushTuple([this.#pop()]);
        return;
      case opcode.tuple2: {
        const second = this.#pop();
        this.#pushTuple([this.#pop(), second]);
        return;
      }
      case opcode.tuple3: {
        const third = this.#pop();
        const second = this.#pop();
        this.#pushTuple([this.#pop(), second, third]);
        return;
      }
      case opcode.proto: {
        const version = reader.byte();
        if (version > highestProtocol) throw this.#corrupt(`protocol ${version}`);
        return;
      }
      case opcode.frame:
        reader.enterFrame();
        return;
      case opcode.longBinget:
        this.#pushRemembered(reader.uint32());
        return;
      case opcode.longBinput:
        this.#remember(reader.uint32());
        return;
      case opcode.emptySet:
        this.#stack.push(this.#counted({ kind: "set", items: new Map(), frozen: false }));
        return;
      case opcode.additems:
        this.#addItems(this.#popMark());
        return;
      case opcode.frozenset: {
        const made = { kind: "set", items: new Map(), frozen: true } as const;
        for (const item of this.#popMark()) addItem(made, item);
        this.#stack.push(this.#counted(made));
        return;
      }
      case opcode.pop:
        this.#discard();
        return;
      case opcode.popMark:
        this.#popMark();
        return;
      case opcode.dup:
        this.#stack.push(this.#top());
        return;
      case opcode.list:
        this.#stack.push(this.#counted(this.#popMark()));
        return;
      case opcode.dict: {
        const items = this.#popMark();
        this.#stack.push(this.#counted(newDict()));
        this.#setItems(items);
        return;
      }
      default:
        this.#rareStep(code);
    }
  }

  /** Opcodes of other builds and older protocols, and those for names. */
  #rareStep(code: number): void {
    const reader = this.#reader;
    switch (code) {
      case opcode.global:
        this.#pushName(nameLine(reader), nameLine(reader));
        return;
      case opcode.stackGlobal: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== "string" || typeof module !== "string") throw this.#corrupt("a name that is not text");
        this.#pushName(module, name);
        return;
      }
      case opcode.reduce: {
        const args = this.#pop();
        this.#call(this.#pop(), isKind(args, "tuple") ? args.items : undefined);
        return;
      }
      case opcode.newobj: {
        const args = this.#pop();
        this.#make(this.#pop(), isKind(args, "tuple") ? args.items : undefined);
        return;
      }
      case opcode.newobjEx: {
        const [, , type] = [this.#pop(), this.#pop(), this.#pop()];
        this.#make(type, undefined);
        return;
      }
      case opcode.build:
        this.#build(this.#pop());
        return;
      case opcode.inst: {
        this.#pushName(nameLine(reader), nameLine(reader));
        const name = this.#pop();
        this.#call(name, this.#popMark());
        return;
      }
      case opcode.obj: {
        const [type, ...args] = this.#popMark();
        if (type === undefined) throw this.#corrupt("an object without a type");
        this.#call(type, args);
        return;
      }
      case opcode.shortBinbytes:
        this.#pushBytes(reader.byte(), false);
        return;
      case opcode.binbytes:
        this.#pushBytes(reader.uint32(), false);
        return;
      case opcode.binbytes8:
        this.#pushBytes(reader.length8(), false);
        return;
      case opcode.bytearray8:
        this.#pushBytes(reader.length8(), true);
        return;
      case opcode.binunicode8:
        this.#pushText(reader.length8());
        return;
      case opcode.shortBinstring:
        this.#pushByteText(reader.byte());
        return;
      case opcode.binstring:
        this.#pushByteText(this.#signedLength());
        return;
      case opcode.long1:
        this.#pushLong(reader.byte());
        return;
      case opcode.long4:
        this.#pushLong(this.#signedLength());
        return;
      default:
        this.#textStep(code);
    }
  }

  /** Opcodes of protocol 0, whose argument is a line of text. */
  #textStep(code: number): void {
    const reader = this.#reader;
    switch (code) {
      case opcode.put: {
        const index = this.#required(parseMemoText(reader.line()), "memo number");
        if (index < 0) throw this.#corrupt("a negative memo number");
        this.#remember(index);
        return;
      }
      case opcode.get:
        this.#pushRemembered(this.#required(parseMemoText(reader.line()), "memo number"));
        return;
      case opcode.int:
        this.#stack.push(this.#required(parseIntText(reader.line()), "int"));
        return;
      case opcode.long:
        this.#stack.push(this.#required(parseLongText(reader.line()), "int"));
        return;
      case opcode.float:
        this.#pushFloat(this.#required(parseFloatText(reader.line()), "float"));
        return;
      case opcode.string:
        this.#stack.push(this.#byteText(this.#required(unquoteBytes(reader.line()), "string literal")));
        return;
      case opcode.unicode: {
        const text = decodeRawUnicodeEscape(reader.line(), this.#splitText);
        this.#stack.push(this.#required(text, "text"));
        return;
      }
      default: {
        const foreign = foreignOpcodes.get(code);
        if (foreign !== undefined) throw new DecodeError("unsupported-type", foreign, reader.at - 1);
        throw this.#corrupt("an unknown opcode");
      }
    }
  }

  #pop(): PythonValue {
    const value = this.#stack.length > this.#fence ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.#corrupt("an empty stack");
    return value;
  }

  #top(): PythonValue {
    const value = this.#stack.length > this.#fence ? this.#stack.at(-1) : undefined;
    if (value === undefined) throw this.#corrupt("an empty stack");
    return value;
  }

  #popMark(): PythonValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#corrupt("no mark");
    this.#fence = this.#marks.at(-1) ?? 0;
    return this.#stack.splice(mark);
  }

  /** POP drops the top value, or the mark if nothing lies above it. */
  #discard(): void {
    if (this.#stack.length > this.#fence || this.#marks.length === 0) this.#pop();
    else this.#popMark();
  }

  #setItems(items: readonly PythonValue[]): void {
    const top = this.#top();
    if (items.length === 0) return;
    const target = this.#filled(top, false);
    if (!isKind(target, "dict") && !isFillable(target)) throw this.#corrupt("items for something that is not a dict");
    if (items.length % 2 !== 0) throw this.#corrupt("a key without a value");
    for (let index = 0; index < items.length; index += 2) {
      // The length is even, so both are there.
      const key = items[index] as PythonValue;
      const value = items[index + 1] as PythonValue;
      if (target.kind === "dict") setItem(target, key, value);
      else setItem(target.lists, key, [value]);
    }
  }

  /** What takes the items. An instance of an unknown class becomes what its first items need. */
  #filled(target: PythonValue, isList: boolean): PythonValue {
    if (!isKind(target, "instance")) return target;
    target.content ??= this.#counted(isList ? [] : newDict());
    if (Array.isArray(target.content) !== isList) throw new ForeignNameError(target.type);
    this.#unknownNames?.delete(target.type);
    return target.content;
  }

  #append(items: readonly PythonValue[]): void {
    const top = this.#top();
    if (items.length === 0) return;
    const target = this.#filled(top, true);
    if (!Array.isArray(target)) throw this.#corrupt("items for something that is not a list");
    for (const item of items) target.push(item);
  }

  #addItems(items: readonly PythonValue[]): void {
    const target = this.#top();
    if (!isKind(target, "set") || target.frozen) throw this.#corrupt("items for something that is not a set");
    for (const item of items) addItem(target, item);
  }

  #pushTuple(items: readonly PythonValue[]): void {
    const tuple: PythonTuple = { kind: "tuple", items, hashable: items.every(isHashable) };
    this.#stack.push(this.#counted(tuple));
  }

  #pushFloat(value: number): void {
    this.#stack.push({ kind: "float", value });
  }

  #remember(index: number | bigint): void {
    if (index > maxMemoNumber) throw this.#corrupt("a memo number that is too large");
    this.#memo.set(index, this.#top());
  }

  #pushRemembered(index: number | bigint): void {
    this.#stack.push(this.#required(this.#memo.get(index), "memo number"));
  }

  #pushText(length: number): void {
    const start = this.#reader.take(length);
    const text = decodeRecurring(this.#reader.bytes, start, start + length, this.#splitText);
    this.#stack.push(this.#required(text, "text"));
  }

  #pushByteText(length: number): void {
    const start = this.#reader.take(length);
    this.#stack.push(this.#byteText(this.#reader.bytes.subarray(start, start + length)));
  }

  /** A Python 2 `str`: text if it is ASCII, else perhaps UTF-8, perhaps the state of a date. */
  #byteText(bytes: Buffer): PythonValue {
    if (isAscii(bytes)) return bytes.toString("latin1");
    return { kind: "byte-text", bytes, text: decodeUtf8(bytes, 0, bytes.length, this.#splitText) };
  }

  #pushBytes(length: number, mutable: boolean): void {
    const start = this.#reader.take(length);
    this.#stack.push({ kind: "bytes", bytes: this.#reader.bytes.subarray(start, start + length), mutable });
  }

  #pushLong(length: number): void {
    const start = this.#reader.take(length);
    this.#stack.push(parseLittleEndianInt(this.#reader.bytes.subarray(start, start + length)));
  }

  #signedLength(): number {
    const length = this.#reader.bytes.readInt32LE(this.#reader.take(4));
    if (length < 0) throw this.#corrupt("a negative length");
    return length;
  }

  #pushName(module: string, name: string): void {
    const value: PythonName = { kind: "name", module, name };
    if (knownName(value) === undefined) {
      this.#unknownNames ??= new Set();
      this.#unknownNames.add(value);
    }
    this.#stack.push(value);
  }

  #call(target: PythonValue, args: readonly PythonValue[] | undefined): void {
    if (!isKind(target, "name")) throw this.#corrupt("a call of something that is not a name");
    const known = knownName(target);
    if (known === undefined) throw new ForeignNameError(target);
    if (args === undefined) throw this.#corrupt("a call without a tuple of arguments");
    const value = known.call(args, this.#construction);
    if (value === undefined) throw this.#corrupt(`${target.name} with arguments that no pickler writes`);
    this.#forgiveFactory(target, args);
    this.#stack.push(this.#counted(value));
  }

  /** A `defaultdict` may have any name as its factory: nothing calls it. */
  #forgiveFactory(target: PythonName, args: readonly PythonValue[]): void {
    const [factory] = args;
    if (target.name === "defaultdict" && isKind(factory, "name")) this.#unknownNames?.delete(factory);
  }

  /** NEWOBJ. An instance of an unknown class may be a dict or a list; its items will show. */
  #make(type: PythonValue, args: readonly PythonValue[] | undefined): void {
    if (!isKind(type, "name")) throw this.#corrupt("an object whose class is not a name");
    const known = knownName(type);
    if (known === undefined) {
      if (args?.length !== 0) throw new ForeignNameError(type);
      this.#stack.push(this.#counted<PythonInstance>({ kind: "instance", type, content: undefined }));
      return;
    }
    const made = args && known.make?.(args, this.#construction);
    if (made === undefined) throw this.#corrupt(`${type.name} made in a way that no pickler uses`);
    this.#stack.push(this.#counted(made));
  }

  #build(state: PythonValue): void {
    const target = this.#top();
    if (isKind(target, "instance")) throw new ForeignNameError(target.type);
    if (isKind(target, "dict") && target.attributes !== undefined && isKind(state, "dict")) {
      // Python would call this attribute instead of the dict's own method.
      if (state.values.has("items"))
        throw new DecodeError("unsupported-type", "an OrderedDict with an attribute items");
      if (state.values.size > 0) target.attributes = true;
      return;
    }
    if (!isFillable(target) || !isKind(state, "dict")) throw this.#corrupt("a state that no pickler writes");
    // `MultiDict.__setstate__` with `{key: [value, ...]}` [werkzeug/datastructures.py].
    target.lists = copyOf(state, this.#construction);
  }

  readonly #splitText: SplitText = (text, splits) =>
    this.#intern(`split ${splits.join()} ${text}`, () => ({ kind: "split-text", text }));

  /** Returns one object per text. A text begins with its kind, so the type is right. */
  #intern<T extends object>(text: string, make: () => T): T {
    this.#interned ??= new Map();
    const known = this.#interned.get(text);
    if (known !== undefined) return known as T;
    const made = make();
    this.#interned.set(text, made);
    return made;
  }

  /** Counts a value that takes far more memory than the opcode that made it. */
  #counted<T>(container: T): T {
    if (this.#containersLeft-- === 0)
      throw new DecodeError("too-large", `more than ${maxContainers} containers`, this.#reader.at);
    return container;
  }

  #required<T>(value: T | undefined, what: string): T {
    if (value === undefined) throw this.#corrupt(`invalid ${what}`);
    return value;
  }

  #corrupt(what: string): DecodeError {
    return new DecodeError("corrupt", what, this.#reader.at);
  }
}

function isFillable(value: PythonValue): value is PythonMultiDict {
  return isKind(value, "multi-dict") && value.fillable;
}

/** A module or a name: a line of UTF-8 that is not empty. */
function nameLine(reader: ByteReader): string {
  const line = reader.line();
  if (line === "") throw new DecodeError("corrupt", "an empty name", reader.at);
  const name = decodeStrictUtf8(Buffer.from(line, "latin1"));
  if (name === undefined) throw new DecodeError("corrupt", "a name that is not UTF-8");
  return name;
}
