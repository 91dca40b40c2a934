import assert from "node:assert/strict";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { heldOf, startGate } from "../support/gate.js";
import { dayMs, fullLifetimeMs, hourMs, keyOf, pathOf, saveSession } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const value = '{"db": "x", "uid": 2, "v": "file"}';
const newer = '{"db": "x", "uid": 2, "v": "newer"}';

function newDirectory(count: number): string {
  const directory = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= count; number++) saveSession(directory, number, value);
  return directory;
}

async function serverSaves(redis: RedisServer, key: string): Promise<void> {
  await redisCommand(redis, "SET", key, newer, "PXAT", String(signedInstant(Date.now() + hourMs, newer, 0) + 1));
}

async function marksOf(redis: RedisServer): Promise<string[]> {
  const marks = await redisCommand(redis, "KEYS", "tele-sessions:mark:*");
  assert.ok(Array.isArray(marks));
  return marks.map(String);
}

describe("what ended in Redis stays ended (spec.md section 4, Logouts)", { concurrency: 2 }, () => {
  test("a later run writes a missing key only for files modified since, unless --again", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(6);
    const args = ["copy", ...between(directory, redis), "--json"];
    const beganMs = Date.now();
    assert.equal((await run(args)).report.sessions.copied, 6);

    const [mark = ""] = await marksOf(redis);
    const { keyPrefix, shards } = JSON.parse(String(await redisCommand(redis, "GET", mark)));
    const { started, renewed } = shards["1/1"];
    assert.equal(keyPrefix, "session:");
    assert.ok(started >= beganMs && started <= Date.now(), "it holds the start of the main pass");
    assert.equal(renewed, started, "the first complete run counts as renewing");
    const left = Number(await redisCommand(redis, "PTTL", mark));
    assert.ok(left > 90 * dayMs - 60_000 && left <= 90 * dayMs, "for 90 days");

    // A server that saved in Redis tells where it works.
    await serverSaves(redis, keyOf(99));
    await redisCommand(redis, "DEL", keyOf(1), keyOf(2), keyOf(3));
    saveSession(directory, 2, newer, { mtimeMs: Date.now() });
    const { exitCode, stderr, report } = await run(args);
    const { copied, ended, identical } = report.sessions;
    assert.deepEqual({ exitCode, copied, ended, identical }, { exitCode: 0, copied: 1, ended: 2, identical: 3 });
    assert.match(stderr, /^ {2}ended +2 {3}[\s\S]*--again/m);
    assert.equal(await redisCommand(redis, "EXISTS", keyOf(1), keyOf(3)), 0);
    assert.equal(String(await redisCommand(redis, "GET", keyOf(2))), newer);

    const dry = await run([...args, "--dry-run"]);
    assert.equal(dry.report.sessions.ended, 2);
    const again = await run([...args, "--again"]);
    assert.deepEqual([again.report.sessions.copied, again.report.sessions.ended], [2, 0]);
  });

  test("a file that was put there later with an old time is no ended one", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(2);
    const args = ["copy", ...between(directory, redis), "--json"];
    assert.equal((await run(args)).exitCode, 0);
    await serverSaves(redis, keyOf(99));
    saveSession(directory, 3, value);
    const { report } = await run(args);
    assert.deepEqual([report.sessions.copied, report.sessions.ended], [1, 0]);
  });

  const noMark: readonly (readonly [name: string, args: readonly string[], spoil: (directory: string) => void])[] = [
    ["a dry run", ["--dry-run"], () => undefined],
    ["a run with failures", [], (directory) => saveSession(directory, 9, "{")],
    [
      "a run with failures that another version might not have, though they are allowed",
      ["--max-failed", "1"],
      (directory) => saveSession(directory, 9, "c__main__\nThing\n."),
    ],
    ["a run that its time limit ends", ["--max-duration", "0"], () => undefined],
  ];
  for (const [name, more, spoil] of noMark) {
    test(`${name} leaves a mark that makes nothing ended`, async (t) => {
      const redis = await redisOf(t);
      const directory = newDirectory(2);
      spoil(directory);
      await run(["copy", ...between(directory, redis), ...more]);
      for (const mark of await marksOf(redis)) {
        assert.deepEqual(JSON.parse(String(await redisCommand(redis, "GET", mark))).shards, {});
      }
    });
  }

  test("a run that may fail at what is no session by any reading leaves one", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(2);
    saveSession(directory, 9, "{");
    const args = ["copy", ...between(directory, redis), "--max-failed", "1"];
    assert.equal((await run(args)).exitCode, 0);
    assert.equal((await marksOf(redis)).length, 1);
  });

  test("where it cannot be written that is said, and the run goes on", async (t) => {
    const redis = await redisOf(t);
    await redisCommand(redis, "ACL", "SETUSER", "u", "on", ">pw", "~session:*", "+@all");
    const environment = { TELE_SESSION_REDIS_PASSWORD: "pw" };
    const args = [...between(newDirectory(2), redis), "--username", "u", "--json"];
    const { exitCode, stderr, report } = await run(["copy", ...args], { environment });
    assert.deepEqual([exitCode, report.sessions.copied], [0, 2], stderr);
    assert.match(stderr, /the keys tele-sessions:\* could not be written/);
    const purged = await run(["purge", ...args], { environment });
    assert.deepEqual([purged.exitCode, purged.report.sessions.purged], [5, 0], purged.stderr);
    assert.match(purged.stderr, /does not allow this user the keys tele-sessions:\*\. .* ~tele-sessions:\*/);
  });

  test("where Redis has evicted keys, what is missing is not taken for ended", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(2);
    const args = ["copy", ...between(directory, redis), "--json"];
    assert.equal((await run(args)).exitCode, 0);
    await redisCommand(redis, "DEL", keyOf(1));
    await evictOne(redis);
    const { exitCode, stderr, report } = await run(args);
    assert.deepEqual([exitCode, report.sessions.ended, report.sessions.copied > 0], [0, 0, true], stderr);
    assert.match(stderr, /Redis evicts keys, or has evicted some/);
  });

  test("ended files stay in a purge, and that is exit 0", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(3);
    const args = [...between(directory, redis), "--json"];
    assert.equal((await run(["copy", ...args])).exitCode, 0);
    await redisCommand(redis, "DEL", keyOf(1));
    const { exitCode, report } = await run(["purge", ...args]);
    assert.deepEqual([exitCode, report.sessions.purged, report.sessions.ended], [0, 2, 1]);
    assert.ok(existsSync(pathOf(directory, 1)));
  });
});

