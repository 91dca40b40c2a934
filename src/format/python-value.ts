import { DecodeError } from "./decode-error.js";

/**
 * A value as Python holds it. The common ones cost nothing: `None` is `null`, text a string, an int a number where that is exact
 * and a bigint beyond, a list an array. What JavaScript would confuse with one of these is an object with a `kind`.
 */
export type PythonValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | PythonValue[]
  | PythonFloat
  | PythonSplitText
  | PythonByteText
  | PythonBytes
  | PythonTuple
  | PythonDict
  | PythonMultiDict
  | PythonInstance
  | PythonSet
  | PythonDateTime
  | PythonTimeZone
  | PythonDuration
  | PythonName;

export interface PythonFloat {
  readonly kind: "float";
  readonly value: number;
}

/** Text in which a high and a low surrogate stand side by side as two characters: another text than the one character they would make. */
export interface PythonSplitText {
  readonly kind: "split-text";
  readonly text: string;
}

/** Gives the same object for the same text, split at the same places (offsets of low surrogates). */
export type SplitText = (text: string, splits: readonly number[]) => PythonSplitText;

/** A Python 2 `str` that is not ASCII. `text` is absent where its bytes are no UTF-8. */
export interface PythonByteText {
  readonly kind: "byte-text";
  readonly bytes: Buffer;
  readonly text: string | PythonSplitText | undefined;
}

export interface PythonBytes {
  readonly kind: "bytes";
  readonly bytes: Buffer;
  /** A `bytearray`, which no dict takes as a key. */
  readonly mutable: boolean;
}

export interface PythonTuple {
  readonly kind: "tuple";
  readonly items: readonly PythonValue[];
  readonly hashable: boolean;
}

/** `dict`, `OrderedDict`, `defaultdict` or `Counter`. */
export interface PythonDict {
  readonly kind: "dict";
  readonly values: Map<KeyIdentity, PythonValue>;
  /** The keys that are not their own identity (`True`, `1.5`); absent until there is one. */
  keys: Map<KeyIdentity, PythonValue> | undefined;
  /** Present for an `OrderedDict`, which alone may have attributes of its own: whether it has, and JSON drops them. */
  attributes?: boolean;
}

/** An object of a class that nobody knows, made without arguments. What a pickle puts into it tells what it is. */
export interface PythonInstance {
  readonly kind: "instance";
  readonly type: PythonName;
  content: PythonDict | PythonValue[] | undefined;
}

/** One of Werkzeug's multi-dicts: every value is a list. */
export interface PythonMultiDict {
  readonly kind: "multi-dict";
  lists: PythonDict;
  /** `MultiDict` itself, which a pickle makes empty and fills; the others are made whole. */
  readonly fillable: boolean;
}

export interface PythonSet {
  readonly kind: "set";
  readonly items: Map<KeyIdentity, PythonValue>;
  readonly frozen: boolean;
}

/** A `datetime` or, without a time, a `date`. */
export interface PythonDateTime {
  readonly kind: "date-time";
  readonly type: "datetime_isoformat" | "date_isoformat";
  /** What `isoformat()` returns. */
  readonly iso: string;
  /** Why the applet could not read it back; absent where it can. */
  readonly unreadable: string | undefined;
  /** The same object for all that Python holds to be equal. */
  readonly identity: object;
}

export interface PythonTimeZone {
  readonly kind: "time-zone";
  /** East of Greenwich, microseconds, at a local time in seconds since the epoch. `fold` is the second of two equal local times. */
  readonly offsetAt: (localSeconds: number, fold: boolean) => number;
}

export interface PythonDuration {
  readonly kind: "duration";
  readonly microseconds: number;
}

/** A name that a pickle mentions: never imported, never looked up. */
export interface PythonName {
  readonly kind: "name";
  readonly module: string;
  readonly name: string;
}

