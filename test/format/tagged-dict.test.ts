import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newDict, type PythonDict, type PythonValue, setItem } from "../../src/format/python-value.js";
import { firstValues, isReadable, tagOf } from "../../src/format/tagged-dict.js";

function dictOf(values: Readonly<Record<string, PythonValue>>): PythonDict {
  const dict = newDict();
  for (const [key, value] of Object.entries(values)) setItem(dict, key, value);
  return dict;
}
const tuple = (...items: PythonValue[]): PythonValue => ({ kind: "tuple", items, hashable: true });
const setOf = (): PythonValue => ({ kind: "set", items: new Map(), frozen: false });
const multiDictOf = (values: Readonly<Record<string, PythonValue>>): PythonValue => ({
  kind: "multi-dict",
  lists: dictOf(values),
  fillable: true,
});
const aDate = dictOf({ _type: "date_isoformat", value: "2020-01-01" });

describe("tagged-dict: a session's own dict that the applet would read as a date or set (formats.md section 3)", () => {
  const rows: readonly (readonly [name: string, tag: string, value: PythonValue | undefined, readable: boolean])[] = [
    ["a date", "date_isoformat", "2020-01-01", true],
    ["a date and time as a date", "date_isoformat", "2020-01-01T00:00:00", true],
    ["no value", "date_isoformat", undefined, false],
    ["no text", "date_isoformat", 1, false],
    ["None", "datetime_isoformat", null, false],
    ["no date", "datetime_isoformat", "yesterday", false],
    ["no such day", "datetime_isoformat", "2021-02-29T00:00:00", false],
    ["a set without a value", "set", undefined, false],
    ["a set of a list", "set", [1, "a", null], true],
    ["a set of an empty list", "set", [], true],
    ["a set of a text: its characters", "set", "abc", true],
    ["a set of a dict: its keys", "set", dictOf({ a: 1 }), true],
    ["a set of a tuple", "set", tuple(1, 2), true],
    ["a set of a set", "set", setOf(), true],
    ["a set of an int", "set", 1, false],
    ["a set of None", "set", null, false],
    ["a set of a float", "set", { kind: "float", value: 1 }, false],
    ["a set of a list in a list", "set", [[]], false],
    ["a set of a tuple in a list", "set", [tuple()], false],
    ["a set of a dict in a list", "set", [dictOf({ a: 1 })], false],
    ["a set of a date in a list", "set", [aDate], true],
    ["a set of a set in a list", "set", [setOf()], false],
    ["a set of a date: it becomes no iterable", "set", aDate, false],
    ["a set of a multi-dict", "set", multiDictOf({ a: [1] }), true],
  ];
  for (const [name, tag, value, readable] of rows) {
    it(`${name}: ${readable ? "lossy" : "unsupported"}`, () => {
      const dict = dictOf({ _type: tag, ...(value === undefined ? {} : { value }) });
      const found = tagOf(dict);
      assert.equal(found, tag);
      assert(found !== undefined);
      assert.equal(isReadable(dict, found), readable);
    });
  }

  it("any other `_type` means nothing", () => {
    const others: readonly PythonValue[] = ["", "Set", "set ", "time_isoformat", 1, null, []];
    for (const type of others) assert.equal(tagOf(dictOf({ _type: type, value: [] })), undefined);
    assert.equal(tagOf(dictOf({ value: [] })), undefined);
  });

  it("a tag may be a Python 2 string", () => {
    assert.equal(tagOf(dictOf({ _type: { kind: "byte-text", bytes: Buffer.from("set"), text: "set" } })), "set");
  });

  it("a multi-dict shows its first values, without keys that have none", () => {
    const first = firstValues(dictOf({ a: [1, 2], b: [], c: ["x"] }));
    assert.deepEqual(
      [...first.values],
      [
        ["a", 1],
        ["c", "x"],
      ],
    );
  });
});
