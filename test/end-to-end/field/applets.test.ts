import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { hourMs, keyOf, pathOf, saveSession } from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";

const oldSession = '{"uid": 2, "login": "a", "v": "file"}';
const newSession = '{"uid": 2, "login": "a", "v": "saved by the server"}';
const sessions = 12;

/** How an applet saves a session that exists: value and lifetime (formats.md section 4). */
type Applet = (redis: RedisServer, key: string, value: string) => Promise<void>;

const expiring =
  (seconds: number): Applet =>
  async (redis, key, value) => {
    await redisCommand(redis, "SET", key, value);
    await redisCommand(redis, "EXPIRE", key, String(seconds));
  };
const keeping: Applet = async (redis, key, value) => {
  const existing = await redisCommand(redis, "SET", key, value, "XX", "KEEPTTL");
  if (existing === null) await redisCommand(redis, "SET", key, value, "EX", "604800");
};

const applets: readonly (readonly [name: string, save: Applet])[] = [
  ["7.0 to 18.0, the full lifetime at each save", expiring(604_800)],
  ["19.0, three hours at each save", expiring(10_800)],
  ["2026, absolute mode: later saves keep the lifetime", keeping],
];

function directoryOf(count: number, mtimeMs = Date.now() - hourMs): string {
  const directory = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= count; number++) saveSession(directory, number, oldSession, { mtimeMs });
  return directory;
}

function filesOf(directory: string): number[] {
  return Array.from({ length: sessions }, (_, index) => index + 1).filter((number) =>
    existsSync(pathOf(directory, number)),
  );
}

function outcomesOf(counts: object): Record<string, number> {
  const shown = ["copied", "identical", "kept", "ended", "equal", "newer", "missing", "different", "removed", "absent"];
  return Object.fromEntries(Object.entries(counts).filter(([kind, count]) => shown.includes(kind) && count > 0));
}

describe("each applet: copy, switch, copy again, verify, purge (spec.md section 4)", {
  concurrency: 2,
}, () => {
  for (const [name, save] of applets) {
    test(name, async (t) => {
      const redis = await redisOf(t);
      const directory = directoryOf(sessions);
      const args = [...between(directory, redis), "--json"];
      const first = await run(["copy", ...args]);
      assert.deepEqual([first.exitCode, first.report.target.serverWorks], [0, "files"], first.stderr);

      // The switch: four people work on, one logs out, one logs in.
      for (const number of [1, 2, 3, 4]) await save(redis, keyOf(number), newSession);
      await redisCommand(redis, "DEL", keyOf(5));
      await save(redis, keyOf(100), newSession);

      const second = await run(["copy", ...args]);
      assert.deepEqual(
        [second.exitCode, second.report.target.serverWorks, outcomesOf(second.report.sessions)],
        [0, "redis", { identical: 7, kept: 4, ended: 1 }],
        second.stderr,
      );
      for (const number of [1, 2, 3, 4]) {
        assert.equal(String(await redisCommand(redis, "GET", keyOf(number))), newSession);
      }
      assert.equal(await redisCommand(redis, "EXISTS", keyOf(5)), 0, "who logged out stays out");
      assert.equal(await redisCommand(redis, "EXISTS", keyOf(100)), 1, "who logged in stays in");

      const verified = await run(["verify", ...args]);
      assert.deepEqual(
        [verified.exitCode, outcomesOf(verified.report.sessions)],
        [0, { equal: 7, newer: 4, ended: 1 }],
        verified.stderr,
      );
      const purged = await run(["purge", ...args]);
      assert.deepEqual(
        [purged.exitCode, outcomesOf(purged.report.sessions), filesOf(directory)],
        [0, { removed: 11, ended: 1 }, [5]],
        purged.stderr,
      );
    });

    test(`${name}; then the server goes back to files`, async (t) => {
      const redis = await redisOf(t);
      const directory = directoryOf(sessions);
      const args = [...between(directory, redis), "--json"];
      assert.equal((await run(["copy", ...args])).exitCode, 0);
      await save(redis, keyOf(1), newSession);
      const back = '{"uid": 2, "login": "a", "v": "back on files"}';
      saveSession(directory, 1, back, { mtimeMs: Date.now() + 1500 });

      const doubted = await run(["copy", ...args, "--quiet"]);
      assert.deepEqual([doubted.exitCode, outcomesOf(doubted.report.sessions)], [0, { identical: 11, kept: 1 }]);
      assert.match(doubted.stderr, /--on-conflict overwrite/);
      assert.match(doubted.stderr, /--on-conflict keep/);
      assert.equal(String(await redisCommand(redis, "GET", keyOf(1))), newSession, "doubt keeps");
      const verified = await run(["verify", ...args]);
      assert.deepEqual(
        [verified.exitCode, verified.report.sessions],
        [4, { ...verified.report.sessions, different: 1 }],
      );
      assert.equal((await run(["verify", ...args, "--on-conflict", "keep"])).exitCode, 0);
      assert.equal((await run(["purge", ...args])).exitCode, 4);
      assert.ok(existsSync(pathOf(directory, 1)), "what is in doubt stays");

      const decided = await run(["copy", ...args, "--on-conflict", "overwrite"]);
      assert.deepEqual([decided.exitCode, decided.report.sessions.copied], [0, 1]);
      assert.equal(String(await redisCommand(redis, "GET", keyOf(1))), back);
    });
  }
});

const longSid = `${"aB3_-".repeat(17)}`.slice(0, 84);

