import { DecodeError, ForeignNameError, type NamedThing } from "../decode-error.js";
import {
  addItem,
  getItem,
  isKind,
  newDict,
  type PythonBytes,
  type PythonDict,
  type PythonMultiDict,
  type PythonSet,
  type PythonValue,
  setItem,
} from "../python-value.js";
import {
  dateOfState,
  dateTimeOfState,
  duration,
  timeZone,
  timeZoneOfName,
  timeZoneOfSeconds,
} from "./python-datetime.js";

/** What building a value needs from the pickle machine. */
export interface Construction {
  /** Returns the same object for the same text. */
  readonly intern: (text: string) => object;
  /** Counts items that are copied. Throws `DecodeError` if a small file keeps copying. */
  readonly spend: (items: number) => void;
}

/** A name that a pickle may call, and the data that the call stands for. */
export interface KnownName {
  /** Returns `undefined` for arguments that no pickler writes. */
  readonly call: (args: readonly PythonValue[], construction: Construction) => PythonValue | undefined;
  /** What NEWOBJ makes; absent if no pickler uses NEWOBJ for this name. */
  readonly make?: KnownName["call"];
}

const set: KnownName = { call: (args, construction) => setOf(args, false, construction) };
const frozenset: KnownName = { call: (args, construction) => setOf(args, true, construction) };
const bytes: KnownName = {
  call: (args) => (args.length === 0 ? { kind: "bytes", bytes: Buffer.alloc(0), mutable: false } : undefined),
};
const bytearray: KnownName = { call: bytearrayOf };
/** Only used as arguments: the bases in `copyreg._reconstructor`. */
const dict: KnownName = { call: () => undefined };
const str: KnownName = { call: () => undefined };
const getattr: KnownName = { call: attribute };
const markup: KnownName = { call: textOfMarkup, make: textOfMarkup };
const orderedDict: KnownName = { call: dictOfPairs };
/** Ignores the factory, which may be any name. */
const defaultdict: KnownName = {
  call: ([factory = null, ...more]) =>
    (factory === null || isKind(factory, "name")) && more.length === 0 ? newDict() : undefined,
};
const counter: KnownName = { call: dictOfDict };
const multiDict: KnownName = {
  call: (args, construction) => multiDictOf(args, true, construction),
  make: (args, construction) => (args.length === 0 ? multiDictOf([], true, construction) : undefined),
};
const finishedMultiDict: KnownName = { call: (args, construction) => multiDictOf(args, false, construction) };
const zoneInfo: KnownName = { call: () => undefined };
/** `zoneinfo.ZoneInfo._unpickle(name, from_cache)`. */
const zoneInfoByKey: KnownName = { call: zoneOfKey };
const reconstructor: KnownName = { call: reconstruct };

const multiDicts: Readonly<Record<string, KnownName>> = {
  MultiDict: multiDict,
  ImmutableMultiDict: finishedMultiDict,
  OrderedMultiDict: finishedMultiDict,
  ImmutableOrderedMultiDict: finishedMultiDict,
  // The names since Werkzeug 3.1.
  _OrderedMultiDict: finishedMultiDict,
  _ImmutableOrderedMultiDict: finishedMultiDict,
};

/** By module, then name. Any other name is data that no session in Redis can hold. */
const knownNames: ReadonlyMap<string, ReadonlyMap<string, KnownName>> = new Map(
  Object.entries({
    builtins: { set, frozenset, bytes, bytearray, dict, str, getattr },
    __builtin__: { set, frozenset, bytes, bytearray, dict, str, unicode: str, getattr },
    _codecs: { encode: { call: latin1 } },
    copyreg: { _reconstructor: reconstructor },
    copy_reg: { _reconstructor: reconstructor },
    collections: { OrderedDict: orderedDict, defaultdict, Counter: counter },
    datetime: {
      datetime: { call: dateTime },
      date: { call: date },
      timedelta: { call: timedelta },
      timezone: { call: fixedZone },
    },
    markupsafe: { Markup: markup },
    zoneinfo: { ZoneInfo: zoneInfo, "ZoneInfo._unpickle": zoneInfoByKey },
    pytz: { _UTC: { call: utc }, _p: { call: namedZone }, FixedOffset: { call: zoneOfMinutes } },
    "werkzeug.datastructures": multiDicts,
    "werkzeug.datastructures.structures": multiDicts,
  } satisfies Record<string, Record<string, KnownName>>).map(([module, names]) => [
    module,
    new Map(Object.entries(names)),
  ]),
);