/** Fills Redis until it evicts one key, and takes its limit away again. */
async function evictOne(redis: RedisServer): Promise<void> {
  await redisCommand(redis, "SET", "filler", "x".repeat(2_000_000), "EX", "60");
  const used = Number(/used_memory:(\d+)/.exec(String(await redisCommand(redis, "INFO", "memory")))?.[1]);
  await redisCommand(redis, "CONFIG", "SET", "maxmemory-policy", "volatile-ttl");
  await redisCommand(redis, "CONFIG", "SET", "maxmemory", String(used - 1_000_000));
  await redisCommand(redis, "SET", "another", "x");
  await redisCommand(redis, "CONFIG", "SET", "maxmemory", "0");
}

describe("a logout behind the write (spec.md section 4, Logouts)", { concurrency: 2 }, () => {
  test("before the last pass is through, its key is taken back; what was saved since stays", async (t) => {
    const redis = await redisOf(t);
    const directory = join(makeTemporaryDirectory(), "s");
    await makeSessions(directory, { count: 900, layouts: ["flat"] });
    const first = newDirectory(0);
    for (let number = 1; number <= 4; number++) saveSession(first, number, value);
    const gate = await startGate(t, redis.port, 150_000);
    const running = start(["copy", "--session-dir", first, ...between(directory, gate), "--json"]);
    await heldOf(gate, running.result);
    assert.equal(await redisCommand(redis, "EXISTS", ...[1, 2, 3, 4].map(keyOf)), 4, "written before");
    for (const number of [1, 2, 3]) rmSync(pathOf(first, number));
    // The applet saved one of them in between, and one is held by a later save of the same value.
    await redisCommand(redis, "SET", keyOf(2), newer, "PX", String(fullLifetimeMs));
    await redisCommand(redis, "PEXPIRE", keyOf(3), String(fullLifetimeMs - hourMs));
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual([report.sessions.vanished, report.sessions.copied], [1, 903]);
    assert.equal(await redisCommand(redis, "EXISTS", keyOf(1)), 0);
    assert.equal(String(await redisCommand(redis, "GET", keyOf(2))), newer);
    assert.equal(await redisCommand(redis, "EXISTS", keyOf(3), keyOf(4)), 2);
    assert.equal(await countKeys(redis), 903);
  });

  test("a session directory that goes away altogether ends no session: exit 3", async (t) => {
    const redis = await redisOf(t);
    const directory = join(makeTemporaryDirectory(), "s");
    await makeSessions(directory, { count: 900, layouts: ["flat"] });
    const gate = await startGate(t, redis.port, 100_000);
    const running = start(["copy", ...between(directory, gate), "--json"]);
    await heldOf(gate, running.result);
    renameSync(directory, `${directory}-unmounted`);
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 3, stderr);
    assert.equal(await countKeys(redis), report.sessions.copied);
    assert.ok(report.sessions.copied > 0);
  });
});