/** What two keys share exactly where Python holds them to be equal: `1`, `1.0` and `True` do, `1` and `"1"` don't. */
export type KeyIdentity = null | string | number | bigint | object;

export function newDict(): PythonDict {
  return { kind: "dict", values: new Map(), keys: undefined };
}

/** Sets a key as Python does: the first of equal keys stays, the last value counts. Throws `DecodeError` for a key that Python cannot hash. */
export function setItem(dict: PythonDict, key: PythonValue, value: PythonValue): void {
  if (typeof key === "string") {
    dict.values.set(key, value);
    return;
  }
  const identity = identityOf(key);
  if (identity !== key && !dict.values.has(identity)) {
    dict.keys ??= new Map();
    dict.keys.set(identity, key);
  }
  dict.values.set(identity, value);
}

/** The value of a key, `undefined` where there is none. Throws `DecodeError` for a key that Python cannot hash. */
export function getItem(dict: PythonDict, key: PythonValue): PythonValue | undefined {
  return dict.values.get(identityOf(key));
}

/** The key that stands in a dict for an identity. */
export function keyOf(dict: PythonDict, identity: KeyIdentity): PythonValue {
  const key = dict.keys?.get(identity);
  // An identity is a key itself unless `keys` says otherwise.
  return key === undefined ? (identity as PythonValue) : key;
}

/** Adds an item as Python does: the first of equal items stays. Throws `DecodeError` for one that Python cannot hash. */
export function addItem(set: PythonSet, item: PythonValue): void {
  const identity = identityOf(item);
  if (!set.items.has(identity)) set.items.set(identity, item);
}

export function isHashable(value: PythonValue): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return false;
  switch (value.kind) {
    case "dict":
    case "multi-dict":
    case "instance":
      return false;
    case "set":
      return value.frozen;
    case "bytes":
      return !value.mutable;
    case "tuple":
      return value.hashable;
    default:
      return true;
  }
}

/** The objects that a `PythonValue` can be, lists apart. */
export type PythonObject = Extract<PythonValue, { readonly kind: string }>;

/** Whether a value is an object of a kind. */
export function isKind<K extends PythonObject["kind"]>(
  value: PythonValue | undefined,
  kind: K,
): value is Extract<PythonObject, { readonly kind: K }> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && value.kind === kind;
}

function identityOf(key: PythonValue): KeyIdentity {
  if (typeof key === "boolean") return Number(key);
  if (typeof key !== "object" || key === null) return key;
  if (Array.isArray(key) || !isHashable(key))
    throw new DecodeError("corrupt", "a key or set item that cannot be hashed");
  switch (key.kind) {
    case "float":
      return floatIdentity(key);
    case "byte-text":
      return key.text ?? key;
    case "date-time":
      return key.identity;
    default:
      return key;
  }
}

function floatIdentity(float: PythonFloat): KeyIdentity {
  const { value } = float;
  // Python finds a NaN again only where it is the same object.
  if (Number.isNaN(value)) return float;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** Whether `bool(value)` is `True`. */
export function isTruthy(value: PythonValue): boolean {
  if (typeof value !== "object" || value === null) return Boolean(value);
  if (Array.isArray(value)) return value.length > 0;
  switch (value.kind) {
    case "float":
      return value.value !== 0;
    case "bytes":
      return value.bytes.length > 0;
    case "tuple":
      return value.items.length > 0;
    case "dict":
      return value.values.size > 0;
    case "multi-dict":
      return value.lists.values.size > 0;
    case "instance":
      return value.content === undefined || isTruthy(value.content);
    case "set":
      return value.items.size > 0;
    case "duration":
      return value.microseconds !== 0;
    default:
      return true;
  }
}

/** The text that a value is, or `undefined` for what is no text. */
export function textOf(value: PythonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (value.kind === "split-text") return value.text;
  return value.kind === "byte-text" ? textOf(value.text) : undefined;
}

/** An int as it is kept: a number where that is exact, a bigint beyond. */
export function pythonInt(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
