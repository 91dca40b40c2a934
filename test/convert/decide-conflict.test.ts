import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConflictPolicy, decideConflict } from "../../src/convert/decide-conflict.js";
import type { Candidate } from "../../src/model/entry.js";

const nowMs = Date.UTC(2026, 0, 10);
const second = 1000;
const day = 86_400 * second;
const lifetimes = { ttl: "full", expiration: 604_800, expirationAnonymous: 10_800 } as const;
const full = lifetimes.expiration * second;
const anonymous = lifetimes.expirationAnonymous * second;

/** The file's session, modified a day ago, and what is asked of it. */
const fileValue = '{"uid": 2, "v": "file"}';
const fileModifiedMs = nowMs - day;
const ourInstant = nowMs + full - 2 * second;

interface Case {
  readonly file?: string;
  readonly modifiedMs?: number;
  /** What Redis holds; a value other than the file's by default. */
  readonly held?: string | Buffer;
  /** When the key ends; null: never. By default the held session was saved two days ago. */
  readonly endsMs?: number | null;
  readonly policy?: ConflictPolicy;
}

const heldValue = '{"uid": 2, "v": "held"}';

function decide({
  file = fileValue,
  modifiedMs = fileModifiedMs,
  held = heldValue,
  endsMs = nowMs - 2 * day + full,
  policy = "newest",
}: Case): string {
  const candidate: Candidate = {
    entry: { key: "session:a", value: file, expiresAtMs: ourInstant },
    mtimeMs: modifiedMs,
    fullLifetimeMs: full,
  };
  const value = typeof held === "string" ? Buffer.from(held) : held;
  const decision = decideConflict(
    candidate,
    { kind: "text", value, expiresAtMs: endsMs },
    policy,
    lifetimes,
    nowMs,
  );
  return "warning" in decision ? `${decision.kind}: ${decision.warning}` : decision.kind;
}

const noSession = "kept: a key holds what is no session: it was left alone";
const tooLong = "kept: a key's lifetime is longer than the settings say: it was left alone";
/** The end of a key whose session was saved so long before the file was modified. */
const savedBeforeFile = (milliseconds: number, lifetime = full): number =>
  fileModifiedMs - milliseconds + lifetime;

const setOf = (items: string): string => `{"uid": 2, "s": {"_type": "set", "value": [${items}]}}`;

describe("decide-conflict: an equal value (spec.md section 4, Conflicts)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["a lifetime that is right: identical", { held: fileValue, endsMs: nowMs + full - day }, "identical"],
    [
      "about to end: identical, its lifetime is not renewed",
      { held: fileValue, endsMs: nowMs + 1 },
      "identical",
    ],
    ["ended by our clock: identical", { held: fileValue, endsMs: nowMs - 1 }, "identical"],
    [
      "the items of a set in another order: identical",
      { file: setOf("1, 2"), held: setOf("2, 1") },
      "identical",
    ],
    ["no lifetime: endless", { held: fileValue, endsMs: null }, "endless"],
    [
      "a set in another order, no lifetime: endless",
      { file: setOf("1, 2"), held: setOf("2, 1"), endsMs: null },
      "endless",
    ],
    ["exactly full + 5 s: identical", { held: fileValue, endsMs: nowMs + full + 5 * second }, "identical"],
    [
      "longer than full + 5 s: refresh",
      { held: fileValue, endsMs: nowMs + full + 5 * second + 1 },
      "refresh",
    ],
    ["far too long: refresh", { held: fileValue, endsMs: Number.MAX_SAFE_INTEGER }, "refresh"],
    ["exactly our instant: perhaps our own write", { held: fileValue, endsMs: ourInstant }, "own"],
    ["a millisecond beside our instant: identical", { held: fileValue, endsMs: ourInstant + 1 }, "identical"],
    ["what is no session, in the file as in Redis: identical", { file: "[1]", held: "[1]" }, "identical"],
  ];
  for (const [name, case_, expected] of rows) {
    for (const policy of ["newest", "keep", "overwrite"] as const) {
      it(`${policy}: ${name}`, () => assert.equal(decide({ ...case_, policy }), expected));
    }
  }
});

describe("decide-conflict: keep and overwrite, another value", () => {
  const held: readonly (readonly [name: string, case_: Case])[] = [
    ["older than the file", { endsMs: savedBeforeFile(day) }],
    ["newer than the file", { endsMs: savedBeforeFile(-second) }],
    ["no lifetime", { endsMs: null }],
    ["saved in the future", { endsMs: nowMs + 2 * full }],
    ["no session", { held: "[]" }],
    ["no JSON", { held: Buffer.from([0x80, 0xff, 0]) }],
    ["empty", { held: "" }],
  ];
  for (const [name, case_] of held) {
    it(`keep: ${name}`, () => assert.equal(decide({ ...case_, policy: "keep" }), "kept"));
    it(`overwrite: ${name}`, () => assert.equal(decide({ ...case_, policy: "overwrite" }), "replace"));
  }
});

