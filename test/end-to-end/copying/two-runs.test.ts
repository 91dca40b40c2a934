import assert from "node:assert/strict";
import { readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { watchOptions } from "../../support/kills/kill-point.js";
import type { CommandOptions } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { type KnownSession, listFiles, locateSessions } from "../../support/sessions/locate-sessions.js";
import { makeSessions, readManifest } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { heldOf, startGate } from "../support/gate.js";
import { type ObservedResult, type ObservedRun, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 600;
/** After each 1000 files that it removed a purge looks for other runs again. */
const sessionsForAnotherLook = 1200;

interface Ground {
  readonly redis: RedisServer;
  readonly directory: string;
  readonly manifest: string;
  readonly known: readonly KnownSession[];
  readonly beganMs: number;
  /** Starts a run: `["copy", "--purge"]`. */
  run(command: readonly string[], options?: CommandOptions & { readonly port?: number }): ObservedRun;
}

async function makeGround(t: TestContext, count = sessions): Promise<Ground> {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const directory = join(top, "s");
  const manifest = join(top, "manifest");
  await makeSessions(directory, { count, manifest });
  const anHourAgo = Date.now() / 1000 - 3600;
  const known: KnownSession[] = [];
  for await (const made of readManifest(manifest)) {
    const path = join(directory, made.path);
    utimesSync(path, anHourAgo, anHourAgo);
    known.push({ made, bytes: readFileSync(path) });
  }
  return {
    ...{ redis, directory, manifest, known, beganMs: Date.now() },
    run: (command, { port = redis.port, ...options } = {}) =>
      start([...command, "--session-dir", directory, "--port", String(port), "--json"], options),
  };
}

/** A run that has removed some files and stands still with others to go. */
async function startHalfPurge(ground: Ground, command: readonly string[]) {
  const { directory, redis, known } = ground;
  const half = known.length / 2;
  const point = { kind: "file operation", name: "unlinkSync", at: half, side: "before" } as const;
  const running = ground.run(command, watchOptions({ directory, redisPorts: [redis.port], point, signal: "SIGSTOP" }));
  const left = half + 1;
  const isHalf = waitUntil(`${left} files are left`, () => listFiles(directory).length === left);
  await Promise.race([isHalf, running.result]);
  await isHalf;
  return running;
}

/** A run that has written some sessions and stands still with others on their way. */
async function startHalfCopy(t: TestContext, ground: Ground, command: readonly string[]) {
  const gate = await startGate(t, ground.redis.port, 100_000);
  const running = ground.run(command, { port: gate.port });
  await heldOf(gate, running.result);
  return { gate, running };
}

/**
 * Whatever two runs do to each other: both end, and every session is in Redis or on disk, unharmed.
 */
async function assertNothingLost({ redis, directory, known }: Ground): Promise<void> {
  const { lost, wrong, renamed } = await locateSessions(redis, directory, known);
  assert.deepEqual({ lost, wrong, renamed }, { lost: [], wrong: [], renamed: 0 });
}

/**
 * Both ended well, nothing failed, and every session is in Redis with its very bytes and its
 * lifetime.
 */
async function assertBothWell(ground: Ground, results: readonly ObservedResult[]): Promise<void> {
  const { redis, manifest, beganMs } = ground;
  for (const { exitCode, stderr, report } of results) {
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.failed, 0, stderr);
  }
  await assertNothingLost(ground);
  await assertCopied(redis, { manifest, beganMs, sessions: ground.known.length });
}

describe("two runs at once on one directory: both end well, and nothing is lost", { concurrency: 2 }, () => {
  test("copy and copy, at once", async (t) => {
    const ground = await makeGround(t);
    const runs = [ground.run(["copy"]), ground.run(["copy"])];
    await assertBothWell(ground, await Promise.all(runs.map(({ result }) => result)));
    assert.equal(listFiles(ground.directory).length, sessions);
  });

  test("copy begins and ends while another is in its middle", async (t) => {
    const ground = await makeGround(t);
    const { gate, running } = await startHalfCopy(t, ground, ["copy"]);
    const other = await ground.run(["copy"]).result;
    gate.open();
    await assertBothWell(ground, [await running.result, other]);
    assert.equal(listFiles(ground.directory).length, sessions);
  });

  test("copy --purge and copy --purge, at once: each file is removed by one of them", async (t) => {
    const ground = await makeGround(t, sessionsForAnotherLook);
    const runs = [ground.run(["copy", "--purge"]), ground.run(["copy", "--purge"])];
    const results = await Promise.all(runs.map(({ result }) => result));
    await assertBothWell(ground, results);
    assert.deepEqual(listFiles(ground.directory), []);
    const purged = results.map(({ report }) => report.sessions.purged);
    assert.equal(
      purged.reduce((sum, count) => sum + count),
      sessionsForAnotherLook,
    );
  });

  for (const first of [["copy"], ["copy", "--purge"]]) {
    for (const second of [["copy", "--purge"], ["purge"]]) {
      test(`${second.join(" ")} begins during ${first.join(" ")}: it removes nothing before the end`, async (t) => {
        const ground = await makeGround(t);
        const { gate, running } = await startHalfCopy(t, ground, first);
        const other = ground.run(second);
        await other.waitFor(/another run copies this directory/);
        assert.equal(listFiles(ground.directory).length, sessions);
        gate.open();
        await assertBothWell(ground, await Promise.all([running.result, other.result]));
        assert.deepEqual(listFiles(ground.directory), []);
      });
    }
  }

  for (const other of [["copy"], ["copy", "--purge"], ["purge"]]) {
    test(`${other.join(" ")} begins and ends while copy --purge has removed half of the files`, async (t) => {
      const ground = await makeGround(t);
      const running = await startHalfPurge(ground, ["copy", "--purge"]);
      const ended = await ground.run(other).result;
      running.kill("SIGCONT");
      await assertBothWell(ground, [await running.result, ended]);
      assert.deepEqual(listFiles(ground.directory), []);
    });
  }
});

describe("two runs that cannot see each other, or want other things: nothing is lost all the same", {
  concurrency: 2,
}, () => {
  test("purge by a user who may not list connections, while copy is in its middle", async (t) => {
    const ground = await makeGround(t);
    await redisCommand(
      ground.redis,
      "ACL",
      "SETUSER",
      "purger",
      "on",
      ">NotToBeShown",
      "~*",
      "&*",
      "+@all",
      "-client|list",
    );
    const { gate, running } = await startHalfCopy(t, ground, ["copy"]);
    await waitUntil("Redis holds some sessions", async () => (await countKeys(ground.redis)) > 0);
    const environment = { TELE_SESSION_REDIS_PASSWORD: "NotToBeShown" };
    await ground.run(["purge", "--username", "purger"], { environment, timeLimitMs: 120_000 }).result;
    gate.open();
    assert.equal((await running.result).exitCode, 0);
    await assertNothingLost(ground);
  });

  test("copy --on-conflict overwrite after purge removed half of the files, as Redis has newer ones", async (t) => {
    const ground = await makeGround(t, sessionsForAnotherLook);
    const saved = ground.known.map(({ made }) => ["SET", `session:${made.sid}`, '{"uid": null}', "EX", 10_800]);
    await redisPipeline(ground.redis, saved);
    const purge = await startHalfPurge(ground, ["purge"]);
    const { gate, running } = await startHalfCopy(t, ground, ["copy", "--on-conflict", "overwrite"]);
    purge.kill("SIGCONT");
    await purge.waitFor(/another run copies this directory/);
    gate.open();
    await Promise.all([purge.result, running.result]);
    const keys = await redisPipeline(
      ground.redis,
      ground.known.map(({ made }) => ["EXISTS", `session:${made.sid}`]),
    );
    const files = new Set(listFiles(ground.directory));
    const lost = ground.known.filter(({ made }, index) => keys[index] !== 1 && !files.has(made.path));
    assert.equal(lost.length, 0, `${lost.length} sessions are neither in Redis nor on disk`);
  });

  test("purge begins and ends while copy with another prefix is in its middle: what it wrote stays", async (t) => {
    const ground = await makeGround(t);
    assert.equal((await ground.run(["copy"]).result).exitCode, 0);
    const other = ["copy", "--prefix", "other", "--key-layout", "documented"];
    const { gate, running } = await startHalfCopy(t, ground, other);
    const isOfOther = async () => (await countKeys(ground.redis)) > sessions;
    await waitUntil("Redis holds some with the other prefix", isOfOther);
    const written = await countKeys(ground.redis);
    const purge = ground.run(["purge"]);
    // It waits for the copy, or it is through by itself.
    await purge.waitFor(/another run copies this directory/).catch(() => purge.result);
    gate.open();
    await Promise.all([purge.result, running.result]);
    await assertNothingLost(ground);
    assert.ok((await countKeys(ground.redis)) >= written, "keys were taken back");
  });
});
