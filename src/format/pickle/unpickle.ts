import { DecodeError } from "../decode-error.js";
import { mostContainers } from "../limits.js";
import {
  parseFloatText,
  parseIntText,
  parseLittleEndianInt,
  parseLongText,
  parseMemoText,
} from "../python-int.js";
import {
  addItem,
  isHashable,
  isKind,
  newDict,
  type PythonInstance,
  type PythonMultiDict,
  type PythonName,
  type PythonSplitText,
  type PythonTuple,
  type PythonValue,
  setItem,
} from "../python-value.js";
import { decodeUtf8 } from "../utf8.js";
import { ByteReader } from "./byte-reader.js";
import type { Construction } from "./construction.js";
import { knownName, unsupportedName } from "./known-names.js";
import { Memo } from "./memo.js";
import { setMultiDictItem, setMultiDictState } from "./multi-dict.js";
import { opcode } from "./opcodes.js";
import { isAscii, RecurringTexts } from "./recurring-texts.js";
import { decodeRawUnicodeEscape, unquoteBytes } from "./text-escapes.js";

const highestProtocol = 5;
/** Picklers count from 0 or 1; Python makes a table as long as the highest number. */
const highestMemoNumber = 2 ** 24;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** From one session to the next. */
const recurringTexts = new RecurringTexts();

/** Opcodes that ask for something outside the file: refused by name. */
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
 * The value that a pickle of protocol 0 to 5 holds, read as data: no name in it is imported, called or looked up. Bytes after its end
 * are ignored, as Python does. No more than `mostValues` opcodes are carried out. Throws `DecodeError`.
 */
export function unpickle(bytes: Buffer, mostValues: number): PythonValue {
  return new Unpickler(bytes, mostValues).load();
}

/** The pickle machine: a stack cut up by marks, and a memo [CPython, pickletools.py]. */
class Unpickler {
  readonly #reader: ByteReader;
  readonly #stack: PythonValue[] = [];
  readonly #marks: number[] = [];
  /** The stack's length at the last mark: what is below is out of reach. */
  #fence = 0;
  readonly #memo = new Memo();
  /** These three are absent until they are needed: most sessions need none, and making them would cost a tenth of the reading. */
  #unknownNames: Set<PythonName> | undefined;
  #interned: Map<string, object> | undefined;
  #constructionMade: Construction | undefined;
  #copiesLeft: number;
  #stepsLeft: number;
  #containersLeft = mostContainers;

  constructor(bytes: Buffer, mostValues: number) {
    this.#reader = new ByteReader(bytes);
    this.#stepsLeft = mostValues;
    // A pickler copies nothing twice: what a file makes the reader copy is no more than it holds itself.
    this.#copiesLeft = 2 * bytes.length;
  }