describe("decide-conflict: newest, another value: the file's only where it was modified after the save", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["the file modified after the save", { endsMs: savedBeforeFile(1) }, "replace"],
    ["the file modified at the save", { endsMs: savedBeforeFile(0) }, "kept"],
    ["the file modified before the save", { endsMs: savedBeforeFile(-1) }, "kept"],
    [
      "a fraction of a millisecond after the save",
      { endsMs: savedBeforeFile(0), modifiedMs: fileModifiedMs + 0.25 },
      "replace",
    ],
    ["saved just now", { endsMs: nowMs + full }, "kept"],
    ["no lifetime: just saved", { endsMs: null }, "kept"],
    ["no lifetime, though the file is of now", { endsMs: null, modifiedMs: nowMs }, "kept"],
    ["no lifetime and no session", { endsMs: null, held: "[]" }, "kept"],

    ["saved in the future, within 5 s", { endsMs: nowMs + full + 1, modifiedMs: nowMs + day }, "kept"],
    [
      "saved in the future, exactly 5 s",
      { endsMs: nowMs + full + 5 * second, modifiedMs: nowMs + day },
      "kept",
    ],
    ["saved in the future", { endsMs: nowMs + full + 5 * second + 1, modifiedMs: nowMs + day }, tooLong],

    ["not JSON", { held: "gASVAAAA", modifiedMs: nowMs }, noSession],
    ["not UTF-8", { held: Buffer.from([0x80, 4, 0x95, 0xff]), modifiedMs: nowMs }, noSession],
    ["empty text", { held: "", modifiedMs: nowMs }, noSession],
    ["JSON cut short", { held: '{"uid": 2', modifiedMs: nowMs }, noSession],
    ["JSON with text after it", { held: '{"uid": 2} ]', modifiedMs: nowMs }, noSession],
    ["a list", { held: '[{"uid": 2}]', modifiedMs: nowMs }, noSession],
    ["a text", { held: '"uid"', modifiedMs: nowMs }, noSession],
    ["null", { held: "null", modifiedMs: nowMs }, noSession],
    ["501 levels", { held: `{"a": ${"[".repeat(500)}${"]".repeat(500)}}`, modifiedMs: nowMs }, noSession],
    ["an int of too many digits", { held: `{"a": ${"9".repeat(5000)}}`, modifiedMs: nowMs }, noSession],
    [
      "500 levels are a session",
      { held: `{"uid": 2, "a": ${"[".repeat(499)}${"]".repeat(499)}}`, endsMs: savedBeforeFile(1) },
      "replace",
    ],
    [
      "lone surrogates are a session",
      { held: '{"uid": 2, "\\ud800": "\\udfff"}', endsMs: savedBeforeFile(1) },
      "replace",
    ],
    ["NaN is a session", { held: '{"uid": 2, "a": NaN}', endsMs: savedBeforeFile(1) }, "replace"],
    ["an empty dict is one", { held: "{}", endsMs: savedBeforeFile(1, anonymous) }, "replace"],
  ];
  for (const [name, case_, expected] of rows) it(name, () => assert.equal(decide(case_), expected));
});

describe("decide-conflict: newest: the save is dated by the session that Redis holds", () => {
  const own = (expiration: string): string => `{"uid": 2, "expiration": ${expiration}, "v": 1}`;
  const rows: readonly (readonly [name: string, held: string, lifetime: number])[] = [
    ["authenticated", '{"uid": 1}', full],
    ["anonymous: uid null", '{"uid": null}', anonymous],
    ["anonymous: no uid", '{"login": null}', anonymous],
    ["anonymous: uid 0", '{"uid": 0}', anonymous],
    ["anonymous: uid false", '{"uid": false}', anonymous],
    ["authenticated: uid as text", '{"uid": "7"}', full],
    ["its own: an int", own("3600"), 3600 * second],
    ["its own: a text", own('"3600"'), 3600 * second],
    ["its own: longer than the default", own("9999999999"), 9_999_999_999 * second],
    ["its own: zero", own("0"), full],
    ["its own: zero as text", own('"0"'), full],
    ["its own: null", own("null"), full],
    ["its own: an empty text", own('""'), full],
    ["its own: no number", own('"soon"'), full],
    ["its own: a float", own("3600.5"), full],
    ["its own: beyond 10 digits", own("10000000000"), full],
    ["its own, anonymous", '{"expiration": 60}', 60 * second],
  ];
  for (const [name, held, lifetime] of rows) {
    it(name, () => {
      assert.equal(decide({ held, endsMs: savedBeforeFile(1, lifetime) }), "replace", "saved before");
      assert.equal(decide({ held, endsMs: savedBeforeFile(0, lifetime) }), "kept", "saved at the same time");
      assert.equal(decide({ held, endsMs: savedBeforeFile(-1, lifetime) }), "kept", "saved after");
      assert.equal(decide({ held, endsMs: nowMs + lifetime + 5001 }), tooLong, "saved in the future");
    });
  }

  it("its own: negative, which no save leaves: kept, with a warning", () =>
    assert.equal(decide({ held: own("-60"), endsMs: nowMs - 1 }), tooLong));

  it("the file's own lifetime says nothing about the save", () => {
    const file = '{"uid": 2, "expiration": 60}';
    assert.equal(decide({ file, endsMs: savedBeforeFile(1) }), "replace");
    assert.equal(decide({ file, endsMs: savedBeforeFile(0) }), "kept");
  });
});
