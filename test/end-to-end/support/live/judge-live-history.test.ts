import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeLiveHistory } from "./judge-live-history.js";
import type {
  LiveCommand,
  LiveEnd,
  LiveHistory,
  LivePlace,
  LiveSession,
  LiveTrouble,
  LiveVersion,
} from "./live-history.js";

const sid = "0123456789abcdef0123456789abcdef01234567";

/** The n-th moment: so many commands and events have been, and it is so many minutes later. */
function place(moment: number): LivePlace {
  return { command: moment, event: moment, at: [moment * 60_000, moment * 60_000] };
}

function saved(version: number, moment: number, store: LiveVersion["store"] = "files"): LiveVersion {
  const { at } = place(moment);
  return { version, store, from: at, to: at, settled: at, event: store === "files" ? moment : null };
}

function ended(moment: number, store: LiveEnd["store"] = "files", how: LiveEnd["how"] = "end"): LiveEnd {
  const { at } = place(moment);
  return { how, store, from: at, to: at, event: store === "files" ? moment : null };
}

type Row = readonly [moment: number, by: "server" | "run", name: string, version?: number, further?: string];

interface Story {
  readonly versions: readonly LiveVersion[];
  readonly ended?: LiveEnd;
  readonly rows: readonly Row[];
  readonly removedAt?: number;
  readonly trouble?: Pick<LiveTrouble, "kind" | "read" | "known"> & { readonly moment: number };
}

/**
 * One session's story beside four runs: two copies of files (moments 10 to 19, its last pass from
 * 15 on, and 20 to 29, quiet at its end), the switch (30), a copy (40 to 49) and a purge (50 to
 * 59).
 */
function historyOf({ versions, ended: end = undefined, rows, removedAt, trouble }: Story): LiveHistory {
  const session: LiveSession = { sid, lifetimeSeconds: 60, versions, ended: end ?? null, value: null };
  // Other keys' commands fill the places between.
  const commands = Array.from({ length: 70 }, (): LiveCommand => [true, "get", 1, null, []]);
  for (const [moment, by, name, version, further] of rows) {
    commands[moment] = [by === "server", name, 0, version ?? null, further === undefined ? [] : [further]];
  }
  const other: LiveSession = { ...session, sid: "f".repeat(40), versions: [], ended: ended(0) };
  return {
    seed: 1,
    operations: 1,
    readings: 1,
    troubles: trouble === undefined ? [] : [{ ...trouble, sid, store: "redis", at: place(trouble.moment).at }],
    runs: [
      { name: "copy 1", begun: place(10), ended: place(20) },
      { name: "copy 2, quiet", begun: place(20), ended: place(30) },
      { name: "copy 3", begun: place(40), ended: place(50) },
      { name: "purge", begun: place(50), ended: place(60) },
    ],
    switched: place(30),
    passes: [11, 15, 21, 25, 41, 45, 51],
    removed: removedAt === undefined ? [] : [[sid, removedAt]],
    sessions: [session, other],
    commands,
  };
}

const copied: Row = [12, "run", "set", 1, "nx"];
const first = saved(1, 1);

