import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { equalSessions } from "../../src/convert/equal-sessions.js";

const setOf = (...items: readonly string[]): string => `{"_type": "set", "value": [${items.join(", ")}]}`;
const deep = (levels: number, core: string): string => "[".repeat(levels) + core + "]".repeat(levels);

describe("equal-sessions: equal bytes, or equal JSON with sets in any order (spec.md section 4, Conflicts)", () => {
  const rows: readonly (readonly [name: string, value: string, stored: string | Buffer, expected: boolean])[] = [
    ["the same bytes", '{"uid": 2}', '{"uid": 2}', true],
    ["other bytes of the same length", '{"uid": 2}', '{"uid": 3}', false],
    ["another length", '{"uid": 2}', '{"uid": 2} ', false],
    ["nothing stored", "{}", "", false],
    ["another order of keys", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}', false],
    ["another order of a list", '{"a": [1, 2]}', '{"a": [2, 1]}', false],
    ["lone surrogates, the same", '{"a": "\\ud800"}', '{"a": "\\ud800"}', true],
    ["lone surrogates, other ones", '{"a": "\\ud800"}', '{"a": "\\ud801"}', false],
    ["no JSON, the same", "\u007f{", "\u007f{", true],
    ["bytes beyond ASCII of the same length", "aa", Buffer.from([0xc3, 0xa9]), false],
    ["NaN", '{"a": NaN}', '{"a": NaN}', true],

    ["a set, the same order", setOf("1", "2"), setOf("1", "2"), true],
    ["a set, another order", setOf("1", "2"), setOf("2", "1"), true],
    ["a set of other items", setOf("1", "2"), setOf("1", "3"), false],
    ["a set, an item twice in one", setOf("1", "1", "2"), setOf("1", "2", "2"), false],
    ["texts in a set", setOf('"a"', '"b, c"'), setOf('"b, c"', '"a"'), true],
    ["texts that would join to the same", setOf('"a,b"', '"c"'), setOf('"a"', '"b,c"'), false],
    ["text and number in a set", setOf('"1"', "2"), setOf("1", '"2"'), false],
    ["true and 1 in a set", setOf("true", "10.5"), setOf("1", "10.5555"), false],
    ["1 and 1.0, the length made up for", `[${setOf("1.0", "2")}]`, `[${setOf("1", "2")}  ]`, false],
    ["true and false swapped outside a set", `[true, ${setOf("1")}]`, `[null, ${setOf("1")}]`, false],
    ["NaN in a set, another order", setOf("NaN", "1.5"), setOf("1.5", "NaN"), true],
    ["infinities in a set", setOf("Infinity", "-Infinity"), setOf("-Infinity", "Infinity"), true],
    ["lone surrogates in a set", setOf('"\\ud800"', '"\\udc00"'), setOf('"\\udc00"', '"\\ud800"'), true],
    ["other lone surrogates in a set", setOf('"\\ud800"', '"x"'), setOf('"x"', '"\\ud801"'), false],
    [
      "a lone surrogate as a key beside a set",
      `{"\\ud800": ${setOf("1", "2")}}`,
      `{"\\ud801": ${setOf("2", "1")}}`,
      false,
    ],
    ["ints beyond JavaScript's in a set", setOf("9007199254740993", "1"), setOf("1", "9007199254740993"), true],
    ["ints that JavaScript confuses", setOf("9007199254740993", "1"), setOf("1", "9007199254740992"), false],
    ["sets within sets", setOf(setOf("1", "2"), setOf("3", "4")), setOf(setOf("4", "3"), setOf("2", "1")), true],
    [
      "sets within sets, an item moved",
      setOf(setOf("1", "2"), setOf("3", "4")),
      setOf(setOf("1", "3"), setOf("2", "4")),
      false,
    ],
    ["a set in a list in a dict", `{"a": [{"b": ${setOf("1", "2")}}]}`, `{"a": [{"b": ${setOf("2", "1")}}]}`, true],
    ["a list beside a set in another order", `[[1, 2], ${setOf("3", "4")}]`, `[[2, 1], ${setOf("4", "3")}]`, false],
    [
      "keys beside a set in another order",
      `{"a": 1, "b": ${setOf("3", "4")}}`,
      `{"b": ${setOf("4", "3")}, "a": 1}`,
      false,
    ],
    ["a set that changed places with a list", `[${setOf("1")}, [1]]`, `[[1], ${setOf("1")}]`, false],
    ["dicts in a set", setOf('{"a": 1}', '{"b": 2}'), setOf('{"b": 2}', '{"a": 1}'), true],
    [
      "the same date in a set",
      setOf('{"_type": "date_isoformat", "value": "2026-01-01"}', "1"),
      setOf("1", '{"_type": "date_isoformat", "value": "2026-01-01"}'),
      true,
    ],
    [
      "a text that reads like a set",
      '{"a": "{\\"_type\\": \\"set\\"", "b": 12}',
      '{"a": "{\\"_type\\": \\"set\\"", "b": 21}',
      false,
    ],
    ["a set's value that is not a list", '{"_type": "set", "value": "ab"}', '{"_type": "set", "value": "ba"}', false],
    ["stored is cut short", `[${setOf("1", "2")}]`, `[${setOf("1", "2")} `, false],
    ["an empty set", setOf(), setOf(), true],
    ["500 levels", deep(498, setOf("1", "2")), deep(498, setOf("2", "1")), true],
    ["501 levels: not compared", deep(499, setOf("1", "2")), deep(499, setOf("2", "1")), false],
    [
      "what is in a dict beside a set's two keys",
      '{"_type": "set", "value": [1], "x": 1}',
      '{"_type": "set", "value": [1], "x": 2}',
      false,
    ],
  ];
  for (const [name, value, stored, expected] of rows) {
    const bytes = typeof stored === "string" ? Buffer.from(stored) : stored;
    it(name, () => assert.equal(equalSessions(value, bytes), expected));
  }

  it("only ASCII can be equal, as entries are ASCII", () => {
    const value = `{"a": "\\u00e9", "s": ${setOf("1", "2")}}`;
    const stored = Buffer.from(`{"a": "é", "s": ${setOf("2", "1")}}    `);
    assert.equal(stored.length, value.length);
    assert.equal(equalSessions(value, stored), false);
  });

  it("a set of 100,000 in another order", () => {
    const items = Array.from({ length: 100_000 }, (_, index) => `"item${index}"`);
    assert.equal(equalSessions(setOf(...items), Buffer.from(setOf(...items.toReversed()))), true);
  });

  it("any items in any order are equal, unless one differs", () => {
    const item = fc.oneof(fc.string(), fc.integer(), fc.boolean()).map((one) => JSON.stringify(one));
    const shuffled = fc
      .uniqueArray(item, { minLength: 1, maxLength: 12 })
      .chain((items) => fc.tuple(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length })));
    fc.assert(
      fc.property(shuffled, ([items, others]) => {
        const ascii = (text: string) =>
          text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
        const [value, stored] = [ascii(setOf(...items)), ascii(setOf(...others))];
        assert.equal(equalSessions(value, Buffer.from(stored)), true);
        assert.equal(equalSessions(value, Buffer.from(stored.replace("]}", "}]"))), false);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
