import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  addItem,
  getItem,
  isHashable,
  isTruthy,
  keyOf,
  newDict,
  type PythonSet,
  type PythonValue,
  pythonInt,
  setItem,
  textOf,
} from "../../src/format/python-value.js";

const float = (value: number): PythonValue => ({ kind: "float", value });
const nan = float(Number.NaN);
const split: PythonValue = { kind: "split-text", text: "\ud83d\ude00" };
const moment = {};
const date = (iso: string): PythonValue => ({
  kind: "date-time",
  type: "datetime_isoformat",
  iso,
  unreadable: undefined,
  identity: moment,
});
const tuple = (hashable: boolean): PythonValue => ({ kind: "tuple", items: [], hashable });
const bytes = (mutable: boolean, text = ""): PythonValue => ({
  kind: "bytes",
  bytes: Buffer.from(text),
  mutable,
});
const set = (frozen: boolean): PythonSet => ({ kind: "set", items: new Map(), frozen });
const byteText = (text: string): PythonValue => ({ kind: "byte-text", bytes: Buffer.from(text), text });
const duration = (microseconds: number): PythonValue => ({ kind: "duration", microseconds });

describe("python-value: two keys are one exactly if they are equal in Python", () => {
  const rows: readonly (readonly [name: string, one: PythonValue, other: PythonValue, same: boolean])[] = [
    ["1 and 1.0", 1, float(1), true],
    ["1 and True", 1, true, true],
    ["1.0 and True", float(1), true, true],
    ["0 and False", 0, false, true],
    ["0.0 and -0.0", float(0), float(-0), true],
    ["1 and '1'", 1, "1", false],
    ["None and 'null'", null, "null", false],
    ["None and 0", null, 0, false],
    ["False and None", false, null, false],
    ["1e16 and 10**16", float(1e16), pythonInt(10n ** 16n), true],
    ["1e16 and 10**16 + 1", float(1e16), pythonInt(10n ** 16n + 1n), false],
    ["2.0**53 and 2**53", float(2 ** 53), pythonInt(2n ** 53n), true],
    ["2.0**53 and 2**53 + 1", float(2 ** 53), pythonInt(2n ** 53n + 1n), false],
    ["1e300 and int(1e300)", float(1e300), pythonInt(BigInt(1e300)), true],
    ["10**40 and 10**40, made apart", pythonInt(10n ** 40n), pythonInt(10n ** 40n), true],
    ["1.5 and 1.5, made apart", float(1.5), float(1.5), true],
    ["inf and inf, made apart", float(Number.POSITIVE_INFINITY), float(Number.POSITIVE_INFINITY), true],
    ["inf and -inf", float(Number.POSITIVE_INFINITY), float(Number.NEGATIVE_INFINITY), false],
    ["nan and itself", nan, nan, true],
    ["nan and another nan", nan, float(Number.NaN), false],
    ["two dates of one instant", date("2020-01-01T01:00:00+01:00"), date("2020-01-01T00:00:00+00:00"), true],
    ["split surrogates and the pair", split, "\ud83d\ude00", false],
    ["split surrogates and themselves", split, split, true],
    ["a Python 2 byte string and its text", byteText("ü"), "ü", true],
  ];
  for (const [name, one, other, same] of rows) {
    it(`${name}: ${same ? "one" : "two"}`, () => {
      const dict = newDict();
      setItem(dict, one, "first");
      setItem(dict, other, "last");
      assert.equal(dict.values.size, same ? 1 : 2);
      assert.equal(getItem(dict, one), same ? "last" : "first");
      assert.equal(getItem(dict, other), "last");
      assert.deepEqual(
        [...dict.values.keys()].map((identity) => keyOf(dict, identity)),
        same ? [one] : [one, other],
      );
      const items = set(false);
      addItem(items, one);
      addItem(items, other);
      assert.deepEqual([...items.items.values()], same ? [one] : [one, other]);
    });
  }

  it("of equal keys, the first keeps its place and the last value counts", () => {
    const dict = newDict();
    for (const [key, value] of [
      ["a", 1],
      [true, 2],
      ["b", 3],
      [float(1), 4],
      [1, 5],
    ] as const)
      setItem(dict, key, value);
    assert.deepEqual(
      [...dict.values].map(([identity, value]) => [keyOf(dict, identity), value]),
      [
        ["a", 1],
        [true, 5],
        ["b", 3],
      ],
    );
  });
});

describe("python-value: unhashable values", () => {
  const rows: readonly (readonly [name: string, value: PythonValue, hashable: boolean])[] = [
    ["None", null, true],
    ["text", "a", true],
    ["a float", float(1), true],
    ["bytes", bytes(false), true],
    ["a frozenset", set(true), true],
    ["a tuple of hashables", tuple(true), true],
    ["a date", date("2020-01-01"), true],
    ["a list", [], false],
    ["a dict", newDict(), false],
    ["a set", set(false), false],
    ["a bytearray", bytes(true), false],
    ["a tuple that holds a list", tuple(false), false],
    ["a multi-dict", { kind: "multi-dict", lists: newDict(), fillable: true }, false],
  ];
  for (const [name, value, hashable] of rows) {
    it(`${name}: ${hashable ? "can" : "cannot"}`, () => {
      assert.equal(isHashable(value), hashable);
      const use = () => setItem(newDict(), value, null);
      if (hashable) use();
      else assert.throws(use, { name: "DecodeError", reason: "corrupt" });
    });
  }
});

describe("python-value: bool(value)", () => {
  const rows: readonly (readonly [name: string, value: PythonValue, truthy: boolean])[] = [
    ["None", null, false],
    ["False", false, false],
    ["0", 0, false],
    ["0.0", float(0), false],
    ["-0.0", float(-0), false],
    ["nan", nan, true],
    ["''", "", false],
    ["'0'", "0", true],
    ["[]", [], false],
    ["()", tuple(true), false],
    ["{}", newDict(), false],
    ["set()", set(false), false],
    ["b''", bytes(false), false],
    ["b'0'", bytes(false, "0"), true],
    ["timedelta(0)", duration(0), false],
    ["timedelta(1)", duration(1), true],
    ["10**40", 10n ** 40n, true],
    ["a date", date("2020-01-01"), true],
    ["split surrogates", split, true],
    ["a multi-dict without a key", { kind: "multi-dict", lists: newDict(), fillable: true }, false],
  ];
  for (const [name, value, truthy] of rows) it(`${name}: ${truthy}`, () => assert.equal(isTruthy(value), truthy));
});

describe("python-value: textOf", () => {
  it("returns the text of text, and of nothing else", () => {
    assert.equal(textOf("a"), "a");
    assert.equal(textOf(split), "\ud83d\ude00");
    assert.equal(textOf(byteText("ü")), "ü");
    assert.equal(textOf({ kind: "byte-text", bytes: Buffer.from("e9", "hex"), text: undefined }), undefined);
    for (const value of [null, 1, true, [], newDict(), bytes(false, "a"), undefined])
      assert.equal(textOf(value), undefined);
  });
});
