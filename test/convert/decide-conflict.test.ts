import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConflictPolicy, decideConflict } from "../../src/convert/decide-conflict.js";
import { signedInstant } from "../../src/convert/sign.js";
import type { Candidate } from "../../src/model/entry.js";

const nowMs = Date.UTC(2026, 0, 10);
const second = 1000;
const day = 86_400 * second;
const expirations = { expiration: 604_800, expirationAnonymous: 10_800 };
const full = expirations.expiration * second;
const anonymous = expirations.expirationAnonymous * second;

/** The file's session, modified a day ago, and the expected decision. */
const fileValue = '{"uid": 2, "v": "file"}';
const fileModifiedMs = nowMs - day;
const ourInstant = nowMs + full - 2 * second;

interface Case {
  readonly file?: string;
  readonly modifiedMs?: number;
  /** The value in Redis; another than the file's by default. */
  readonly stored?: string | Buffer;
  /** When the key expires; null for never. By default, it was saved two days ago. */
  readonly endsMs?: number | null;
  readonly policy?: ConflictPolicy;
  /** Who saved the key. A copy, the default, signs the expiry. */
  readonly by?: "copy" | "server";
  readonly renews?: boolean;
  readonly signsCount?: boolean;
  readonly longest?: typeof expirations;
  readonly unmodifiedSinceMark?: true;
  readonly provesCopies?: boolean;
}

const heldValue = '{"uid": 2, "v": "stored"}';

function decide({
  file = fileValue,
  modifiedMs = fileModifiedMs,
  stored = heldValue,
  endsMs = nowMs - 2 * day + full,
  policy = "newest",
  by = "copy",
  renews = false,
  signsCount = true,
  longest = expirations,
  provesCopies = false,
  ...marks
}: Case): string {
  const candidate: Candidate = {
    entry: { key: "session:a", value: file, expiresAtMs: signedInstant(ourInstant, file, 0) },
    mtimeMs: modifiedMs,
    fullLifetimeMs: full,
    ...marks,
  };
  const value = typeof stored === "string" ? Buffer.from(stored) : stored;
  const signed = endsMs === null ? null : signedInstant(endsMs, value, 0);
  const expiresAtMs = by === "copy" ? signed : endsMs === signed ? endsMs && endsMs - 1 : endsMs;
  const rules = {
    policy,
    lifetimes: { ttl: "full" as const, ...expirations },
    longest,
    clockLeadMs: 0,
    signsCount,
    renews,
    provesCopies,
  };
  const decision = decideConflict(candidate, { kind: "text", value, expiresAtMs }, rules, nowMs);
  if ("inDoubt" in decision) return inDoubt;
  return "renews" in decision ? "renew" : decision.kind;
}

const inDoubt = "kept, in doubt";
/** The expiry of a key whose session was saved that long before the file was modified. */
const savedBeforeFile = (milliseconds: number, lifetime = full): number => fileModifiedMs - milliseconds + lifetime;

const setOf = (items: string): string => `{"uid": 2, "s": {"_type": "set", "value": [${items}]}}`;