const stories: readonly (readonly [name: string, story: Story, breaches: readonly RegExp[]])[] = [
  ["copied and left alone", { versions: [first], rows: [copied] }, []],
  ["copied, removed by the purge", { versions: [first], rows: [copied], removedAt: 52 }, []],
  ["removed by a copy", { versions: [first], rows: [copied], removedAt: 22 }, [/removed by copy 2/]],
  ["removed between two runs", { versions: [first], rows: [copied], removedAt: 61 }, [/removed by nobody/]],
  ["saved again, and copied again", { versions: [first, saved(2, 13)], rows: [copied, [23, "run", "set", 2]] }, []],
  [
    "saved again, and not copied again",
    { versions: [first, saved(2, 13)], rows: [copied] },
    [
      /holds version 1 of version 2 behind copy 2/,
      /version 1 of version 2 behind copy 3/,
      /version 1 of version 2 behind purge/,
    ],
  ],
  [
    "never copied",
    { versions: [first], rows: [] },
    [/nothing of version 1 behind copy 2/, /behind copy 3/, /behind purge/],
  ],
  [
    "a write only where no key stands does nothing where one does",
    { versions: [first, saved(2, 13)], rows: [copied, [23, "run", "set", 2], [24, "run", "set", 1, "nx"]] },
    [],
  ],
  [
    "an older version over a newer one, put right later",
    {
      versions: [first, saved(2, 2)],
      rows: [
        [12, "run", "set", 2, "nx"],
        [22, "run", "set", 1],
        [23, "run", "set", 2],
      ],
    },
    [/put version 1 in the place of 2/],
  ],
  [
    "a version that the server never saved",
    { versions: [first], rows: [copied, [23, "run", "set", 7]] },
    [/version 7 of its own/, /holds version 7 of version 1/, /copy 3/, /purge/],
  ],
  [
    "ended in files before the last pass, taken back",
    { versions: [first], ended: ended(14), rows: [copied, [16, "run", "del"]] },
    [],
  ],
  [
    "ended in files before the last pass, alive",
    { versions: [first], ended: ended(14), rows: [copied] },
    [/ended before the last pass of copy 1, alive/],
  ],
  ["ended in files after the last pass", { versions: [first], ended: ended(16), rows: [copied] }, []],
  [
    "found there by a copy that had nothing to write, ended in files before its last pass, alive",
    { versions: [first], ended: ended(24), rows: [copied, [22, "run", "set", 1, "nx"]] },
    [],
  ],
  ["ended in files before a later copy came to it", { versions: [first], ended: ended(21), rows: [copied] }, []],
  [
    "the key of a held session deleted",
    { versions: [first], rows: [copied, [26, "run", "del"]] },
    [/deleted the key, version 1/, /nothing of version 1/, /copy 3/, /purge/],
  ],
  [
    "saved in Redis, and the file's version kept away",
    {
      versions: [first, saved(2, 32, "redis")],
      rows: [copied, [32, "server", "set", 2], [42, "run", "set", 1, "nx"]],
    },
    [],
  ],
  [
    "saved in Redis, and replaced by the file's version",
    {
      versions: [first, saved(2, 32, "redis")],
      rows: [copied, [32, "server", "set", 2], [42, "run", "set", 1]],
    },
    [/put version 1 in the place of 2/, /version 1 of version 2 behind copy 3/, /behind purge/],
  ],
  [
    "ended in Redis",
    {
      versions: [first],
      ended: ended(32, "redis"),
      rows: [copied, [32, "server", "del"], [42, "run", "get"]],
    },
    [],
  ],
  [
    "ended in Redis, and revived",
    {
      versions: [first],
      ended: ended(32, "redis"),
      rows: [copied, [32, "server", "del"], [42, "run", "set", 1, "nx"]],
    },
    [/copy 3 revived/],
  ],
  [
    "ended in Redis, its file modified after the mark, and revived",
    {
      versions: [first, saved(2, 22)],
      ended: ended(32, "redis"),
      rows: [copied, [23, "run", "set", 2], [32, "server", "del"], [42, "run", "set", 2, "nx"]],
    },
    [],
  ],
  ["written by a purge", { versions: [first], rows: [copied, [52, "run", "set", 1]] }, [/purge wrote a session/]],
  ["an unknown command", { versions: [first], rows: [copied, [22, "run", "persist"]] }, [/sent persist/]],
  [
    "found missing, though it was copied",
    { versions: [first], rows: [copied], trouble: { kind: "missing", read: null, known: 0, moment: 35 } },
    [/read none in redis/],
  ],
  [
    "found missing, made behind the last copy before the switch",
    {
      versions: [saved(1, 30)],
      ended: ended(35, "redis", "missing"),
      rows: [],
      trouble: { kind: "missing", read: null, known: 0, moment: 35 },
    },
    [],
  ],
  [
    "found older than it was left",
    { versions: [first], rows: [copied], trouble: { kind: "older", read: 1, known: 2, moment: 35 } },
    [/read version 1 in redis where it had left 2/],
  ],
];

test("the judge of a live server's history finds each breach, and nothing else", async (t) => {
  for (const [name, story, expected] of stories) {
    await t.test(name, () => {
      const { breaches } = judgeLiveHistory(historyOf(story));
      assert.equal(breaches.length, expected.length, breaches.join("\n"));
      for (const pattern of expected) {
        assert.ok(
          breaches.some((breach) => pattern.test(breach)),
          `${pattern}\n${breaches.join("\n")}`,
        );
      }
      for (const breach of breaches) assert.ok(!breach.includes(sid));
    });
  }
});
