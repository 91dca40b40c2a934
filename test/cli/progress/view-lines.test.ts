import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shortCount, viewLines } from "../../../src/cli/progress/view-lines.js";
import type { ProgressState } from "../../../src/model/progress/progress-state.js";
import { connecting, copying, removing, waiting } from "../../support/terminal/progress-states.js";

const rows = 24;
const listing: ProgressState = { ...connecting, phase: "listing", redis: null, done: 32_768 };
const verifying: ProgressState = {
  ...copying,
  phase: "comparing",
  bytesWritten: 0,
  outcomes: { equal: 10, newer: 1, missing: 2, different: 3, "wrong-lifetime": 4 },
};
const longPath = `/srv/${"long-folder/".repeat(12)}sessions`;

const table: readonly (readonly [name: string, state: ProgressState, columns: number, lines: string])[] = [
  [
    "a copy",
    copying,
    80,
    `
Copying /var/lib/tele/sessions to redis-1:6379/0              2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left   228 MiB written
  copied 854,962  expired 101  FAILED 12    Redis 689 MiB of 1.5 GiB, 0 evicted`,
  ],
  [
    "a copy",
    copying,
    200,
    `
Copying /var/lib/tele/sessions to redis-1:6379/0              2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left   228 MiB written
  copied 854,962  expired 101  FAILED 12    Redis 689 MiB of 1.5 GiB, 0 evicted`,
  ],
  [
    "a copy",
    copying,
    60,
    `
Copying /var/lib/tele/sessions to redis-1:6379/0
  ####################.........  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left   228 MiB written
  copied 854,962  expired 101  FAILED 12`,
  ],
  [
    "an export",
    { ...copying, phase: "exporting", outcomes: { exported: 854_000, kept: 1, failed: 12 } },
    80,
    `
Exporting from redis-1:6379/0 to /var/lib/tele/sessions       2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left   228 MiB written
  exported 854,000  already there 1  FAILED 12         Redis 689 MiB of 1.5 GiB`,
  ],
  ["a copy", copying, 59, "71% 855k/1.2M 41k/s 8 s left, 12 FAILED"],
  ["a copy", copying, 40, "71% 855k/1.2M 41k/s 8 s left, 12 FAILED"],
  ["a copy", copying, 39, "71% 855k/1.2M 41k/s 8 s left"],
  ["a copy", copying, 28, "71% 855k/1.2M 41k/s"],
  ["a copy", copying, 19, "71% 855k/1.2M"],
  ["a copy", copying, 10, "71%"],
  ["a copy", copying, 3, ""],
  [
    "a path that has no room is left out, and not cut",
    { ...copying, directories: [longPath] },
    80,
    `
Copying                                                       2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left   228 MiB written
  copied 854,962  expired 101  FAILED 12    Redis 689 MiB of 1.5 GiB, 0 evicted`,
  ],
  [
    "several directories; a Redis without a limit that hides evictions; nothing failed",
    {
      ...copying,
      directories: ["/srv/a", "/srv/b", "/srv/c"],
      outcomes: { copied: 1, identical: 2, kept: 3 },
      memory: { used: 2 ** 20, limit: null, evicted: null },
    },
    80,
    `
Copying /srv/a and 2 more to redis-1:6379/0                   2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left   228 MiB written
  copied 1  already there 5                                       Redis 1.0 MiB`,
  ],
  [
    "a later pass at its start, on one thread",
    {
      ...copying,
      phase: "settling",
      pass: 2,
      threads: 1,
      done: 0,
      secondsLeft: null,
      outcomes: {},
      memory: null,
    },
    80,
    `
Copying what changed in /var/lib/tele/sessions meanwhile       1 thread, pass 2
  ........................................   0%   0 of 1,204,331
  41,200/s   20 s elapsed   228 MiB written
  copied 0`,
  ],
  [
    "a dry run of a copy",
    { ...copying, phase: "reading", dryRun: true, bytesWritten: 0, memory: null },
    80,
    `
Reading /var/lib/tele/sessions (dry run)                      2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left
  to copy 854,962  expired 101  FAILED 12`,
  ],
  [
    "an inspection",
    { ...copying, phase: "reading", pass: null, redis: null, outcomes: {}, bytesWritten: 0, memory: null },
    80,
    `
Reading /var/lib/tele/sessions
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left`,
  ],
  [
    "a verification",
    verifying,
    80,
    `
Comparing /var/lib/tele/sessions with redis-1:6379/0          2 threads, pass 1
  ############################............  71%   855,275 of 1,204,331
  41,200/s   20 s elapsed, about 8 s left
  equal 11  DIFFERENT 7  MISSING 2          Redis 689 MiB of 1.5 GiB, 0 evicted`,
  ],
  [
    "a purge",
    removing,
    80,
    `
Removing from /var/lib/tele/sessions                    block 3 of 13: removing
  proved   ##################.............  60%    60,212 of 100,000
  removed  #####..........................  16%   199,986 of 1,204,331, 14 left
  3 min 2 s elapsed, about 14 min left   1,203/s`,
  ],
  [
    "a purge",
    removing,
    60,
    `
Removing from /var/lib/tele/sessions
  proved   ######.....  60%    60,212 of 100,000
  removed  #..........  16%   199,986 of 1,204,331, 14 left
  3 min 2 s elapsed, about 14 min left   1,203/s`,
  ],
  ["a purge", removing, 40, "16% 200k/1.2M 1.2k/s 14 min left"],
  [
    "a purge that has removed nothing yet does not guess",
    { ...removing, phase: "proving", secondsLeft: null },
    120,
    `
Removing from /var/lib/tele/sessions                     block 3 of 13: proving
  proved   ##################.............  60%    60,212 of 100,000
  removed  #####..........................  16%   199,986 of 1,204,331, 14 left
  3 min 2 s elapsed   1,203/s`,
  ],
  [
    "waiting",
    waiting,
    80,
    `
Waiting for Redis at redis-1:6379: connection refused, 14 s
  trying for 4 min 46 s more (--retry-for). Nothing is lost; Ctrl-C stops here,
  and running it again goes on.`,
  ],
  [
    "waiting",
    waiting,
    60,
    `
Waiting for Redis at redis-1:6379: connection refused, 14 s
  trying for 4 min 46 s more (--retry-for). Nothing is
  lost; Ctrl-C stops here, and running it again goes on.`,
  ],
  ["waiting", waiting, 40, "Waiting 14 s, connection refused"],
  ["waiting", waiting, 14, "Waiting 14 s"],
  ["connecting", connecting, 80, `Connecting to redis-1:6379/0 ...${" ".repeat(35)}20 s elapsed`],
  ["connecting", connecting, 40, "Connecting to redis-1:6379/0 ..."],
  ["connecting", connecting, 20, "Connecting"],
  [
    "listing",
    listing,
    80,
    `
Listing /var/lib/tele/sessions ...
  32,768 session files so far   20 s elapsed`,
  ],
  ["listing", listing, 40, "Listing 32k 41k/s"],
  ["a question", { ...connecting, phase: "asking" }, 80, ""],
  [
    "a name with control characters",
    { ...listing, directories: ["/srv/\x1b[31m\n"] },
    80,
    `
Listing /srv/\\u001b[31m\\u000a ...
  32,768 session files so far   20 s elapsed`,
  ],
];

