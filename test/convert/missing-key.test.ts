import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  explainMissing,
  isCoveredByMark,
  isUnmodifiedSinceMark,
  locateServer,
  type MissingSession,
  mayBeModifiedSince,
} from "../../src/convert/missing-key.js";
import type { DirectoryFacts, DirectoryMark } from "../../src/model/mark.js";

const hour = 3_600_000;
const day = 24 * hour;
const nowMs = Date.UTC(2026, 0, 10) + 123;
const markMs = nowMs - hour;
const current = { expiration: 604_800, expirationAnonymous: 10_800 };
const mark: DirectoryMark = {
  startedMs: markMs,
  startedWithoutKeepMs: markMs,
  renewedMs: markMs,
  shortest: current,
  longest: current,
  ttl: "full",
};

describe("modified-since: mtime or ctime, which may lag (spec.md section 1)", () => {
  const rows: readonly (readonly [name: string, mtimeMs: number, ctimeMs: number, all: boolean, expected: boolean])[] =
    [
      ["long before", markMs - day - 0.5, markMs - day - 0.5, true, false],
      ["a clock tick before", markMs - 51, markMs - 51, true, false],
      ["less than that before: doubt says modified", markMs - 49, markMs - 49, true, true],
      ["in whole seconds, 2 s before", markMs - 2123, markMs - 2123, true, false],
      ["in whole seconds, less than 2 s before", markMs - 1123, markMs - 1123, true, true],
      ["put there later with an old mtime: its ctime shows it", markMs - day, markMs + 1, true, true],
      ["as above, but something touched every file", markMs - day, markMs + 1, false, false],
      ["by its mtime alone", markMs + 1, markMs - day, false, true],
    ];
  for (const [name, mtimeMs, ctimeMs, changeTimesCount, expected] of rows)
    it(name, () => assert.equal(mayBeModifiedSince({ mtimeMs, ctimeMs }, markMs, changeTimesCount), expected));
});

describe("missing-key: where the server works (spec.md section 4)", () => {
  const rows: readonly (readonly [
    name: string,
    keys: Parameters<typeof locateServer>[0],
    facts: Parameters<typeof locateServer>[1],
    expected: string,
  ])[] = [
    ["a server-saved key, no matter what the files say", "server-saved", { latestMtimeMs: nowMs }, "redis"],
    ["none, and no complete run yet", "none", { latestMtimeMs: 0 }, "files"],
    ["none, a file modified since the mark", "none", { mark, latestMtimeMs: nowMs - 1000 }, "files"],
    ["none, no file modified since the mark", "none", { mark, latestMtimeMs: markMs - day }, "unknown"],
    [
      "none, a file modified since the mark, but more than four hours ago",
      "none",
      { mark: { ...mark, startedMs: markMs - 2 * day }, latestMtimeMs: nowMs - 5 * hour },
      "unknown",
    ],
    ["none, a file dated far in the future", "none", { mark, latestMtimeMs: nowMs + day }, "unknown"],
    ["nothing known of the keys", "unknown", { latestMtimeMs: nowMs }, "unknown"],
  ];
  for (const [name, keys, facts, expected] of rows)
    it(name, () => assert.equal(locateServer(keys, facts, nowMs), expected));
});

function factsOf(change: Partial<DirectoryFacts> = {}): DirectoryFacts {
  return {
    ...{ directory: "/srv/s", mark, serverWorks: "redis", endedCounts: true },
    ...{ changeTimesCount: true, latestMtimeMs: 0, whole: true },
    ...change,
  } as const;
}

const old = { mtimeMs: markMs - 2 * day, ctimeMs: markMs - 2 * day };
const session = (change: Partial<MissingSession> = {}): MissingSession => ({
  stamp: old,
  fullLifetimeMs: current.expiration * 1000,
  lifetimeOrigin: "authenticated",
  ...change,
});

