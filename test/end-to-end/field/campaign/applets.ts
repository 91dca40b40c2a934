import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Field } from "./field.js";
import type { Situation } from "./situation.js";

const threeHoursMs = 10_800_000;
const saved = (index: number, what: string): string =>
  `{"db": "x", "uid": ${index + 2}, "login": "NotToBeShown", "v": "${what}"}`;

/** Copies, switches to an applet that saves so, lets it save the first three, and copies again. */
async function switchTo(field: Field, lifetimeMs: number | "kept" | "none"): Promise<void> {
  await field.before(["copy"]);
  for (const index of [0, 1, 2]) await field.serverSaves(index, saved(index, "in Redis"), lifetimeMs);
  await field.before(["copy"]);
}

/** The server on files saves a session. */
function saveInFile(field: Field, index: number, value: string, ageMs = 0): void {
  const session = field.session(index);
  session.values.add(value);
  field.write(session.path, value, ageMs);
}

async function assertServersValues(field: Field): Promise<void> {
  for (const index of [0, 1, 2]) assert.match(String(await field.ask("GET", field.keyOf(index))), /in Redis/);
}

const afterSwitch = { exit: 0, keys: 9 };

/** Applets, and what they left in Redis. */
export const applets: readonly Situation[] = [
  {
    name: "session_redis 18.0: copy, switch, copy again, verify",
    prepare: (field) => switchTo(field, 604_800_000),
    run: () => ["verify"],
    must: { ...afterSwitch, counts: { equal: 6, newer: 3 }, files: 9 },
    afterwards: assertServersValues,
  },
  {
    name: "session_redis 18.0: copy, switch, copy again, purge",
    prepare: (field) => switchTo(field, 604_800_000),
    run: () => ["purge"],
    must: { ...afterSwitch, counts: { removed: 9 }, files: 0 },
    afterwards: assertServersValues,
  },
  {
    name: "session_redis 19.0 sets 3 hours at each save: verify",
    prepare: (field) => switchTo(field, threeHoursMs),
    run: () => ["verify"],
    must: { ...afterSwitch, counts: { equal: 6, newer: 3 }, files: 9 },
    afterwards: assertServersValues,
  },
  {
    name: "session_redis 19.0 sets 3 hours at each save: purge",
    prepare: (field) => switchTo(field, threeHoursMs),
    run: () => ["purge"],
    must: { ...afterSwitch, counts: { removed: 9 }, files: 0 },
    afterwards: assertServersValues,
  },
  {
    name: "the absolute mode keeps the lifetime at a save: verify",
    prepare: (field) => switchTo(field, "kept"),
    run: () => ["verify"],
    must: { ...afterSwitch, counts: { equal: 6, newer: 3 }, files: 9 },
    afterwards: assertServersValues,
  },
  {
    name: "the absolute mode keeps the lifetime at a save: purge",
    prepare: (field) => switchTo(field, "kept"),
    run: () => ["copy", "--purge"],
    must: { ...afterSwitch, counts: { purged: 9 }, files: 0 },
    afterwards: assertServersValues,
  },
  {
    name: "keys without a lifetime, as a crash of the applet leaves them: saved just now",
    fault: true,
    prepare: (field) => switchTo(field, "none"),
    run: () => ["copy"],
    must: { ...afterSwitch, files: 9 },
    afterwards: assertServersValues,
  },
  {
    name: "the server's keys have the applet's layout: they are copied there",
    prepare: async (field) => {
      field.keyPrefix = "session::shop:";
      for (const index of [0, 1, 2])
        await field.ask("SET", `session::shop:${String(index).repeat(40)}`, saved(index, "x"), "PX", 600_123);
    },
    run: () => ["copy", "--prefix", "shop"],
    must: { exit: 0, counts: { copied: 9 }, keys: 12 },
  },
  {
    name: "the server's keys have both layouts: refused until one is named",
    prepare: async (field) => {
      for (const prefix of ["session::shop:", "session:shop:"])
        for (const index of [0, 1, 2])
          await field.ask("SET", prefix + String(index).repeat(40), saved(index, "x"), "PX", 600_123);
    },
    run: () => ["copy", "--prefix", "shop"],
    must: { exit: 5, says: ["--key-layout"], keys: 6, files: 9 },
  },
  {
    name: "our own copy under one layout is no evidence",
    prepare: async (field) => {
      field.keyPrefix = "session:shop:";
      await field.before(["copy", "--prefix", "shop", "--key-layout", "applet"]);
    },
    run: () => ["copy", "--quiet", "--prefix", "shop"],
    must: { exit: 0, says: ["--key-layout"], keys: 18 },
  },
  {
    name: "pickles of 7.0 under the keys: in doubt, both ways out are named",
    prepare: async (field) => {
      for (const index of [0, 1]) await field.serverSaves(index, "(dp0\nS'uid'\np1\nI2\ns.");
    },
    run: () => ["copy", "--quiet"],
    must: { exit: 0, says: ["--on-conflict overwrite"], counts: { copied: 7, kept: 2 }, keys: 9, files: 9 },
  },
  {
    name: "pickles of 7.0 under the keys: a purge leaves their files",
    prepare: async (field) => {
      for (const index of [0, 1]) await field.serverSaves(index, "(dp0\nS'uid'\np1\nI2\ns.");
      await field.before(["copy"]);
    },
    run: () => ["purge"],
    must: { exit: 4, counts: { removed: 7, kept: 2 }, keys: 9, files: 2 },
  },
  {
    name: "another type under a key fails alone",
    prepare: async (field) => {
      await field.ask("RPUSH", field.keyOf(0), "x");
    },
    run: () => ["copy", "--purge"],
    must: {
      exit: 1,
      counts: { copied: 8, failed: 1, purged: 8 },
      reasons: ["wrong-redis-type"],
      keys: 9,
      files: 1,
    },
  },
  {
    name: "another type under a key, overwritten by wish",
    prepare: async (field) => {
      await field.ask("RPUSH", field.keyOf(0), "x");
    },
    run: () => ["copy", "--on-conflict", "overwrite"],
    must: { exit: 0, counts: { copied: 9 }, keys: 9 },
  },
  {
    name: "the keys of a trial deleted by hand, nothing saved since: too many ended, nothing removed",
    fault: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      for (const index of field.sessions.keys()) await field.ask("DEL", field.keyOf(index));
    },
    run: () => ["copy", "--purge", "--quiet"],
    must: { exit: 4, says: ["--again"], counts: { purged: 0 }, files: 9 },
  },
  {
    name: "the keys of a trial deleted by hand, verify: exit 4",
    fault: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      for (const index of field.sessions.keys()) await field.ask("DEL", field.keyOf(index));
    },
    run: () => ["verify"],
    must: { exit: 4, keys: 0, files: 9 },
  },
  {
    name: "the keys of a trial deleted by hand, copy --again",
    fault: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      for (const index of field.sessions.keys()) await field.ask("DEL", field.keyOf(index));
    },
    run: () => ["copy", "--again", "--purge"],
    must: { exit: 0, counts: { copied: 9, purged: 9 }, keys: 9, files: 0 },
  },
  {
    name: "FLUSHALL between copy and verify",
    slow: true,
    fault: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.ask("FLUSHALL");
    },
    run: () => ["verify"],
    must: { exit: 4, counts: { missing: 9 }, keys: 0, files: 9 },
  },
  {
    name: "FLUSHALL between copy and purge",
    fault: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.ask("FLUSHALL");
    },
    run: () => ["purge"],
    must: { exit: 4, counts: { absent: 9, removed: 0 }, keys: 0, files: 9 },
  },
  {
    name: "FLUSHALL between two copies, the server still on files",
    fault: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.ask("FLUSHALL");
      saveInFile(field, 0, saved(0, "in a file"));
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 9 }, keys: 9 },
  },
  {
    name: "the server went back to files: in doubt, both ways out are named",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.serverSaves(0, saved(0, "in Redis"), 604_700_000);
      saveInFile(field, 0, saved(0, "in a file"));
    },
    run: () => ["copy", "--quiet"],
    must: { exit: 0, says: ["--on-conflict overwrite", "--on-conflict keep"], counts: { kept: 1 }, keys: 9 },
  },
  {
    name: "the server went back to files: verify calls it different",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.serverSaves(0, saved(0, "in Redis"), 604_700_000);
      saveInFile(field, 0, saved(0, "in a file"));
    },
    run: () => ["verify"],
    must: { exit: 4, counts: { different: 1, equal: 8 }, keys: 9 },
  },
  {
    name: "the server went back to files: the file's value by wish",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.serverSaves(0, saved(0, "in Redis"), 604_700_000);
      field.session(0).values.clear();
      saveInFile(field, 0, '{"db": "x", "uid": 2, "v": "in a file"}');
    },
    run: () => ["copy", "--on-conflict", "overwrite"],
    must: { exit: 0, counts: { copied: 1, identical: 8 }, keys: 9 },
    afterwards: async (field) => assert.match(String(await field.ask("GET", field.keyOf(0))), /in a file/),
  },
  {
    name: "sids of 84 characters: from which version on they are read",
    prepare: (field) => {
      for (const letter of ["g", "h"]) {
        const sid = letter.repeat(84);
        field.saveBytes(
          join(field.directory, sid.slice(0, 2), sid),
          sid,
          '{"db": "x", "uid": 2}',
          '{"db": "x", "uid": 2}',
        );
      }
    },
    run: () => ["copy"],
    must: { exit: 0, says: ["19.0"], counts: { copied: 11 }, keys: 11 },
  },
  {
    name: "a logout from files between two copies: its key goes",
    prepare: async (field) => {
      await field.before(["copy"]);
      rmSync(field.session(0).path);
      field.session(0).over = true;
      saveInFile(field, 1, '{"db": "x", "uid": 3}');
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { retracted: 1 }, keys: 8 },
  },
  {
    name: "a logout from Redis after the switch: it is not revived",
    prepare: async (field) => {
      await switchTo(field, 604_800_000);
      await field.ask("DEL", field.keyOf(5));
      field.session(5).over = true;
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { ended: 1, copied: 0 }, keys: 8, files: 9 },
  },
  {
    name: "keys of other programs are left alone",
    prepare: async (field) => {
      for (const key of ["cache:1", "sessions:count", "session-lock"]) await field.ask("SET", key, "x");
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 9 }, keys: 9 },
    afterwards: async (field) =>
      assert.equal(await field.ask("EXISTS", "cache:1", "sessions:count", "session-lock"), 3),
  },
  {
    name: "the purge switch alone: it removes, and says how many Redis did not hold",
    unbound: "removal without proof",
    prepare: async (field) => {
      await field.before(["copy"]);
      for (const index of [0, 1, 2, 3]) await field.ask("DEL", field.keyOf(index));
    },
    run: () => ["--stop-after-init"],
    environment: () => ({ TELE_SESSION_REDIS: "1", TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1" }),
    must: { exit: 0, says: ["4"], files: 0, keys: 5 },
  },
  {
    name: "the purge switch alone, and Redis cannot be asked: nothing is removed",
    fault: true,
    where: ["redis"],
    run: () => ["--stop-after-init", "--port", "1"],
    environment: () => ({ TELE_SESSION_REDIS: "1", TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1" }),
    must: { exit: 3, files: 9 },
  },
];
