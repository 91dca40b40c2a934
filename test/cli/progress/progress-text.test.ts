import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backText, progressText, startText, stateText } from "../../../src/cli/progress/progress-text.js";
import type { ProgressState } from "../../../src/model/progress/progress-state.js";
import { connecting, copying, removing, waiting } from "../../support/terminal/progress-states.js";

describe("progress-text: a line of progress", () => {
  const rows: readonly (readonly [name: string, state: ProgressState, text: string])[] = [
    ["a copy", copying, "copying 71%, 855,275 of 1,204,331, 41,200/s, about 8 s left, 12 FAILED"],
    [
      "the start",
      { ...copying, done: 0, perSecond: 0, secondsLeft: null, outcomes: {} },
      "copying 0%, 0 of 1,204,331, 0/s",
    ],
    [
      "one file is missing",
      { ...copying, done: 1_204_330, secondsLeft: 0.01, outcomes: {} },
      "copying 99%, 1,204,330 of 1,204,331, 41,200/s, about 1 s left",
    ],
    [
      "the end",
      { ...copying, done: 1_204_331, secondsLeft: 0, outcomes: {} },
      "copying 100%, 1,204,331 of 1,204,331, 41,200/s",
    ],
    [
      "more than were counted",
      { ...copying, done: 120, total: 100, secondsLeft: 0, outcomes: {} },
      "copying 100%, 120 of 100, 41,200/s",
    ],
    [
      "no file at all",
      { ...copying, done: 0, total: 0, perSecond: 0, secondsLeft: 0, outcomes: {} },
      "copying, 0 of 0, 0/s",
    ],
    [
      "hours left",
      { ...copying, secondsLeft: 7380, outcomes: {} },
      "copying 71%, 855,275 of 1,204,331, 41,200/s, about 2 h 3 min left",
    ],
    ["connecting", connecting, "connecting"],
  ];
  for (const [name, state, text] of rows) it(name, () => assert.equal(progressText(state), text));
});

describe("progress-text: everything in one line", () => {
  const rows: readonly (readonly [name: string, state: ProgressState, text: string])[] = [
    [
      "a copy",
      copying,
      "copying 71%, 855,275 of 1,204,331, 41,200/s, about 8 s left, 12 FAILED, pass 1, copied 854,962, " +
        "expired 101, Redis 689 MiB of 1.5 GiB, 0 evicted, 2 threads, 20 s elapsed",
    ],
    [
      "a purge",
      removing,
      "removing 16%, 200,000 of 1,204,331, 1,203/s, about 14 min left, block 3 of 13, removed 199,986, 14 left, " +
        "Redis 689 MiB of 1.5 GiB, 0 evicted, 2 threads, 3 min 2 s elapsed",
    ],
    [
      "waiting",
      { ...waiting, outcomes: { copied: 3 }, memory: null },
      "Waiting for Redis at redis-1:6379: connection refused, 14 s, copying 71%, 855,275 of 1,204,331, 41,200/s, " +
        "about 8 s left, pass 1, copied 3, 2 threads, 20 s elapsed",
    ],
    ["connecting", connecting, "connecting, 2 threads, 20 s elapsed"],
  ];
  for (const [name, state, text] of rows) it(name, () => assert.equal(stateText(state), text));
});

describe("progress-text: the first line of a run", () => {
  const rows: readonly (readonly [state: ProgressState, text: string])[] = [
    [copying, "Copying 1,204,331 session files from /var/lib/tele/sessions to redis-1:6379/0"],
    [
      { ...copying, phase: "reading", dryRun: true, total: 1 },
      "Copying 1 session file from /var/lib/tele/sessions to redis-1:6379/0 (dry run: nothing is changed)",
    ],
    [
      { ...copying, phase: "comparing" },
      "Comparing 1,204,331 session files in /var/lib/tele/sessions with redis-1:6379/0",
    ],
    [{ ...copying, phase: "exporting" }, "Exporting 1,204,331 sessions from redis-1:6379/0 to /var/lib/tele/sessions"],
    [
      { ...copying, phase: "exporting", dryRun: true, total: 1 },
      "Exporting 1 session from redis-1:6379/0 to /var/lib/tele/sessions (dry run: nothing is changed)",
    ],
    [
      { ...removing, total: 100_000 },
      "Removing 1,204,331 session files from /var/lib/tele/sessions, comparing each with redis-1:6379/0 first",
    ],
    [
      { ...removing, redis: null },
      "Removing 1,204,331 session files from /var/lib/tele/sessions, without asking Redis",
    ],
  ];
  for (const [state, text] of rows) it(text, () => assert.equal(startText(state), text));
});

describe("progress-text: the end of a wait", () => {
  for (const [target, seconds, text] of [
    ["redis", 23.4, "Redis is back after 23 s"],
    ["redis", 1.2, "Redis is back after 1 s"],
    ["other-run", 61, "The other run has ended after 1 min 1 s"],
    ["replicas", 5, "The replicas are in step after 5 s"],
  ] as const)
    it(text, () => assert.equal(backText(target, seconds), text));
});