describe("missing-key: a mark covers files that were not modified since", () => {
  it("covers an unmodified file", () => assert.equal(isCoveredByMark(old, factsOf()), true));
  it("not for a modified file", () => assert.equal(isCoveredByMark({ ...old, mtimeMs: nowMs }, factsOf()), false));
  it("not without a mark", () => {
    const { mark: _, ...others } = factsOf();
    assert.equal(isCoveredByMark(old, others), false);
    assert.equal(isCoveredByMark(old, undefined), false);
  });
  it("for the newest rule, only mtimes and only runs without keep count", () => {
    assert.equal(isUnmodifiedSinceMark({ ...old, ctimeMs: nowMs }, factsOf()), true);
    const { startedWithoutKeepMs: _, ...kept } = mark;
    assert.equal(isUnmodifiedSinceMark(old, factsOf({ mark: kept })), false);
  });
});

describe("missing-key: what a missing key means (spec.md section 4, Marks)", () => {
  const monthAgo = nowMs - 30 * day;
  const oldMark = { ...mark, startedMs: monthAgo, renewedMs: monthAgo };
  const anonymous = session({ lifetimeOrigin: "anonymous", fullLifetimeMs: 10_800_000 });
  const ancient = { mtimeMs: monthAgo - day, ctimeMs: monthAgo - day };
  const rows: readonly (readonly [name: string, session: MissingSession, facts: DirectoryFacts, expected: string])[] = [
    ["modified since the mark", session({ stamp: { mtimeMs: nowMs, ctimeMs: nowMs } }), factsOf(), "write"],
    ["1: the server works on files", session(), factsOf({ serverWorks: "files" }), "write"],
    [
      "2: its key ran out, and a file was saved after that",
      session({ stamp: ancient }),
      factsOf({ mark: oldMark, latestMtimeMs: nowMs - day }),
      "write",
    ],
    [
      "2: its key ran out, and no file was saved after that",
      session({ stamp: ancient }),
      factsOf({ mark: oldMark, latestMtimeMs: monthAgo + day }),
      "ended",
    ],
    [
      "2: not known before the whole directory was seen",
      session({ stamp: ancient }),
      factsOf({ mark: oldMark, latestMtimeMs: monthAgo + day, whole: false }),
      "unknown",
    ],
    [
      "2: lifetimes renewed since: not run out yet",
      session({ stamp: ancient }),
      factsOf({ mark: { ...oldMark, renewedMs: nowMs - day }, latestMtimeMs: nowMs - 1 }),
      "ended",
    ],
    [
      "2: by the shortest expirations",
      session({ stamp: ancient }),
      factsOf({
        mark: { ...oldMark, renewedMs: nowMs - day, shortest: { expiration: 60, expirationAnonymous: 60 } },
        latestMtimeMs: nowMs - 1,
      }),
      "write",
    ],
    [
      "2: its own expiration",
      session({ stamp: ancient, lifetimeOrigin: "own", fullLifetimeMs: 60_000 }),
      factsOf({ mark: { ...oldMark, renewedMs: nowMs - day }, latestMtimeMs: nowMs - 1 }),
      "write",
    ],
    [
      "2: with --ttl remaining from the file's time",
      anonymous,
      factsOf({ mark: { ...mark, ttl: "remaining" }, latestMtimeMs: nowMs - 1 }),
      "write",
    ],
    [
      "2: a mark without expirations counts by the current ones",
      anonymous,
      factsOf({
        mark: { startedMs: monthAgo, renewedMs: monthAgo },
        latestMtimeMs: nowMs - 1,
      }),
      "write",
    ],
    ["3: otherwise", session(), factsOf(), "ended"],
    ["3: on Redis, known before the whole directory was seen", session(), factsOf({ whole: false }), "ended"],
    [
      "unknown server, before the whole directory was seen",
      session(),
      factsOf({ serverWorks: "unknown", whole: false }),
      "unknown",
    ],
    ["unknown server, after the whole directory was seen", session(), factsOf({ serverWorks: "unknown" }), "ended"],
    ["Redis evicts, or does not tell", session(), factsOf({ endedCounts: false }), "write"],
  ];
  for (const [name, missing, facts, expected] of rows) {
    it(name, () => {
      const stamp = name.startsWith("2: a mark without") ? ancient : missing.stamp;
      assert.equal(explainMissing({ ...missing, stamp }, facts, current, nowMs), expected);
    });
  }
});
