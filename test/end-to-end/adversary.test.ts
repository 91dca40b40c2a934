import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { raiseStorm, type Storm } from "./support/storm.js";

/** The long version has more of them. */
const seeds = Number(process.env["TELE_SESSIONS_ADVERSARY"] ?? 1);

const storms: readonly (Omit<Storm, "seed"> & { readonly name: string })[] = [
  {
    name: "purge",
    args: ["purge", "--in-use"],
    sessions: 1200,
    bytesBefore: 3000,
    held: true,
    swapsDirectory: true,
  },
  {
    // An entry then says when its file was modified, so that what comes later is known to be none of it.
    name: "copy --purge",
    args: ["copy", "--purge", "--in-use", "--ttl", "remaining"],
    sessions: 600,
    bytesBefore: 60_000,
    held: false,
    swapsDirectory: false,
  },
  {
    name: "purge --unverified",
    args: ["purge", "--unverified", "--yes"],
    sessions: 800,
    bytesBefore: 0,
    held: false,
    swapsDirectory: false,
  },
];

describe("an adversary swaps files, folders and the directory while a run is at work (spec.md section 4, Purge)", () => {
  for (const { name, ...storm } of storms) {
    for (let seed = 1; seed <= seeds; seed++) {
      test(`${name}, seed ${seed}: nothing outside, nothing unread and nothing that Redis lacks goes`, async (t) => {
        const { disturbed, undisturbed, done, wrongs, left, replaced, putBack } = await raiseStorm(t, {
          ...storm,
          seed,
        });
        const { purged } = disturbed.report.sessions;
        const swaps = Object.values(done).reduce((sum, count) => sum + count, 0);
        t.diagnostic(
          `${swaps} swaps: ${purged} of ${storm.sessions} removed, ${putBack} others set aside and put back, ${replaced} replaced`,
        );
        assert.deepEqual(wrongs.slice(0, 10), [], `${wrongs.length} wrongs\n${disturbed.stderr}`);
        assert.ok([0, 1, 3, 4].includes(disturbed.exitCode ?? -1), disturbed.stderr);
        assert.ok([0, 1, 4].includes(undisturbed.exitCode ?? -1), undisturbed.stderr);
        assert.deepEqual(left, []);
      });
    }
  }
});