export function knownName(name: NamedThing): KnownName | undefined {
  return knownNames.get(name.module)?.get(name.name);
}

export function copyOf(dict: PythonDict, { spend }: Construction): PythonDict {
  spend(dict.values.size);
  return { kind: "dict", values: new Map(dict.values), keys: dict.keys && new Map(dict.keys) };
}

/** The one argument as a list of pairs, none for no argument; `undefined` for anything else. */
function pairsOf(
  args: readonly PythonValue[],
  { spend }: Construction,
): readonly (readonly [PythonValue, PythonValue])[] | undefined {
  const [list = []] = args;
  if (args.length > 1 || !Array.isArray(list)) return undefined;
  spend(list.length);
  const pairs: [PythonValue, PythonValue][] = [];
  for (const item of list) {
    const [key, value, ...more] = isKind(item, "tuple") ? item.items : Array.isArray(item) ? item : [];
    if (key === undefined || value === undefined || more.length > 0) return undefined;
    pairs.push([key, value]);
  }
  return pairs;
}

/** `set([...])`, which protocols 0 to 3 write. */
function setOf(args: readonly PythonValue[], frozen: boolean, construction: Construction): PythonValue | undefined {
  const [items] = args;
  if (args.length !== 1 || !Array.isArray(items)) return undefined;
  construction.spend(items.length);
  const made: PythonSet = { kind: "set", items: new Map(), frozen };
  for (const item of items) addItem(made, item);
  return made;
}

/** `_codecs.encode(text, 'latin1')`, which protocols 0 to 2 write for bytes. */
function latin1(args: readonly PythonValue[], construction: Construction): PythonBytes | undefined {
  const [text, encoding] = args;
  const isLatin1 = encoding === "latin1" || encoding === "latin-1";
  if (args.length !== 2 || typeof text !== "string" || !isLatin1) return undefined;
  construction.spend(text.length);
  return { kind: "bytes", bytes: latin1Bytes(text), mutable: false };
}

function bytearrayOf(args: readonly PythonValue[], construction: Construction): PythonValue | undefined {
  const [content] = args;
  if (args.length === 0) return { kind: "bytes", bytes: Buffer.alloc(0), mutable: true };
  const made = args.length === 1 && isKind(content, "bytes") ? content : latin1(args, construction);
  return made && { ...made, mutable: true };
}

function latin1Bytes(text: string): Buffer {
  if (/[^\u0000-\u00ff]/.test(text)) throw new DecodeError("corrupt", "text that is not latin1");
  return Buffer.from(text, "latin1");
}

/** `OrderedDict()`, or Python 2's `OrderedDict([[key, value], ...])`. */
function dictOfPairs(args: readonly PythonValue[], construction: Construction): PythonDict | undefined {
  const pairs = pairsOf(args, construction);
  if (pairs === undefined) return undefined;
  const made: PythonDict = { ...newDict(), attributes: false };
  for (const [key, value] of pairs) setItem(made, key, value);
  return made;
}

/**
 * `ImmutableMultiDict([(key, value), ...])` and its like: a key may come several times. Returns
 * `undefined` for other arguments.
 */
function multiDictOf(
  args: readonly PythonValue[],
  fillable: boolean,
  construction: Construction,
): PythonMultiDict | undefined {
  const pairs = pairsOf(args, construction);
  if (pairs === undefined) return undefined;
  const lists = newDict();
  for (const [key, value] of pairs) {
    const list = getItem(lists, key);
    if (Array.isArray(list)) list.push(value);
    else setItem(lists, key, [value]);
  }
  return { kind: "multi-dict", lists, fillable };
}

/** `Counter()` or `Counter({...})`. */
function dictOfDict(args: readonly PythonValue[], construction: Construction): PythonDict | undefined {
  if (args.length === 0) return newDict();
  const [items] = args;
  return args.length === 1 && isKind(items, "dict") ? copyOf(items, construction) : undefined;
}

/** `getattr(zoneinfo.ZoneInfo, "_unpickle")`, the only attribute that picklers ask for. */
function attribute(args: readonly PythonValue[]): PythonValue {
  const [owner, name] = args;
  if (args.length !== 2 || !isKind(owner, "name") || knownName(owner) !== zoneInfo || name !== "_unpickle")
    throw new DecodeError("unsupported-type", "builtins.getattr");
  return { kind: "name", module: owner.module, name: `${owner.name}.${name}` };
}

