import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecentWrites } from "../../src/migrate/writing/recent-writes.js";
import type { Candidate } from "../../src/model/entry.js";

const fullLifetimeMs = 1000;
/** Opened at 5000: its instant implies a save at 3000. */
const candidate = (mtimeMs: number, expiresAtMs = 4000): Candidate => ({
  entry: { key: "k", value: "{}", expiresAtMs },
  mtimeMs,
  fullLifetimeMs,
});

describe("recent-writes: an older file never replaces what this run wrote for a newer one (Conflicts)", () => {
  const rows: readonly (readonly [
    name: string,
    sent: readonly Candidate[],
    later: Candidate,
    storedExpiresAtMs: number | null,
    holdsNewer: boolean,
  ])[] = [
    ["an older file of the same session", [candidate(4900)], candidate(4800, 4001), 4000, true],
    ["the same time", [candidate(4900)], candidate(4900, 4001), 4000, true],
    ["a newer file", [candidate(4900)], candidate(4950, 4001), 4000, false],
    ["saved by the server since", [candidate(4900)], candidate(4800, 4001), 4321, false],
    ["without a lifetime", [candidate(4900)], candidate(4800, 4001), null, false],
    ["what was sent was not just modified: its instant tells", [candidate(2999)], candidate(2000, 4001), 4000, false],
    ["the newer of two sent", [candidate(4900), candidate(4800, 4001)], candidate(4850, 4002), 4000, true],
    ["nothing sent", [], candidate(4800), 4000, false],
  ];
  for (const [name, sent, later, storedExpiresAtMs, holdsNewer] of rows) {
    it(name, () => {
      const writes = new RecentWrites();
      writes.note(sent);
      assert.equal(writes.holdsNewer(later, storedExpiresAtMs), holdsNewer);
    });
  }
});