describe("decide-conflict: an equal value (spec.md section 4, Conflicts)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["a lifetime that is right: identical", { stored: fileValue, endsMs: nowMs + full - day }, "identical"],
    ["about to end: identical, its lifetime is not renewed", { stored: fileValue, endsMs: nowMs + 1 }, "identical"],
    ["ended by our clock: identical", { stored: fileValue, endsMs: nowMs - 1 }, "identical"],
    ["the items of a set in another order: identical", { file: setOf("1, 2"), stored: setOf("2, 1") }, "identical"],
    ["no lifetime: endless", { stored: fileValue, endsMs: null }, "endless"],
    [
      "a set in another order, no lifetime: endless",
      { file: setOf("1, 2"), stored: setOf("2, 1"), endsMs: null },
      "endless",
    ],
    ["full + 5 s: identical", { stored: fileValue, endsMs: nowMs + full + 5 * second }, "identical"],
    ["longer than full + 5 s: refresh", { stored: fileValue, endsMs: nowMs + full + 6 * second }, "refresh"],
    ["far too long: refresh", { stored: fileValue, endsMs: nowMs + 100 * full }, "refresh"],
    [
      "copy-written, while the server works on files: renewed",
      { stored: fileValue, endsMs: nowMs + full - day, renews: true },
      "renew",
    ],
    [
      "saved by a server: its lifetime is left alone",
      { stored: fileValue, endsMs: nowMs + full - day, renews: true, by: "server" },
      "identical",
    ],
    [
      "whole seconds: no sign counts, so nothing is renewed",
      { stored: fileValue, endsMs: nowMs + full - day, renews: true, signsCount: false },
      "identical",
    ],
    [
      "copy-written with a later end than this copy would give: left alone",
      { stored: fileValue, endsMs: nowMs + full + second, renews: true },
      "identical",
    ],
    ["exactly our instant: perhaps our own write", { stored: fileValue, endsMs: ourInstant }, "own"],
    ["a second beside our instant: identical", { stored: fileValue, endsMs: ourInstant + second }, "identical"],
    ["no session, in the file as in Redis: identical", { file: "[1]", stored: "[1]" }, "identical"],
  ];
  for (const [name, case_, expected] of rows) {
    for (const policy of ["newest", "keep", "overwrite"] as const) {
      it(`${policy}: ${name}`, () => assert.equal(decide({ ...case_, policy }), expected));
    }
  }
});

describe("decide-conflict: keep and overwrite, another value", () => {
  const stored: readonly (readonly [name: string, case_: Case])[] = [
    ["older than the file", { endsMs: savedBeforeFile(day) }],
    ["newer than the file", { endsMs: savedBeforeFile(-second) }],
    ["no lifetime", { endsMs: null }],
    ["saved in the future", { endsMs: nowMs + 2 * full }],
    ["no session", { stored: "[]" }],
    ["no JSON", { stored: Buffer.from([0x80, 0xff, 0]) }],
    ["empty", { stored: "" }],
  ];
  for (const [name, case_] of stored) {
    it(`keep: ${name}`, () => assert.equal(decide({ ...case_, policy: "keep" }), "kept"));
    it(`overwrite: ${name}`, () => assert.equal(decide({ ...case_, policy: "overwrite" }), "replace"));
  }
});

