import assert from "node:assert/strict";
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { heldOf, startGate } from "../support/gate.js";
import { saveSession } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { makeUnforeseenNeed } from "../support/unforeseen-memory.js";
import { waitUntil } from "../support/wait-until.js";

const directory = join(makeTemporaryDirectory(), "s");
await makeSessions(directory, { count: 1400, layouts: ["flat"] });

async function usedMemory(redis: Parameters<typeof redisCommand>[0]): Promise<number> {
  const info = String(await redisCommand(redis, "INFO", "memory"));
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}

test("a temporary directory that is full: what cannot be taken back is said, and the run goes on", async (t) => {
  const redis = await redisOf(t);
  const few = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= 5; number++) saveSession(few, number, '{"db": "x", "uid": 2}');
  // A folder with such a time may have changed during the copy, so what was written is looked through.
  const inAMinute = new Date(Date.now() + 60_000);
  utimesSync(few, inAMinute, inAMinute);
  // The limit of a file's size stands for it: 0 bytes.
  const { exitCode, stderr, report } = await run(["copy", ...between(few, redis), "--json"], {
    under: ["sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$@"', "sh"],
  });
  assert.deepEqual([exitCode, report.sessions.copied], [0, 5], stderr);
  assert.match(stderr, /^warning: a temporary file cannot be used \(EFBIG\), so a session that ends/m);
});

describe("limits of time and rate", { concurrency: 2 }, () => {
  test("--max-duration: what is in flight is finished, exit 6, and another run goes on", async (t) => {
    const redis = await redisOf(t);
    const args = ["copy", ...between(directory, redis), "--json"];
    const { exitCode, stderr, report } = await run([...args, "--max-duration", "3", "--max-rate", "100"]);
    assert.equal(exitCode, 6, stderr);
    assert.equal(report.outcome, "partial");
    assert.match(stderr, /--max-duration is over/);
    const { copied, unvisited } = report.sessions;
    assert.ok(copied > 0 && copied < 1400 && unvisited > 0, JSON.stringify(report.sessions));
    assert.equal(await countKeys(redis), copied);
    const rest = await run(args);
    assert.deepEqual([rest.exitCode, rest.report.sessions.copied], [0, 1400 - copied]);
  });

  test("--max-rate: no more than so many sessions in any second of the run", async (t) => {
    const redis = await redisOf(t);
    const few = join(makeTemporaryDirectory(), "s");
    for (let number = 1; number <= 150; number++) saveSession(few, number, '{"db": "x", "uid": 2}');
    const args = [...between(few, redis), "--json", "--max-rate", "100"];
    for (const command of ["copy", "verify", "purge"]) {
      const beganMs = performance.now();
      const { exitCode, stderr } = await run([command, ...args]);
      assert.equal(exitCode, 0, stderr);
      assert.ok(performance.now() - beganMs > 1000, "150 of them at 100 a second");
    }
  });
});