/** A session file of Odoo 18 and later. */
function saveLong(directory: string, sid: string, value: object, ageMs = hourMs): void {
  mkdirSync(join(directory, sid.slice(0, 2)), { recursive: true });
  const path = join(directory, sid.slice(0, 2), sid);
  writeFileSync(path, JSON.stringify(value));
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
}

describe("rotated sessions of Odoo 19 (formats.md section 1)", { concurrency: 2 }, () => {
  const rotated = (deletionTime: unknown) => ({
    uid: 2,
    login: "a",
    next_sid: "x",
    deletion_time: deletionTime,
  });

  test("a session lives until its deletion_time at most", async (t) => {
    const redis = await redisOf(t);
    const directory = join(makeTemporaryDirectory(), "s");
    const endsAtMs = Date.now() + 60_000;
    saveLong(directory, longSid, rotated(endsAtMs / 1000));
    const { exitCode, stderr } = await run(["copy", ...between(directory, redis)]);
    assert.equal(exitCode, 0, stderr);
    const expiry = Number(await redisCommand(redis, "PEXPIRETIME", `session:${longSid}`));
    assert.ok(expiry <= endsAtMs && expiry > endsAtMs - 1001, `${expiry} for ${endsAtMs}`);
    assert.match(stderr, /1 session id of 84 or more characters: session_redis reads them only from 19\.0 on/);
  });

  test("past it, it is expired, and the key that a copy wrote goes; one that a server saved stays", async (t) => {
    const redis = await redisOf(t);
    const directory = join(makeTemporaryDirectory(), "s");
    const other = `zz${longSid.slice(2)}`;
    for (const sid of [longSid, other]) saveLong(directory, sid, { uid: 2, login: "a" });
    const args = ["copy", ...between(directory, redis), "--json"];
    assert.equal((await run(args)).exitCode, 0);
    await expiring(10_800)(redis, `session:${other}`, newSession);
    for (const sid of [longSid, other]) saveLong(directory, sid, rotated(Date.now() / 1000 - 5), 0);
    const { exitCode, report } = await run(args);
    assert.deepEqual([exitCode, report.sessions.expired], [0, 2]);
    assert.equal(await redisCommand(redis, "EXISTS", `session:${longSid}`), 0);
    assert.equal(await redisCommand(redis, "EXISTS", `session:${other}`), 1);
  });

  for (const [name, value] of [
    ["true", true],
    ["text", "1"],
    ["null", null],
  ] as const) {
    test(`a deletion_time of ${name} counts for nothing`, async (t) => {
      const redis = await redisOf(t);
      const directory = join(makeTemporaryDirectory(), "s");
      saveLong(directory, longSid, rotated(value));
      await run(["copy", ...between(directory, redis)]);
      const left = Number(await redisCommand(redis, "PTTL", `session:${longSid}`));
      assert.ok(left > 604_000_000, String(left));
    });
  }
});

describe("logouts between two copies, while the server works on files (spec.md section 4)", {
  concurrency: 2,
}, () => {
  test("the key of a session whose file is gone is retracted, unless the mark notes another directory", async (t) => {
    const redis = await redisOf(t);
    const directory = directoryOf(sessions, Date.now() - 60_000);
    const args = ["copy", ...between(directory, redis), "--json"];
    assert.equal((await run(args)).exitCode, 0);
    rmSync(pathOf(directory, 7));
    saveSession(directory, 1, newSession, { mtimeMs: Date.now() });
    const dry = await run([...args, "--dry-run"]);
    assert.deepEqual([dry.exitCode, dry.report.sessions.retracted], [0, 1], dry.stderr);
    assert.equal(await redisCommand(redis, "EXISTS", keyOf(7)), 1);
    const second = await run(args);
    assert.deepEqual([second.exitCode, second.report.sessions.retracted], [0, 1], second.stderr);
    assert.equal(await redisCommand(redis, "EXISTS", keyOf(7)), 0);

    const other = directoryOf(1);
    assert.equal((await run(["copy", ...between(other, redis)])).exitCode, 0);
    rmSync(pathOf(directory, 8));
    saveSession(directory, 1, oldSession, { mtimeMs: Date.now() });
    const third = await run(args);
    assert.deepEqual([third.exitCode, third.report.sessions.retracted], [0, 0], third.stderr);
    assert.match(third.stderr, /another\s+directory\s+was\s+copied\s+to\s+these\s+keys/);
    assert.equal(await redisCommand(redis, "EXISTS", keyOf(8)), 1);
  });

  test("lifetimes of equal keys are renewed while the server works on files, and not on Redis", async (t) => {
    const redis = await redisOf(t);
    const directory = directoryOf(2, Date.now() - 60_000);
    const args = ["copy", ...between(directory, redis), "--json"];
    assert.equal((await run(args)).exitCode, 0);
    const expiry = async () => Number(await redisCommand(redis, "PEXPIRETIME", keyOf(2)));
    // The sign takes the last three digits of an instant: within a second a renewal changes
    // nothing.
    const aSecondLater = () => sleep(1100);
    const before = await expiry();
    saveSession(directory, 1, newSession, { mtimeMs: Date.now() });
    await aSecondLater();
    assert.equal((await run(args)).report.sessions.identical, 1);
    const renewed = await expiry();
    assert.ok(renewed > before, `${renewed} after ${before}`);
    await expiring(604_800)(redis, keyOf(1), oldSession);
    await aSecondLater();
    await run(args);
    assert.equal(await expiry(), renewed);
  });
});
