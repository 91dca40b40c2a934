import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compareStored } from "../../src/convert/decide-conflict.js";
import type { LifetimeOptions } from "../../src/convert/lifetime.js";
import { signedInstant } from "../../src/convert/sign.js";

const nowMs = Date.UTC(2026, 0, 10);
const second = 1000;
const day = 86_400 * second;
const full = 604_800 * second;
const fileModifiedMs = nowMs - day;
const fileValue = '{"uid": 2, "v": "file"}';
const otherValue = '{"uid": 2, "v": "stored"}';

interface Case {
  /** The value in Redis; the file's own by default. */
  readonly stored?: string | Buffer;
  /** When the key expires; null for never. */
  readonly endsMs: number | null;
  /** Who saved it: the expiry is lowered by less than a second to carry a copy's sign, or not. */
  readonly by?: "copy" | "server";
  readonly policy?: "newest" | "keep";
  readonly file?: string;
  readonly modifiedMs?: number;
  readonly ttl?: LifetimeOptions["ttl"];
}

function compare({
  stored = fileValue,
  endsMs,
  file = fileValue,
  modifiedMs = fileModifiedMs,
  ttl = "full",
  by = "copy",
  policy = "newest",
}: Case): string {
  const value = Buffer.from(stored);
  const expiresAtMs =
    endsMs === null ? null : by === "copy" ? signedInstant(endsMs, value, 0) : unsigned(endsMs, value);
  const ends = ttl === "full" ? nowMs + full - 2 * second : modifiedMs + full;
  const entry = { key: "session:a", value: file, expiresAtMs: signedInstant(ends, file, 0) };
  const comparison = compareStored(
    { entry, mtimeMs: modifiedMs, fullLifetimeMs: full },
    { kind: "text", value, expiresAtMs },
    {
      policy,
      lifetimes: { ttl, ...expirations },
      longest: expirations,
      clockLeadMs: 0,
      signsCount: true,
      renews: false,
      provesCopies: false,
    },
    nowMs,
  );
  if (comparison.kind === "equal") return comparison.lifetimeIsRight ? "equal" : "equal, its lifetime is wrong";
  return comparison.kind === "different" && comparison.inDoubt === true ? inDoubt : comparison.kind;
}

const setOf = (items: string): string => `{"uid": 2, "s": {"_type": "set", "value": [${items}]}}`;
/** The expiry of a key whose session was saved that long before the file was modified. */
const savedBeforeFile = (milliseconds: number): number => fileModifiedMs - milliseconds + full;
const expirations = { expiration: 604_800, expirationAnonymous: 10_800 };
const inDoubt = "different, in doubt";

/** The instant, or a millisecond less if it would carry the sign by chance. */
function unsigned(endsMs: number, value: Buffer): number {
  return signedInstant(endsMs, value, 0) === endsMs ? endsMs - 1 : endsMs;
}

describe("compare-stored: an equal value: a lifetime is right up to full + 5 s (spec.md section 4, Verify)", () => {
  const wrong = "equal, its lifetime is wrong";
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["full", { endsMs: nowMs + full }, "equal"],
    ["what this run would write", { endsMs: nowMs + full - 2 * second }, "equal"],
    ["full + 5 s", { endsMs: nowMs + full + 5 * second }, "equal"],
    ["a second more", { endsMs: nowMs + full + 6 * second }, wrong],
    ["none at all", { endsMs: null }, wrong],
    ["about to end", { endsMs: nowMs + 1 }, "equal"],
    ["the same set in another order", { file: setOf("1, 2"), stored: setOf("2, 1"), endsMs: nowMs + 1 }, "equal"],
    ["the same set in another order, for ever", { file: setOf("1, 2"), stored: setOf("2, 1"), endsMs: null }, wrong],
  ];
  for (const [name, case_, expected] of rows) it(name, () => assert.equal(compare(case_), expected));
});

describe("compare-stored: an equal value with --ttl remaining: a copy-written key may be off by 10 s (Verify)", () => {
  const wrong = "equal, its lifetime is wrong";
  const ends = fileModifiedMs + full;
  const rows: readonly (readonly [name: string, case_: Omit<Case, "ttl">, expected: string])[] = [
    ["what remains of it", { endsMs: ends }, "equal"],
    ["9 s less", { endsMs: ends - 9 * second }, "equal"],
    ["11 s less", { endsMs: ends - 11 * second }, wrong],
    ["11 s more", { endsMs: ends + 11 * second }, wrong],
    ["11 s less, saved by a server", { endsMs: ends - 11 * second, by: "server" }, "equal"],
    ["longer than full + 5 s", { endsMs: nowMs + full + 6 * second, by: "server" }, wrong],
    ["none at all", { endsMs: null }, wrong],
  ];
  for (const [name, case_, expected] of rows)
    it(name, () => assert.equal(compare({ ...case_, ttl: "remaining" }), expected));
});

describe("compare-stored: another value (spec.md section 4, Conflicts and Purge)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["copied after the file was saved", { endsMs: savedBeforeFile(-2 * second) }, "newer"],
    ["copied before the file was saved", { endsMs: savedBeforeFile(1) }, "different"],
    ["the same with keep", { endsMs: savedBeforeFile(1), policy: "keep" }, "different"],
    ["saved by a server after the file", { endsMs: savedBeforeFile(-2 * second), by: "server" }, "newer"],
    ["saved by a server, perhaps before the file", { endsMs: savedBeforeFile(day), by: "server" }, inDoubt],
    ["the same with keep", { endsMs: savedBeforeFile(day), by: "server", policy: "keep" }, "newer"],
    ["no lifetime: just saved", { endsMs: null }, "newer"],
    ["saved in the future: doubt is no proof", { endsMs: nowMs + full + 7 * second }, inDoubt],
    ["no session: doubt is no proof", { stored: "[]", endsMs: nowMs + full }, inDoubt],
    ["no JSON: doubt is no proof", { stored: Buffer.from([0x80, 4]), endsMs: nowMs + full }, inDoubt],
    ["an empty text: doubt is no proof", { stored: "", endsMs: nowMs + full }, inDoubt],
  ];
  for (const [name, case_, expected] of rows)
    it(name, () => assert.equal(compare({ stored: otherValue, ...case_ }), expected));

  it("at any times, a copy-written key is newer only if that copy read the file after its modification", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -30 * day, max: 30 * day }),
        fc.double({ min: -30 * day, max: 30 * day, noNaN: true }),
        (savedAgo, modifiedAgo) => {
          const ends = signedInstant(nowMs - savedAgo + full, Buffer.from(otherValue), 0);
          const savedMs = ends - full;
          const modifiedMs = nowMs - modifiedAgo;
          const isNewer = savedMs <= nowMs + 5 * second && savedMs >= modifiedMs;
          assert.equal(compare({ stored: otherValue, endsMs: ends, modifiedMs }) === "newer", isNewer);
        },
      ),
    );
  });
});