describe("decide-conflict: newest, another value, in its three steps (spec.md section 4, Conflicts)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    [
      "1: unmodified since the mark, copied before",
      { endsMs: savedBeforeFile(day), unmodifiedSinceMark: true },
      "kept",
    ],
    [
      "1: unmodified since the mark, saved by an applet that sets three hours",
      { endsMs: nowMs + 3600 * second, by: "server", unmodifiedSinceMark: true },
      "kept",
    ],
    ["1: unmodified since the mark, no session", { stored: "[]", unmodifiedSinceMark: true }, "kept"],
    [
      "1: for a purge a copy-written key is dated as ever: a file may have been put back with its old time",
      { endsMs: savedBeforeFile(day), unmodifiedSinceMark: true, provesCopies: true },
      "replace",
    ],
    [
      "1: for a purge a server's save is the later one all the same",
      { endsMs: savedBeforeFile(day), by: "server", unmodifiedSinceMark: true, provesCopies: true },
      "kept",
    ],
    ["2: copied before the file was modified", { endsMs: savedBeforeFile(1) }, "replace"],
    ["2: copied after the file was modified", { endsMs: savedBeforeFile(-second) }, "kept"],
    [
      "2: copied with a longer expiration than today's: dated by the longest",
      { endsMs: savedBeforeFile(-day), longest: { expiration: 2 * 604_800, expirationAnonymous: 10_800 } },
      "replace",
    ],
    ["3: saved by a server after the file was modified", { endsMs: savedBeforeFile(-1), by: "server" }, "kept"],
    ["3: saved by a server, perhaps before", { endsMs: savedBeforeFile(2), by: "server" }, inDoubt],
    ["3: three hours left of a server's save", { endsMs: nowMs + 3 * 3600 * second, by: "server" }, inDoubt],
    [
      "3: absolute mode: the lifetime of the login two days ago",
      { endsMs: nowMs - 2 * day + full, by: "server" },
      inDoubt,
    ],
    ["whole seconds: no sign counts", { endsMs: savedBeforeFile(2 * second), signsCount: false }, inDoubt],
    ["no lifetime: just saved", { endsMs: null }, "kept"],
    ["no lifetime, though the file is of now", { endsMs: null, modifiedMs: nowMs }, "kept"],
    ["no lifetime and no session", { endsMs: null, stored: "[]" }, inDoubt],
    ["saved in the future, within 5 s", { endsMs: nowMs + full + second, modifiedMs: nowMs - day }, "kept"],
    ["saved in the future", { endsMs: nowMs + full + 6 * second, modifiedMs: nowMs + day }, inDoubt],
    ["saved in the future by a server", { endsMs: nowMs + full + 6 * second, by: "server" }, inDoubt],
    ["not JSON", { stored: "gASVAAAA", modifiedMs: nowMs }, inDoubt],
    ["not UTF-8", { stored: Buffer.from([0x80, 4, 0x95, 0xff]), modifiedMs: nowMs }, inDoubt],
    ["empty text", { stored: "", modifiedMs: nowMs }, inDoubt],
    ["JSON cut short", { stored: '{"uid": 2', modifiedMs: nowMs }, inDoubt],
    ["JSON with text after it", { stored: '{"uid": 2} ]', modifiedMs: nowMs }, inDoubt],
    ["a list", { stored: '[{"uid": 2}]', modifiedMs: nowMs }, inDoubt],
    ["a text", { stored: '"uid"', modifiedMs: nowMs }, inDoubt],
    ["null", { stored: "null", modifiedMs: nowMs }, inDoubt],
    ["501 levels", { stored: `{"a": ${"[".repeat(500)}${"]".repeat(500)}}`, modifiedMs: nowMs }, inDoubt],
    ["an int of too many digits", { stored: `{"a": ${"9".repeat(5000)}}`, modifiedMs: nowMs }, inDoubt],
    [
      "500 levels are a session",
      { stored: `{"uid": 2, "a": ${"[".repeat(499)}${"]".repeat(499)}}`, endsMs: savedBeforeFile(1) },
      "replace",
    ],
    ["NaN is a session", { stored: '{"uid": 2, "a": NaN}', endsMs: savedBeforeFile(1) }, "replace"],
    ["an empty dict is one", { stored: "{}", endsMs: savedBeforeFile(1, anonymous) }, "replace"],
  ];
  for (const [name, case_, expected] of rows) it(name, () => assert.equal(decide(case_), expected));
});

describe("decide-conflict: newest: the session in Redis dates its own save", () => {
  const own = (expiration: string): string => `{"uid": 2, "expiration": ${expiration}, "v": 1}`;
  const rows: readonly (readonly [name: string, stored: string, lifetime: number])[] = [
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
  for (const [name, stored, lifetime] of rows) {
    it(name, () => {
      assert.equal(decide({ stored, endsMs: savedBeforeFile(1, lifetime) }), "replace", "copied before");
      assert.equal(decide({ stored, endsMs: savedBeforeFile(-second, lifetime) }), "kept", "copied after");
      assert.equal(decide({ stored, by: "server", endsMs: savedBeforeFile(2, lifetime) }), inDoubt, "saved before");
      assert.equal(decide({ stored, by: "server", endsMs: savedBeforeFile(-1, lifetime) }), "kept", "saved after");
      assert.equal(decide({ stored, endsMs: nowMs + lifetime + 6001 }), inDoubt, "saved in the future");
    });
  }

  it("its own: negative, which no save writes: in doubt", () =>
    assert.equal(decide({ stored: own("-60"), endsMs: nowMs - 1 }), inDoubt));

  it("the file's own lifetime says nothing about the save", () => {
    const file = '{"uid": 2, "expiration": 60}';
    assert.equal(decide({ file, endsMs: savedBeforeFile(1) }), "replace");
    assert.equal(decide({ file, endsMs: savedBeforeFile(-second) }), "kept");
  });
});