/** `markupsafe.Markup(text)`. */
function textOfMarkup(args: readonly PythonValue[]): PythonValue | undefined {
  const [value] = args;
  const text = isKind(value, "byte-text") ? value.text : value;
  return args.length === 1 && (typeof text === "string" || isKind(text, "split-text")) ? text : undefined;
}

/**
 * How protocols 0 and 1 write subclasses: `copyreg._reconstructor(MultiDict, dict, {key: [value,
 * ...]})` and `copyreg._reconstructor(markupsafe.Markup, str, text)`.
 */
function reconstruct(args: readonly PythonValue[], construction: Construction): PythonValue | undefined {
  const [type, base, items] = args;
  if (args.length !== 3 || !isKind(type, "name") || !isKind(base, "name")) return undefined;
  if (knownName(type) === undefined) throw new ForeignNameError(type);
  if (knownName(type) === markup && knownName(base) === str && items !== undefined) return textOfMarkup([items]);
  if (knownName(type) !== multiDict || knownName(base) !== dict) return undefined;
  if (!isKind(items, "dict")) return undefined;
  return { kind: "multi-dict", lists: copyOf(items, construction), fillable: true };
}

function dateTime(args: readonly PythonValue[], construction: Construction): PythonValue | undefined {
  const [state, zone] = args;
  const bytes = stateBytes(state);
  if (bytes === undefined || args.length > 2) return undefined;
  if (args.length === 1 || zone === null) return dateTimeOfState(bytes, undefined, construction.intern);
  return isKind(zone, "time-zone") ? dateTimeOfState(bytes, zone, construction.intern) : undefined;
}

function date(args: readonly PythonValue[], construction: Construction): PythonValue | undefined {
  const bytes = stateBytes(args[0]);
  return bytes === undefined || args.length !== 1 ? undefined : dateOfState(bytes, construction.intern);
}

/** The state of a date: bytes, a Python 2 byte string, or text, which Python 3 reads as latin1. */
function stateBytes(state: PythonValue | undefined): Buffer | undefined {
  if (typeof state === "string") return state.length > 10 ? undefined : latin1Bytes(state);
  if (isKind(state, "byte-text")) return state.bytes;
  return isKind(state, "bytes") && !state.mutable ? state.bytes : undefined;
}

function timedelta(args: readonly PythonValue[]): PythonValue | undefined {
  const [days = 0, seconds = 0, microseconds = 0] = args;
  if (args.length > 3 || typeof days !== "number" || typeof seconds !== "number") return undefined;
  return typeof microseconds === "number" ? duration(days, seconds, microseconds) : undefined;
}

function fixedZone(args: readonly PythonValue[]): PythonValue | undefined {
  const [offset, name] = args;
  if (args.length > 2 || !isKind(offset, "duration")) return undefined;
  return name === undefined || isText(name) ? timeZone(offset.microseconds) : undefined;
}

function utc(args: readonly PythonValue[]): PythonValue | undefined {
  return args.length === 0 ? timeZoneOfSeconds(0) : undefined;
}

function zoneOfKey(args: readonly PythonValue[]): PythonValue | undefined {
  const [key, fromCache] = args;
  if (args.length !== 2 || typeof key !== "string") return undefined;
  return typeof fromCache === "boolean" || typeof fromCache === "number" ? timeZoneOfName(key) : undefined;
}

/** `pytz._p(name, offset, dst, abbreviation)`, in seconds. A name alone would need a lookup. */
function namedZone(args: readonly PythonValue[]): PythonValue | undefined {
  const [name, offset, dst, abbreviation] = args;
  if (args.length === 1 && isText(name)) throw new DecodeError("unsupported-type", "a time zone by name alone");
  if (args.length !== 4 || !isText(name) || !isText(abbreviation)) return undefined;
  return typeof offset === "number" && typeof dst === "number" ? timeZoneOfSeconds(offset) : undefined;
}

function zoneOfMinutes(args: readonly PythonValue[]): PythonValue | undefined {
  const [minutes] = args;
  return args.length === 1 && typeof minutes === "number" ? timeZoneOfSeconds(minutes * 60) : undefined;
}

function isText(value: PythonValue | undefined): boolean {
  return typeof value === "string" || isKind(value, "split-text") || isKind(value, "byte-text");
}
