import { valueSize, valuesAt } from "./memory-layout";

/** The kinds of plain values. */
export enum Kind {
  none,
  boolean,
  int,
  float,
  /** Text in UTF-8. */
  text,
  /** Text in latin1 that is not ASCII: a line of protocol 0. */
  latinText,
  /** A Python 2 `str`. */
  byteText,
  list,
  tuple,
  dict,
}

/** A value lies in a row of values of equal size, and is linked to the next one in its container. */
@unmanaged
export class Value {
  kind: Kind;
  /** The next value in the same container. In a dict, keys and values alternate. */
  next: Value | null;
}

/** Also a boolean, as 0 or 1. */
@unmanaged
export class Int extends Value {
  value: i64;
}

@unmanaged
export class Float extends Value {
  value: f64;
}

/** Where a text begins and ends in the session file. */
@unmanaged
export class Text extends Value {
  start: usize;
  end: usize;
}

@unmanaged
export class Container extends Value {
  first: Value | null;
  last: Value | null;
}

/** More keys of one dict are not searched. */
const maxKeys = 100;

/** Where the next value goes. */
let free = valuesAt;

/** Forgets all values. */
export function forgetValues(): void {
  free = valuesAt;
}

function newValue<T extends Value>(kind: Kind): T {
  const value = changetype<T>(free);
  free += valueSize;
  value.kind = kind;
  value.next = null;
  return value;
}

/** Also a boolean. */
export function newInt(number: i64, kind: Kind = Kind.int): Value {
  const int = newValue<Int>(kind);
  int.value = number;
  return int;
}

export function newFloat(number: f64): Value {
  const float = newValue<Float>(Kind.float);
  float.value = number;
  return float;
}

export function newText(kind: Kind, start: usize, end: usize): Value {
  const text = newValue<Text>(kind);
  text.start = start;
  text.end = end;
  return text;
}

export function newContainer(kind: Kind): Container {
  const container = newValue<Container>(kind);
  container.first = null;
  container.last = null;
  return container;
}

export function newNone(): Value {
  return newValue<Value>(Kind.none);
}

export function isText(value: Value): bool {
  return value.kind === Kind.text || value.kind === Kind.latinText || value.kind === Kind.byteText;
}

export function isContainer(value: Value): bool {
  return value.kind >= Kind.list;
}

/** A copy of a value that is no container: every place that holds it needs its own. */
export function copyOf(value: Value): Value {
  const copy = newValue<Value>(value.kind);
  memory.copy(changetype<usize>(copy), changetype<usize>(value), valueSize);
  copy.next = null;
  return copy;
}

/** Makes a value the last of a container. */
export function put(container: Container, value: Value): void {
  const last = container.last;
  if (last === null) container.first = value;
  else last.next = value;
  container.last = value;
}

/** Whether a text is this name, which is ASCII. */
export function isNamed(text: Text, name: string): bool {
  const length = text.end - text.start;
  if (length !== <usize>name.length) return false;
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(text.start + index) !== name.charCodeAt(<i32>index)) return false;
  }
  return true;
}

function hasSameBytes(one: Text, other: Text): bool {
  const length = one.end - one.start;
  if (other.end - other.start !== length) return false;
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(one.start + index) !== load<u8>(other.start + index)) return false;
  }
  return true;
}

/**
 * Whether a dict can take a value as a key: a new text, not `_type`, few keys to search. Equal texts
 * in latin1 and UTF-8 differ as bytes, so latin1 is left to the machine.
 */
export function mayBeKey(value: Value, dict: Container): bool {
  if (value.kind !== Kind.text && value.kind !== Kind.byteText) return false;
  const text = changetype<Text>(value);
  if (isNamed(text, "_type")) return false;
  let keys = 0;
  for (let key = dict.first; key !== null; ) {
    if (++keys === maxKeys || hasSameBytes(changetype<Text>(key), text)) return false;
    const item = key.next;
    key = item === null ? null : item.next;
  }
  return true;
}

/** Whether `bool(value)` is `True`. */
export function isTruthy(value: Value): bool {
  switch (value.kind) {
    case Kind.none:
      return false;
    case Kind.boolean:
    case Kind.int:
      return changetype<Int>(value).value !== 0;
    case Kind.float:
      return changetype<Float>(value).value !== 0;
    case Kind.text:
    case Kind.latinText:
    case Kind.byteText:
      return changetype<Text>(value).end !== changetype<Text>(value).start;
    default:
      return changetype<Container>(value).first !== null;
  }
}