describe("memory (hazards.md, OOM and eviction)", { concurrency: 2 }, () => {
  test("writing stops at 95% of maxmemory if the estimate was too low: exit 5, no purge", async (t) => {
    const redis = await redisOf(t);
    const { directory: unforeseen, sessions } = await makeUnforeseenNeed(redis);
    const { exitCode, stderr, report } = await run([...["copy", "--purge", ...between(unforeseen, redis), "--json"]]);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /Redis has reached 95% of its maxmemory: about [\d.]+ MiB more is needed/);
    const limit = Number(/maxmemory:(\d+)/.exec(String(await redisCommand(redis, "INFO", "memory")))?.[1]);
    assert.ok((await usedMemory(redis)) < 0.97 * limit, "the server's own saves still have room");
    assert.ok(report.sessions.copied > 300 && report.sessions.unvisited > 0, JSON.stringify(report.sessions));
    assert.equal(report.sessions.purged, 0);
    assert.equal(readdirSync(unforeseen).length, sessions);
    assert.equal(await countKeys(redis), report.sessions.copied);
  });

  test("allkeys-lru: refused where it does not fit in half of the free memory, a warning where it does", async (t) => {
    const redis = await redisOf(t);
    const used = await usedMemory(redis);
    await redisCommand(redis, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", String(used + 1_300_000));
    const args = ["copy", ...between(directory, redis), "--json"];
    const refused = await run(args);
    assert.equal(refused.exitCode, 5, refused.stderr);
    assert.match(refused.stderr, /maxmemory-policy allkeys-lru/);
    assert.equal(await countKeys(redis), 0);

    await redisCommand(redis, "CONFIG", "SET", "maxmemory", String(used + 10_000_000));
    const taken = await run(args);
    assert.equal(taken.exitCode, 0, taken.stderr);
    assert.match(taken.stderr, /warning: Redis evicts keys.*allkeys-lru/);

    // What is there already takes no more memory.
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", String((await usedMemory(redis)) + 1_000_000));
    assert.equal((await run(args)).exitCode, 0);
  });

  test("keys evicted while the copy runs: exit 4, nothing removed, no mark", async (t) => {
    const redis = await redisOf(t);
    await redisCommand(redis, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", "100mb");
    const gate = await startGate(t, redis.port, 250_000);
    const running = start(["copy", "--purge", ...between(directory, gate), "--json"]);
    await heldOf(gate, running.result);
    await redisCommand(redis, "SET", "filler", "x".repeat(2_000_000));
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", String((await usedMemory(redis)) - 2_100_000));
    await waitUntil("a key was evicted", async () =>
      /evicted_keys:[1-9]/.test(String(await redisCommand(redis, "INFO", "stats"))),
    );
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", "0");
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /Redis evicted \d+ keys of any kind during the run/);
    assert.equal(report.sessions.purged, 0);
    assert.equal(readdirSync(directory).length, 1400);
    const marks = await redisCommand(redis, "KEYS", "tele-sessions:mark:*");
    assert.ok(Array.isArray(marks));
    for (const mark of marks) {
      const { shards } = JSON.parse(String(await redisCommand(redis, "GET", String(mark))));
      assert.deepEqual(shards, {}, "no complete run");
    }
  });
});

describe("--wait-replicas (hazards.md, master lost after its OK)", { concurrency: 2 }, () => {
  const fewSessions = () => {
    const few = join(makeTemporaryDirectory(), "s");
    for (let number = 1; number <= 20; number++) saveSession(few, number, '{"db": "x", "uid": 2}');
    return few;
  };

  test("too few replicas at the start: exit 3, nothing touched", async (t) => {
    const redis = await redisOf(t);
    const few = fewSessions();
    for (const command of [["copy", "--purge"], ["purge"]]) {
      const { exitCode, stderr } = await run([...command, ...between(few, redis), "--wait-replicas", "1"]);
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, /Redis has 0 replicas in step with it, and --wait-replicas asks for 1/);
      assert.equal(await countKeys(redis), 0);
    }
  });

  test("without the right to ask for them: exit 5, nothing touched", async (t) => {
    const redis = await redisOf(t);
    await redisCommand(redis, "ACL", "SETUSER", "mover", "on", "nopass", "~*", "+@all", "-info");
    const few = fewSessions();
    for (const command of [["copy", "--purge"], ["purge"]]) {
      const { exitCode, stderr } = await run([
        ...[...command, ...between(few, redis), "--wait-replicas", "1"],
        ...["--username", "mover"],
      ]);
      assert.equal(exitCode, 5, stderr);
      assert.match(stderr, /INFO, by which --wait-replicas sees/);
      assert.deepEqual([await countKeys(redis), readdirSync(few).length], [0, 20]);
    }
  });

  test("a replica that stands still: nothing is removed before it has all, exit 3 where it never does", async (t) => {
    const redis = await redisOf(t);
    const replica = await redisOf(t, { args: ["--replicaof", `127.0.0.1 ${redis.port}`] });
    const inStep = async () => / *slave0:.*state=online/.test(String(await redisCommand(redis, "INFO", "replication")));
    await waitUntil("the replica is in step", inStep);
    const few = fewSessions();
    const args = [...between(few, redis), "--wait-replicas", "1", "--json"];
    process.kill(replica.pid, "SIGSTOP");
    const lost = await run(["copy", "--purge", ...args, "--retry-for", "2"]);
    assert.equal(lost.exitCode, 3, lost.stderr);
    assert.match(lost.stderr, /fewer than 1 replicas have what was written: nothing was removed/);
    assert.equal(readdirSync(few).length, 20);
    process.kill(replica.pid, "SIGCONT");
    await waitUntil("the replica is in step again", inStep);
    for (const command of [["copy", "--purge"], ["purge"]]) {
      const { exitCode, stderr } = await run([...command, ...args]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(readdirSync(few).length, 0);
      assert.equal(await countKeys(replica), 20);
    }
  });
});
