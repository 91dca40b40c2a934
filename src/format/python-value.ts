import { DecodeError, type NamedThing } from "./decode-error.js";

/**
 * A value as Python holds it. The common ones cost nothing: `None` is `null`, text a string, a list
 * an array, and an int a number, or a bigint if a number would round it. Everything else is an
 * object with a `kind`.
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

/** Text in which a high and a low surrogate meet as two characters; a string would join them. */
export interface PythonSplitText {
  readonly kind: "split-text";
  readonly text: string;
}

/** Returns one object for one text with the same splits, the offsets of low surrogates. */
export type SplitText = (text: string, splits: readonly number[]) => PythonSplitText;

/** A Python 2 `str` that is not ASCII. `text` is `undefined` if its bytes are not UTF-8. */
export interface PythonByteText {
  readonly kind: "byte-text";
  readonly bytes: Buffer;
  readonly text: string | PythonSplitText | undefined;
}

export interface PythonBytes {
  readonly kind: "bytes";
  readonly bytes: Buffer;
  /** Whether it is a `bytearray`, which cannot be a key. */
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
  /** The keys that differ from their identity (`True`, `1.5`); absent until there is one. */
  keys: Map<KeyIdentity, PythonValue> | undefined;
  /** Whether an `OrderedDict` has attributes, which JSON drops; absent for other dicts. */
  attributes?: boolean;
}

/** An instance of an unknown class, made without arguments. Its items show what it is. */
export interface PythonInstance {
  readonly kind: "instance";
  readonly type: PythonName;
  content: PythonDict | PythonValue[] | undefined;
}

/** One of Werkzeug's multi-dicts: every value is a list. */
export interface PythonMultiDict {
  readonly kind: "multi-dict";
  lists: PythonDict;
  /** Whether it is a `MultiDict`, which pickles make empty and fill; they make others whole. */
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
  /** Why the applet could not read it back; `undefined` if it can. */
  readonly unreadable: string | undefined;
  /** One object shared by all dates that are equal in Python. */
  readonly identity: object;
}

export interface PythonTimeZone {
  readonly kind: "time-zone";
  /**
   * Microseconds east of Greenwich at a local time in seconds since the epoch. `fold` picks the
   * second of two equal local times.
   */
  readonly offsetAt: (localSeconds: number, fold: boolean) => number;
}

export interface PythonDuration {
  readonly kind: "duration";
  readonly microseconds: number;
}

/** A name that a pickle mentions. Nothing imports it or looks it up. */
export interface PythonName extends NamedThing {
  readonly kind: "name";
}

/** Equal for two keys if they are equal in Python: `1`, `1.0` and `True`, but not `1` and `"1"`. */
export type KeyIdentity = null | string | number | bigint | object;

export function newDict(): PythonDict {
  return { kind: "dict", values: new Map(), keys: undefined };
}

/** Sets a key; of equal keys the first stays. Throws `DecodeError` for an unhashable key. */
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

/** The value of a key; `undefined` if there is none. Throws `DecodeError` for an unhashable key. */
export function getItem(dict: PythonDict, key: PythonValue): PythonValue | undefined {
  return dict.values.get(identityOf(key));
}

/** The key that a dict holds for an identity. */
export function keyOf(dict: PythonDict, identity: KeyIdentity): PythonValue {
  const key = dict.keys?.get(identity);
  // An identity is its own key unless `keys` says otherwise.
  return key === undefined ? (identity as PythonValue) : key;
}

/** Adds an item; of equal items the first stays. Throws `DecodeError` for an unhashable one. */
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

/** The `PythonValue`s that have a `kind`. */
export type PythonObject = Extract<PythonValue, { readonly kind: string }>;

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
  // Python finds a NaN again only if it is the same object.
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

/** The text of a value; `undefined` if it is no text. */
export function textOf(value: PythonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (value.kind === "split-text") return value.text;
  return value.kind === "byte-text" ? textOf(value.text) : undefined;
}

/** An int as a `PythonValue`: a number if that is exact, else a bigint. */
export function pythonInt(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
