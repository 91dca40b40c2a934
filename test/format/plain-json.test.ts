import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { recogniseFormat } from "../../src/format/session-format.js";
import { projectRoot } from "../support/project.js";
import { damaged } from "./support/damaged.js";
import {
  agrees,
  agreesOnBeginnings,
  convertInNoise,
  jsonFiles,
  maxLength,
  plainSessions,
  sessionKeys,
} from "./support/plain-sessions.js";

const bytesOf = (json: string) => Buffer.from(json, "latin1");
const convert = (json: string) => convertInNoise(jsonFiles, bytesOf(json));
const check = (json: string) => agrees(jsonFiles, bytesOf(json));
/** A session with one key, `db`. */
const dictOf = (value: string) => `{"db": ${value}}`;
const nested = (depth: number) => dictOf("[".repeat(depth) + "]".repeat(depth));

describe("plain JSON: what Python writes stays as it is", () => {
  const rows: readonly (readonly [name: string, json: string])[] = [
    ["words", dictOf("[null, true, false]")],
    ["ints", dictOf("[0, 7, -1, 1700000000, 999999999999999999, -999999999999999999]")],
    ["floats", dictOf("[0.0, -0.0, 1.5, -8.571428571428571, 1e+16, 1e-07, 5e-324, 1.7976931348623157e+308]")],
    ["text", dictOf('"it\'s / ~"')],
    ["short escapes", dictOf('"\\"\\\\\\b\\f\\n\\r\\t"')],
    ["escapes", dictOf('"\\u0000\\u001f\\u007f\\u00e9\\u20ac\\ud7ff\\ue000\\uffff"')],
    ["a character outside of the basic plane", dictOf('"\\ud83d\\ude00"')],
    ["empty containers", dictOf("[[], {}]")],
    ["nested ones", '{"db": {"a": [1, {"b": "x"}], "c": {}}, "uid": 2}'],
    ["49 levels below the first", nested(49)],
    ["100 keys", dictOf(`{${Array.from({ length: 100 }, (_, index) => `"${index}": 0`).join(", ")}}`)],
    ["8 KiB", dictOf(`"${"a".repeat(8192 - dictOf('""').length)}"`)],
  ];
  for (const [name, json] of rows) {
    it(name, () => {
      assert.equal(convert(json)?.text, json);
      assert.equal(convert(json)?.lossy, false);
      assert(check(json));
      agreesOnBeginnings(jsonFiles, bytesOf(json));
    });
  }

  for (const [value, truthy] of [
    ["null", false],
    ["0", false],
    ["0.0", false],
    ["-0.0", false],
    ["false", false],
    ['""', false],
    ["[]", false],
    ["{}", false],
    ["2", true],
    ["0.5", true],
    ["true", true],
    ['"\\u0000"', true],
    ["[0]", true],
  ] as const) {
    it(`${value} as a uid is ${truthy ? "truthy" : "falsy"}`, () => {
      assert.equal(convert(`{"uid": ${value}}`)?.authenticated, truthy);
      assert(check(`{"uid": ${value}}`));
    });
  }

  for (const key of sessionKeys) {
    it(`${key} is a session key`, () => {
      assert.equal(convert(`{"${key}": 1}`)?.keys, 1);
      assert.equal(convert(`{"${key}": 1, "${key === "db" ? "uid" : "db"}": 2, "x": 3}`)?.keys, 2);
    });
  }

  for (const [value, database] of [
    ['"a"', "a"],
    ['""', ""],
    ['"\\u00e9\\"\\ud83d\\ude00"', 'é"😀'],
    ["1", undefined],
    ["[]", undefined],
  ] as const) {
    it(`${value} names the database ${database}`, () => {
      assert.equal(convert(dictOf(value))?.database, database);
      assert(check(dictOf(value)));
      assert.equal(plainSessions.convertJson(bytesOf(dictOf(value)), maxLength)?.database, undefined);
    });
  }
});