describe("view-lines", () => {
  for (const [name, state, columns, lines] of table) {
    it(`${columns} columns: ${name}`, () => {
      assert.equal(viewLines(state, columns, rows).join("\n"), lines.replace(/^\n/, ""));
    });
  }

  it("a terminal of few rows has one line", () => {
    assert.deepEqual(viewLines(copying, 80, 5), ["71% 855k/1.2M 41k/s 8 s left, 12 FAILED"]);
  });

  for (const [name, state] of Object.entries({
    copying,
    removing,
    waiting,
    connecting,
    listing,
    verifying,
  })) {
    it(`${name}: at every width, in ASCII, no line reaches the last column, and no word is cut`, () => {
      const words = new Set(
        viewLines(state, 500, rows)
          .join(" ")
          .split(/[\s,]+/),
      );
      for (let columns = 1; columns <= 250; columns++) {
        for (const line of viewLines(state, columns, rows)) {
          assert.ok(line.length < columns, `${columns}: ${line}`);
          assert.match(line, /^[\x20-\x7e]*$/);
          if (columns < 60) continue;
          const cut = line
            .trim()
            .split(/[\s,]+/)
            .filter((word) => word !== "" && !words.has(word) && !/^[#.]+$/.test(word));
          assert.deepEqual(cut, [], `${columns}: ${line}`);
        }
      }
    });
  }
});

describe("a short count has at most four characters and never says more than there is", () => {
  for (const [count, text] of [
    [0, "0"],
    [999, "999"],
    [1000, "1k"],
    [1999, "1.9k"],
    [9999, "9.9k"],
    [10_000, "10k"],
    [855_075, "855k"],
    [999_999, "999k"],
    [1_204_331, "1.2M"],
    [2_600_000_000, "2.6G"],
  ] as const)
    it(`${count}: ${text}`, () => assert.equal(shortCount(count), text));
});
