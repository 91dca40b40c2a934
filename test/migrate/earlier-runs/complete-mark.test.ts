import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CompleteRun, completeMarks, longestOf } from "../../../src/migrate/earlier-runs/complete-mark.js";
import type { DirectoryMark, Expirations } from "../../../src/model/mark.js";
import { wholeShard } from "../../../src/model/shard.js";
import { expirations, markAt } from "../survey-of.js";

const shorter: Expirations = { expiration: 100, expirationAnonymous: 20_000 };
const nowMs = 1000;

/** A run that began at 500, on settings that earlier ones did not have. */
function runWith(change: Partial<CompleteRun> = {}): CompleteRun {
  return { startedMs: 500, keeps: false, renewed: false, lifetimes: { ...shorter, ttl: "full" }, ...change };
}

/** The mark after a run over everything, with one before it. */
function wholeAfter(earlier: DirectoryMark | undefined, run: CompleteRun): DirectoryMark | undefined {
  const before = earlier === undefined ? [] : [{ shard: wholeShard, mark: earlier }];
  const left = completeMarks(before, wholeShard, run, nowMs);
  assert.equal(left.length, 1);
  return left[0]?.mark;
}

describe("complete-mark: what a complete run leaves (spec.md section 4, Marks)", () => {
  const both = {
    shortest: { expiration: 100, expirationAnonymous: expirations.expirationAnonymous },
    longest: { expiration: expirations.expiration, expirationAnonymous: 20_000 },
  };
  const ownOnly = { shortest: shorter, longest: shorter };
  const remaining: CompleteRun["lifetimes"] = { ...shorter, ttl: "remaining" };
  const old = { startedMs: 300, renewedMs: 300 };

  const rows: readonly (readonly [
    name: string,
    earlier: DirectoryMark | undefined,
    run: CompleteRun,
    expected: DirectoryMark,
  ])[] = [
    ["the first one counts as having renewed", undefined, runWith(), markAt(500, ownOnly)],
    [
      "the first one, with keep: no start without keep",
      undefined,
      runWith({ keeps: true }),
      { startedMs: 500, renewedMs: 500, ...ownOnly, ttl: "full" },
    ],
    ["one that renewed: only its own expirations count", markAt(300), runWith({ renewed: true }), markAt(500, ownOnly)],
    [
      "one that did not renew: the shortest and longest since",
      markAt(300),
      runWith(),
      markAt(500, { renewedMs: 300, ...both }),
    ],
    [
      "with keep: the last start without keep stays",
      markAt(300),
      runWith({ keeps: true }),
      markAt(500, { startedWithoutKeepMs: 300, renewedMs: 300, ...both }),
    ],
    [
      "earlier ones that all kept: the first start without keep",
      { ...old, shortest: shorter, longest: shorter, ttl: "full" },
      runWith(),
      markAt(500, { renewedMs: 300, ...ownOnly }),
    ],
    [
      "a mark without expirations counts by the current ones",
      old,
      runWith(),
      markAt(500, { renewedMs: 300, ...ownOnly }),
    ],
    [
      "remaining, as every run since the renewal",
      markAt(300, { ttl: "remaining" }),
      runWith({ lifetimes: remaining }),
      markAt(500, { renewedMs: 300, ...both, ttl: "remaining" }),
    ],
    [
      "remaining after full: full",
      markAt(300),
      runWith({ lifetimes: remaining }),
      markAt(500, { renewedMs: 300, ...both }),
    ],
    [
      "full after remaining: full",
      markAt(300, { ttl: "remaining" }),
      runWith(),
      markAt(500, { renewedMs: 300, ...both }),
    ],
    [
      "remaining, and renewed: remaining, whatever was before",
      markAt(300),
      runWith({ renewed: true, lifetimes: remaining }),
      markAt(500, { ...ownOnly, ttl: "remaining" }),
    ],
    [
      "a run that began later has left one: its instants stay, and this one's expirations count too",
      markAt(501),
      runWith({ renewed: true }),
      markAt(501, both),
    ],
    [
      "the clock of an earlier run was ahead: its mark is nothing",
      markAt(1001),
      runWith({ keeps: true }),
      { startedMs: 500, renewedMs: 500, ...ownOnly, ttl: "full" },
    ],
  ];
  for (const [name, earlier, run, expected] of rows) {
    it(name, () => assert.deepEqual(wholeAfter(earlier, run), expected));
  }

  it("the same run twice leaves the same mark", () => {
    for (const renewed of [true, false]) {
      const once = wholeAfter(markAt(300), runWith({ renewed }));
      assert.deepEqual(wholeAfter(once, runWith({ renewed })), once);
    }
  });
});

describe("complete-mark: the longest expirations of the marks and of this run (Who saved it)", () => {
  const rows: readonly (readonly [
    name: string,
    marks: readonly (DirectoryMark | undefined)[],
    expected: Expirations,
  ])[] = [
    ["no mark: this run's", [undefined], shorter],
    ["a mark without expirations: this run's", [{ startedMs: 1, renewedMs: 1 }], shorter],
    ["each kind by itself", [markAt(1)], { expiration: 604_800, expirationAnonymous: 20_000 }],
    [
      "over all directories",
      [markAt(1), undefined, markAt(1, { longest: { expiration: 1, expirationAnonymous: 30_000 } })],
      { expiration: 604_800, expirationAnonymous: 30_000 },
    ],
  ];
  for (const [name, marks, expected] of rows) {
    it(name, () => {
      const known = marks.flatMap((mark) => (mark === undefined ? [] : [{ shard: wholeShard, mark }]));
      assert.deepEqual(longestOf(known, shorter), expected);
    });
  }
});
