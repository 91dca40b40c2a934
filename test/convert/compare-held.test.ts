import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compareHeld } from "../../src/convert/compare-held.js";
import type { LifetimeSettings } from "../../src/convert/lifetime.js";

const nowMs = Date.UTC(2026, 0, 10);
const second = 1000;
const day = 86_400 * second;
const full = 604_800 * second;
const fileModifiedMs = nowMs - day;
const fileValue = '{"uid": 2, "v": "file"}';
const otherValue = '{"uid": 2, "v": "held"}';

interface Case {
  /** What Redis holds; the file's own value by default. */
  readonly held?: string | Buffer;
  /** When the key ends; null: never. */
  readonly endsMs: number | null;
  readonly file?: string;
  readonly modifiedMs?: number;
  readonly ttl?: LifetimeSettings["ttl"];
}

function compare({
  held = fileValue,
  endsMs,
  file = fileValue,
  modifiedMs = fileModifiedMs,
  ttl = "full",
}: Case): string {
  const entry = { key: "session:a", value: file, expiresAtMs: nowMs + full - 2 * second };
  const comparison = compareHeld(
    { entry, mtimeMs: modifiedMs, fullLifetimeMs: full },
    { kind: "text", value: Buffer.from(held), expiresAtMs: endsMs },
    { ttl, expiration: 604_800, expirationAnonymous: 10_800 },
    nowMs,
  );
  if (comparison.kind === "equal")
    return comparison.lifetimeIsRight ? "equal" : "equal, its lifetime is wrong";
  return "warning" in comparison ? `${comparison.kind}: ${comparison.warning}` : comparison.kind;
}

const setOf = (items: string): string => `{"uid": 2, "s": {"_type": "set", "value": [${items}]}}`;
/** The end of a key whose session was saved so long before the file was modified. */
const savedBeforeFile = (milliseconds: number): number => fileModifiedMs - milliseconds + full;
const noSession = "different: a key holds what is no session: it was left alone";
const tooLong = "different: a key's lifetime is longer than the settings say: it was left alone";

describe("compare-held: an equal value: a lifetime is right up to full + 5 s (spec.md section 4, Verify)", () => {
  const wrong = "equal, its lifetime is wrong";
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["full", { endsMs: nowMs + full }, "equal"],
    ["what this run would write", { endsMs: nowMs + full - 2 * second }, "equal"],
    ["full + 5 s", { endsMs: nowMs + full + 5 * second }, "equal"],
    ["a millisecond more", { endsMs: nowMs + full + 5 * second + 1 }, wrong],
    ["none at all", { endsMs: null }, wrong],
    ["about to end", { endsMs: nowMs + 1 }, "equal"],
    [
      "the same set in another order",
      { file: setOf("1, 2"), held: setOf("2, 1"), endsMs: nowMs + 1 },
      "equal",
    ],
    [
      "the same set in another order, for ever",
      { file: setOf("1, 2"), held: setOf("2, 1"), endsMs: null },
      wrong,
    ],
  ];
  for (const [name, case_, expected] of rows) it(name, () => assert.equal(compare(case_), expected));
});

describe("compare-held: an equal value with --ttl remaining: within 5 s of mtime + full, or saved since (Verify)", () => {
  const wrong = "equal, its lifetime is wrong";
  const ends = fileModifiedMs + full;
  const rows: readonly (readonly [name: string, endsMs: number | null, expected: string])[] = [
    ["what remains of it", ends, "equal"],
    ["5 s less", ends - 5 * second, "equal"],
    ["a millisecond shorter than that", ends - 5 * second - 1, wrong],
    ["longer: saved since", ends + day - second, "equal"],
    ["longer than full + 5 s", nowMs + full + 5 * second + 1, wrong],
    ["none at all", null, wrong],
  ];
  for (const [name, endsMs, expected] of rows)
    it(name, () => assert.equal(compare({ endsMs, ttl: "remaining" }), expected));
});

describe("compare-held: another value is newer only where Redis saved it after the file's last modification (Purge: equal or newer)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["saved after it", { endsMs: savedBeforeFile(-1) }, "newer"],
    ["saved at the same time", { endsMs: savedBeforeFile(0) }, "newer"],
    ["saved before it", { endsMs: savedBeforeFile(1) }, "different"],
    [
      "saved a fraction of a millisecond before it",
      { endsMs: savedBeforeFile(0), modifiedMs: fileModifiedMs + 0.25 },
      "different",
    ],
    ["no lifetime: just saved", { endsMs: null }, "newer"],
    ["saved in the future, within 5 s", { endsMs: nowMs + full + 5 * second }, "newer"],
    ["saved in the future: doubt is no proof", { endsMs: nowMs + full + 5 * second + 1 }, tooLong],
    ["no session: doubt is no proof", { held: "[]", endsMs: nowMs + full }, noSession],
    ["no JSON: doubt is no proof", { held: Buffer.from([0x80, 4]), endsMs: nowMs + full }, noSession],
    ["an empty text: doubt is no proof", { held: "", endsMs: nowMs + full }, noSession],
    [
      "its own lifetime dates the save: before the file",
      { held: '{"uid": 2, "expiration": 60}', endsMs: fileModifiedMs + 60 * second - 1 },
      "different",
    ],
    [
      "its own lifetime dates the save: after the file",
      { held: '{"uid": 2, "expiration": 60}', endsMs: fileModifiedMs + 60 * second },
      "newer",
    ],
    ["with --ttl remaining likewise", { endsMs: savedBeforeFile(1), ttl: "remaining" }, "different"],
  ];
  for (const [name, case_, expected] of rows)
    it(name, () => assert.equal(compare({ held: otherValue, ...case_ }), expected));

  it("whatever the times: newer means saved no earlier than the file, and not in the future", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -30 * day, max: 30 * day }),
        fc.double({ min: -30 * day, max: 30 * day, noNaN: true }),
        fc.constantFrom("full" as const, "remaining" as const),
        (savedAgo, modifiedAgo, ttl) => {
          const savedMs = nowMs - savedAgo;
          const modifiedMs = nowMs - modifiedAgo;
          const comparison = compare({ held: otherValue, endsMs: savedMs + full, modifiedMs, ttl });
          const isNewer = savedMs <= nowMs + 5 * second && (savedMs > nowMs || savedMs >= modifiedMs);
          assert.equal(comparison === "newer", isNewer, comparison);
        },
      ),
    );
  });
});