describe("plain JSON: what is left to the machine", () => {
  const rows: readonly (readonly [name: string, json: string])[] = [
    ["nothing", ""],
    ["no dict", "[]"],
    ["no end", '{"db": 1'],
    ["an end too many", `${dictOf("1")}}`],
    ["a line feed after the end", `${dictOf("1")}\n`],
    ["a space before the start", ` ${dictOf("1")}`],
    ["a byte order mark", `\xef\xbb\xbf${dictOf("1")}`],
    ["no key of a session", '{"a": 1}'],
    ["an expiration", '{"db": 1, "expiration": 1}'],
    ["a deletion_time", '{"db": 1, "deletion_time": 1}'],
    ["a key twice", '{"db": 1, "a": 1, "a": 2}'],
    ["a key twice in a dict below", dictOf('{"a": 1, "a": 1}')],
    ["a dict with a tag", dictOf('{"_type": 1}')],
    ["101 keys", dictOf(`{${Array.from({ length: 101 }, (_, index) => `"${index}": 0`).join(", ")}}`)],
    ["a key that is no text", "{1: 1}"],
    ["a key without a value", '{"db"}'],
    ["no space after a colon", '{"db":1}'],
    ["two spaces after a colon", '{"db":  1}'],
    ["no space after a comma", dictOf("[1,2]")],
    ["a space before a comma", dictOf("[1 , 2]")],
    ["spaces in a container", dictOf("[ 1 ]")],
    ["a comma at the end", dictOf("[1, ]")],
    ["50 levels below the first", nested(50)],
    ["more than 8 KiB", dictOf(`"${"a".repeat(8193 - dictOf('""').length)}"`)],
    ["a word that is cut off", '{"db": nul'],
    ["a word that Python does not know", dictOf("True")],
    ["NaN", dictOf("NaN")],
    ["Infinity", dictOf("[Infinity, -Infinity]")],
    ["a float that is infinite", dictOf("1e999")],
    ["zero with a sign", dictOf("-0")],
    ["a zero before an int", dictOf("07")],
    ["a plus before an int", dictOf("+7")],
    ["a sign alone", dictOf("-")],
    ["an int of 19 digits", dictOf("1000000000000000000")],
    ["a float in more digits than it needs", dictOf("1.50")],
    ["a float in more digits than it has", dictOf("0.1000000000000000055511151231257827")],
    ["a float with a capital", dictOf("1E+16")],
    ["a float without a fraction", dictOf("1.")],
    ["a float with an exponent that it does not need", dictOf("1e0")],
    ["a float with two points", dictOf("1.5.5")],
    ["text that is not ASCII", dictOf('"\xc3\xa9"')],
    ["a byte that is no text", dictOf('"\x01"')],
    ["DEL as it is", dictOf('"\x7f"')],
    ["an escaped slash", dictOf('"\\/"')],
    ["an escape that is none", dictOf('"\\x"')],
    ["an escape that is cut off", '{"db": "\\'],
    ["an escape of a printable character", dictOf('"\\u0041"')],
    ["a long escape of a line feed", dictOf('"\\u000a"')],
    ["an escape in capitals", dictOf('"\\u00E9"')],
    ["three digits", dictOf('"\\u00e"')],
    ["half of a surrogate pair", dictOf('"\\ud83d"')],
    ["the other half", dictOf('"\\ude00"')],
    ["two first halves", dictOf('"\\ud83d\\ud83d"')],
    ["a half before text", dictOf('"\\ud83dxude00"')],
  ];
  for (const [name, json] of rows) {
    it(name, () => {
      assert.equal(convert(json), undefined);
    });
  }

  it("JSON of more bytes than allowed", () => {
    const json = bytesOf(dictOf("1"));
    assert.equal(convertInNoise(jsonFiles, json, json.length)?.text, dictOf("1"));
    assert.equal(convertInNoise(jsonFiles, json, json.length - 1), undefined);
  });
});

/** JSON just as Python writes it, or almost. */
const anyValue = fc.letrec<{ value: string; text: string; number: string }>((tie) => ({
  text: fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom("a", "/", "é", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\u007f", "\\\\") },
        fc.constantFrom("\\u0041", "\\u00E9", "\\ud83d", "\\ude00", "\\/", '"', "\\", "\n", "\\u00", "\x7f"),
        fc.integer({ min: 0, max: 0xffff }).map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`),
      ),
      { maxLength: 5 },
    )
    .map((parts) => `"${parts.join("")}"`),
  number: fc.oneof(
    fc.maxSafeInteger().map(String),
    fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
    fc.double({ noNaN: true }).map(String),
    fc.double({ noNaN: true, min: -1000, max: 1000 }).map((number) => number.toFixed(4)),
    fc.stringMatching(/^[-+01.eE]{1,6}$/),
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("null", "true", "false", "0", "1.0", '""', "[]", "{}", "NaN", ""),
    tie("text"),
    tie("number"),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(tie("text"), tie("value")), { maxLength: 4 })
      .map((items) => `{${items.map(([key, value]) => `${key}: ${value}`).join(", ")}}`),
  ),
})).value;
const anySession = fc
  .array(fc.tuple(fc.constantFrom("db", "uid", "login", "expiration", "_type", "b"), anyValue), { maxLength: 5 })
  .map((items) => bytesOf(`{${items.map(([key, value]) => `"${key}": ${value}`).join(", ")}}`));
const folder = join(projectRoot, "fixtures");
const fixtures = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(?:sess|text|json)$/.test(file))
  .map((file) => readFileSync(join(folder, file)))
  .filter((bytes) => bytes.length < 4096 && recogniseFormat(bytes) === "json");
/** `npm run fuzz` sets it. */
const numRuns = Number(process.env["TELE_SESSIONS_PLAIN"] ?? 6000);

describe("plain JSON: the fast path agrees with the machine, whatever its memory holds", () => {
  for (const [name, arbitrary, least] of [
    ["plain values", anySession, 0.04],
    ["damaged ones", damaged(fc.oneof(anySession, fc.constantFrom(...fixtures))), 0.02],
  ] as const) {
    it(`${name}: ${numRuns} runs`, () => {
      let plain = 0;
      fc.assert(
        fc.property(arbitrary, (bytes) => {
          if (agrees(jsonFiles, bytes)) plain++;
        }),
        { numRuns },
      );
      assert(plain >= least * numRuns, `only ${plain} were plain`);
    });
  }

  it("of fixtures, and of their beginnings", () => {
    const plain = fixtures.filter((bytes) => agrees(jsonFiles, bytes));
    assert(plain.length >= 3, `${plain.length} of ${fixtures.length}`);
    for (const bytes of plain) agreesOnBeginnings(jsonFiles, bytes);
  });
});