  get #construction(): Construction {
    this.#constructionMade ??= {
      intern: (text) => this.#intern(text, () => ({})),
      splitText: (text, splits) => this.#splitText(text, splits),
      spend: (items) => {
        this.#copiesLeft -= items;
        if (this.#copiesLeft < 0) throw new DecodeError("too-large", "copies without end", this.#reader.at);
      },
    };
    return this.#constructionMade;
  }

  load(): PythonValue {
    for (;;) {
      const code = this.#reader.byte();
      if (code === opcode.stop) break;
      if (this.#stepsLeft-- === 0) throw new DecodeError("too-large", "opcodes without end", this.#reader.at);
      this.#step(code);
    }
    const value = this.#pop();
    for (const name of this.#unknownNames ?? []) throw unsupportedName(name);
    return value;
  }

  /** Carries out one opcode. */
  #step(code: number): void {
    const reader = this.#reader;
    switch (code) {
      case opcode.binput:
        this.#memo.set(reader.byte(), this.#top());
        return;
      case opcode.memoize:
        this.#memo.set(this.#memo.size, this.#top());
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

  /** Opcodes of other builds and older protocols, and those that mention names. */
  #rareStep(code: number): void {
    const reader = this.#reader;
    switch (code) {
      case opcode.global:
        this.#pushName(nameLine(reader), nameLine(reader));
        return;
      case opcode.stackGlobal: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== "string" || typeof module !== "string")
          throw this.#corrupt("a name that is no text");
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

  /** Opcodes whose argument is a line of text: protocol 0. */
  #textStep(code: number): void {
    const reader = this.#reader;
    switch (code) {
      case opcode.put: {
        const index = this.#required(parseMemoText(reader.line()), "a memo number");
        if (index < 0) throw this.#corrupt("a negative memo number");
        this.#remember(index);
        return;
      }
      case opcode.get:
        this.#pushRemembered(this.#required(parseMemoText(reader.line()), "a memo number"));
        return;
      case opcode.int:
        this.#stack.push(this.#required(parseIntText(reader.line()), "an int"));
        return;
      case opcode.long:
        this.#stack.push(this.#required(parseLongText(reader.line()), "an int"));
        return;
      case opcode.float:
        this.#pushFloat(this.#required(parseFloatText(reader.line()), "a float"));
        return;
      case opcode.string: {
        this.#stack.push(this.#byteText(this.#required(unquoteBytes(reader.line()), "a string literal")));
        return;
      }
      case opcode.unicode: {
        const text = decodeRawUnicodeEscape(reader.line(), this.#construction.splitText);
        this.#stack.push(this.#required(text, "a text"));
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

  /** POP takes the top value, or the mark where nothing lies on it. */
  #discard(): void {
    if (this.#stack.length > this.#fence || this.#marks.length === 0) this.#pop();
    else this.#popMark();
  }

  #setItems(items: readonly PythonValue[]): void {
    const top = this.#top();
    if (items.length === 0) return;
    const target = this.#filled(top, false);
    const dict = isKind(target, "dict") ? target : this.#fillableMultiDict(target);
    if (items.length % 2 !== 0) throw this.#corrupt("a key without a value");
    for (let index = 0; index < items.length; index += 2) {
      // The length is even: both are there.
      const key = items[index] as PythonValue;
      const value = items[index + 1] as PythonValue;
      if (dict.kind === "dict") setItem(dict, key, value);
      else setMultiDictItem(dict, key, value);
    }
  }

  /** What takes the items: of an object of an unknown class what it turns out to be, once the first items come. */
  #filled(target: PythonValue, isList: boolean): PythonValue {
    if (!isKind(target, "instance")) return target;
    target.content ??= this.#counted(isList ? [] : newDict());
    if (Array.isArray(target.content) !== isList) throw unsupportedName(target.type);
    this.#unknownNames?.delete(target.type);
    return target.content;
  }

  #fillableMultiDict(target: PythonValue): PythonMultiDict {
    if (isKind(target, "multi-dict") && target.fillable) return target;
    throw this.#corrupt("items for what is no dict");
  }

  #append(items: readonly PythonValue[]): void {
    const top = this.#top();
    if (items.length === 0) return;
    const target = this.#filled(top, true);
    if (!Array.isArray(target)) throw this.#corrupt("items for what is no list");
    for (const item of items) target.push(item);
  }

  #addItems(items: readonly PythonValue[]): void {
    const target = this.#top();
    if (!isKind(target, "set") || target.frozen) throw this.#corrupt("items for what is no set");
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
    if (index > highestMemoNumber) throw this.#corrupt("a memo number beyond all use");
    this.#memo.set(Number(index), this.#top());
  }

  #pushRemembered(index: number | bigint): void {
    this.#stack.push(this.#required(this.#memo.get(index), "a memo number"));
  }

  #pushText(length: number): void {
    const { bytes } = this.#reader;
    const start = this.#reader.take(length);
    const end = start + length;
    const text =
      recurringTexts.of(bytes, start, end) ?? decodeUtf8(bytes, start, end, this.#construction.splitText);
    this.#stack.push(this.#required(text, "a text"));
  }

  #pushByteText(length: number): void {
    const start = this.#reader.take(length);
    this.#stack.push(this.#byteText(this.#reader.bytes.subarray(start, start + length)));
  }

  /** A Python 2 `str`: text where it is ASCII, else what may be text or the state of a date. */
  #byteText(bytes: Buffer): PythonValue {
    if (isAscii(bytes, 0, bytes.length)) return bytes.toString("latin1", 0, bytes.length);
    return {
      kind: "byte-text",
      bytes,
      text: decodeUtf8(bytes, 0, bytes.length, this.#construction.splitText),
    };
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
    if (!isKind(target, "name")) throw this.#corrupt("a call of what is no name");
    const known = knownName(target);
    if (known === undefined) throw unsupportedName(target);
    if (args === undefined) throw this.#corrupt("a call without a tuple of arguments");
    const value = known.call(args, this.#construction);
    if (value === undefined) throw this.#corrupt(`${target.name} with arguments that no pickler writes`);
    this.#forgiveFactory(target, args);
    this.#stack.push(this.#counted(value));
  }

  /** A `defaultdict`'s factory is never called: any name may be one. */
  #forgiveFactory(target: PythonName, args: readonly PythonValue[]): void {
    const [factory] = args;
    if (target.name === "defaultdict" && isKind(factory, "name")) this.#unknownNames?.delete(factory);
  }

  /** NEWOBJ. An object of an unknown class may be a dict or a list: what is put into it tells. */
  #make(type: PythonValue, args: readonly PythonValue[] | undefined): void {
    if (!isKind(type, "name")) throw this.#corrupt("an object of what is no name");
    const known = knownName(type);
    if (known === undefined) {
      if (args?.length !== 0) throw unsupportedName(type);
      this.#stack.push(this.#counted<PythonInstance>({ kind: "instance", type, content: undefined }));
      return;
    }
    const made = args && known.make?.(args, this.#construction);
    if (made === undefined) throw this.#corrupt(`${type.name} made as no pickler makes it`);
    this.#stack.push(this.#counted(made));
  }

  #build(state: PythonValue): void {
    const target = this.#top();
    if (isKind(target, "instance")) throw unsupportedName(target.type);
    if (isKind(target, "dict") && target.attributes !== undefined && isKind(state, "dict")) {
      // Python would call it in place of the dict's own.
      if (state.values.has("items"))
        throw new DecodeError("unsupported-type", "an OrderedDict with an attribute items");
      if (state.values.size > 0) target.attributes = true;
      return;
    }
    if (!isKind(target, "multi-dict") || !target.fillable || !isKind(state, "dict")) {
      throw this.#corrupt("a state that no pickler writes");
    }
    setMultiDictState(target, state, this.#construction);
  }

  #splitText(text: string, splits: readonly number[]): PythonSplitText {
    return this.#intern(`split ${splits.join()} ${text}`, () => ({ kind: "split-text", text }));
  }

  /** The same object for the same text; what is made for a text is always of one type. */
  #intern<T extends object>(text: string, make: () => T): T {
    this.#interned ??= new Map();
    const known = this.#interned.get(text);
    if (known !== undefined) return known as T;
    const made = make();
    this.#interned.set(text, made);
    return made;
  }

  /** Accounts for a value that takes far more memory than the opcode that made it. */
  #counted<T>(container: T): T {
    if (this.#containersLeft-- === 0)
      throw new DecodeError("too-large", `more than ${mostContainers} containers`, this.#reader.at);
    return container;
  }

  #required<T>(value: T | undefined, what: string): T {
    if (value === undefined) throw this.#corrupt(`${what} that is none`);
    return value;
  }

  #corrupt(what: string): DecodeError {
    return new DecodeError("corrupt", what, this.#reader.at);
  }
}

/** A module or a name: a line of UTF-8 that is not empty. */
function nameLine(reader: ByteReader): string {
  const line = reader.line();
  if (line === "") throw new DecodeError("corrupt", "an empty name", reader.at);
  try {
    return strictUtf8.decode(Buffer.from(line, "latin1"));
  } catch (error) {
    if (error instanceof TypeError) throw new DecodeError("corrupt", "a name that is not UTF-8");
    throw error;
  }
}
