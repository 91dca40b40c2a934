import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { type Gate, heldOf, startGate } from "../support/gate.js";
import { type ObservedRun, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 1400;
const top = makeTemporaryDirectory();
const directory = join(top, "s");
const manifest = join(top, "manifest");
await makeSessions(directory, { count: sessions, manifest });

interface InTheMiddle {
  readonly gate: Gate;
  readonly running: ObservedRun;
  readonly beganMs: number;
}

/** A copy that has written some sessions and stands still with others on their way. */
async function copyHalf(t: TestContext, redisPort: number, args: readonly string[]): Promise<InTheMiddle> {
  const gate = await startGate(t, redisPort, 100_000);
  const beganMs = Date.now();
  const running = start(["copy", ...between(directory, gate), "--json", ...args]);
  await heldOf(gate, running.result);
  await waitUntil("Redis holds some sessions", async () => (await countKeys({ port: redisPort })) > 0);
  assert.ok((await countKeys({ port: redisPort })) < sessions);
  return { gate, running, beganMs };
}

describe("Redis is lost in the middle of a run", { concurrency: 3 }, () => {
  test("every connection is cut: the run goes on, every session is there", async (t) => {
    const redis = await redisOf(t);
    const { gate, running, beganMs } = await copyHalf(t, redis.port, []);
    await redisCommand(redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.copied, sessions);
    await assertCopied(redis, { manifest, beganMs, sessions });
  });

  test("it is cut again and again: the run goes on, every session is there", async (t) => {
    const redis = await redisOf(t);
    const { gate, running, beganMs } = await copyHalf(t, redis.port, []);
    gate.open();
    let over = false;
    const result = running.result.finally(() => {
      over = true;
    });
    for (let cuts = 0; cuts < 5 && !over; cuts += 1) {
      const before = await countKeys(redis);
      await redisCommand(redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await waitUntil("some more are written", async () => over || (await countKeys(redis)) > before);
    }
    const { exitCode, stderr } = await result;
    assert.equal(exitCode, 0, stderr);
    await assertCopied(redis, { manifest, beganMs, sessions });
  });

  test("killed and started again, with persistence: the run goes on, every session is there", async (t) => {
    const place = makeTemporaryDirectory();
    const persistence = ["--appendonly", "yes", "--appendfsync", "always"];
    const first = await startRedis({ directory: place, args: persistence });
    t.after(() => first.stop());
    const { gate, running, beganMs } = await copyHalf(t, first.port, []);
    process.kill(first.pid, "SIGKILL");
    await first.waitForEnd();
    gate.open();
    const second = await startRedis({ directory: place, args: persistence, port: first.port });
    t.after(() => second.stop());
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 0, stderr);
    // What the first kept stands there already when the copy begins again.
    assert.equal(report.sessions.copied + report.sessions.identical, sessions);
    await assertCopied(second, { manifest, beganMs, sessions });
  });

  test("killed and started again, with nothing kept: it is found out, every session is there", async (t) => {
    const place = makeTemporaryDirectory();
    const first = await startRedis({ directory: place });
    t.after(() => first.stop());
    const { gate, running, beganMs } = await copyHalf(t, first.port, []);
    process.kill(first.pid, "SIGKILL");
    await first.waitForEnd();
    gate.open();
    const second = await startRedis({ directory: place, port: first.port });
    t.after(() => second.stop());
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    await assertCopied(second, { manifest, beganMs, sessions });
  });

  test("killed for good, --retry-for 2s: exit 3, balanced, in one sentence", async (t) => {
    const redis = await redisOf(t);
    const { gate, running } = await copyHalf(t, redis.port, ["--retry-for", "2s"]);
    process.kill(redis.pid, "SIGKILL");
    const began = performance.now();
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 3, stderr);
    assert.ok(performance.now() - began < 12_000);
    assert.match(stderr, /^error: Redis at .* was lost/m);
    assert.equal(stderr.match(/^error: /gm)?.length, 1);
    assert.ok(report.sessions.unvisited > 0);
    assert.ok(report.sessions.copied < sessions);
  });

  test("it becomes a replica for a moment: the run goes on, every session is there", async (t) => {
    const redis = await redisOf(t);
    const { gate, running, beganMs } = await copyHalf(t, redis.port, []);
    await redisCommand(redis, "REPLICAOF", "127.0.0.1", "1");
    gate.open();
    await waitUntil("Redis refused a write", async () =>
      /errorstat_READONLY/.test(String(await redisCommand(redis, "INFO", "errorstats"))),
    );
    await redisCommand(redis, "REPLICAOF", "NO", "ONE");
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    await assertCopied(redis, { manifest, beganMs, sessions });
  });

  test("it begins to refuse writes, for want of replicas: exit 5, balanced", async (t) => {
    const redis = await redisOf(t);
    const { gate, running } = await copyHalf(t, redis.port, []);
    await redisCommand(redis, "CONFIG", "SET", "min-replicas-to-write", "1");
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 5, stderr);
    assert.ok(report.sessions.unvisited > 0);
    assert.ok((await countKeys(redis)) >= report.sessions.copied);
  });
});
