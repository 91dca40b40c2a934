import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { type Gate, heldOf, startGate } from "../support/gate.js";
import { startMuteServer } from "../support/mute-server.js";
import { type ObservedResult, type ObservedRun, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 1400;
const directory = join(makeTemporaryDirectory(), "s");
await makeSessions(directory, { count: sessions });

interface InTheMiddle {
  readonly redis: RedisServer;
  readonly gate: Gate;
  readonly running: ObservedRun;
}

async function copyHalf(t: TestContext, args: readonly string[] = []): Promise<InTheMiddle> {
  const redis = await redisOf(t);
  const gate = await startGate(t, redis.port, 100_000);
  const running = start(["copy", ...between(directory, gate), "--json", "--list", "--show-ids", ...args]);
  await heldOf(gate, running.result);
  await waitUntil("Redis holds some sessions", async () => (await countKeys(redis)) > 0);
  return { redis, gate, running };
}

/** Sends a signal and waits until the run has heard of it. */
async function tell(running: ObservedRun, signal: NodeJS.Signals): Promise<void> {
  running.kill(signal);
  await running.waitFor(new RegExp(`${signal}: `));
}

/** Every session that the run called copied is in Redis, and as many as it counted. */
async function assertReportedAreThere(redis: RedisServer, { stderr, report }: ObservedResult): Promise<void> {
  const sids = [...stderr.matchAll(/^([A-Za-z0-9_-]{40,}) copied$/gm)].map(([, sid = ""]) => sid);
  assert.equal(sids.length, report.sessions.copied);
  const there = await redisPipeline(
    redis,
    sids.map((sid) => ["EXISTS", `session:${sid}`]),
  );
  assert.ok(there.every((reply) => reply === 1));
}

describe("a signal in the middle of a run", { concurrency: 4 }, () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    test(`${signal}: what is in flight is finished and reported, exit ${code}`, async (t) => {
      const { redis, gate, running } = await copyHalf(t);
      await tell(running, signal);
      const began = performance.now();
      gate.open();
      const result = await running.result;
      assert.equal(result.exitCode, code, result.stderr.slice(-1000));
      assert.ok(performance.now() - began < 10_000);
      const { copied, unvisited, failed } = result.report.sessions;
      assert.ok(copied > 0 && unvisited > 0 && copied + unvisited <= sessions);
      assert.equal(failed, 0);
      assert.equal(await countKeys(redis), copied, "what was in flight was finished");
      await assertReportedAreThere(redis, result);
      const counts = /^STOPPED: ([\d,]+) of 1,400 sessions (?:is|are) in Redis; ([\d,]+) (?:was|were) not reached\.$/m;
      const said = counts
        .exec(result.stderr)
        ?.slice(1)
        .map((text) => Number(text.replaceAll(",", "")));
      assert.deepEqual(said, [copied, unvisited], result.stderr);
      assert.match(result.stderr, /\nExit \d+: stopped by .*\. Run the same command again to go on\n$/);
    });
  }

  test("a second signal stops at once", async (t) => {
    const place = makeTemporaryDirectory();
    const { running } = await copyHalf(t, ["--report", join(place, "report.json")]);
    await tell(running, "SIGINT");
    const began = performance.now();
    running.kill("SIGINT");
    const { exitCode } = await running.result;
    assert.equal(exitCode, 130);
    assert.ok(performance.now() - began < 2000);
    assert.deepEqual(
      readdirSync(place).filter((name) => name !== "report.json"),
      [],
      "an unfinished report was left behind",
    );
  });

  const stalls: readonly { name: string; stall: (redis: RedisServer) => Promise<void> | void }[] = [
    {
      name: "paused by CLIENT PAUSE",
      stall: async (redis) => {
        await redisCommand(redis, "CLIENT", "PAUSE", "60000", "WRITE");
      },
    },
    {
      name: "stopped by SIGSTOP",
      stall: (redis) => {
        process.kill(redis.pid, "SIGSTOP");
      },
    },
  ];
  for (const { name, stall } of stalls) {
    test(`SIGINT while Redis is ${name}: it ends within 10 s, balanced`, async (t) => {
      const { redis, gate, running } = await copyHalf(t);
      await stall(redis);
      gate.open();
      await tell(running, "SIGINT");
      const began = performance.now();
      const result = await running.result.finally(() => process.kill(redis.pid, "SIGCONT"));
      assert.ok(performance.now() - began < 10_000, `${Math.round(performance.now() - began)} ms`);
      assert.equal(result.exitCode, 130);
      await redisCommand(redis, "CLIENT", "UNPAUSE");
      assert.ok(result.report.sessions.unvisited > 0);
      await assertReportedAreThere(redis, result);
    });
  }

  test("SIGINT while Redis is away and tried for: it ends at once, balanced", async (t) => {
    const { redis, gate, running } = await copyHalf(t);
    process.kill(redis.pid, "SIGKILL");
    await redis.waitForEnd();
    gate.open();
    running.kill("SIGINT");
    const began = performance.now();
    const { exitCode, report } = await running.result;
    assert.equal(exitCode, 130);
    assert.ok(performance.now() - began < 10_000);
    assert.ok(report.sessions.unvisited > 0);
  });

  for (const [name, environment] of [
    ["INFO", {}],
    ["AUTH", { TELE_SESSION_REDIS_PASSWORD: "NotToBeShown" }],
  ] as const) {
    test(`SIGINT while the first command, ${name}, gets no answer: it ends within 10 s`, async (t) => {
      const mute = await startMuteServer(t);
      const running = start(["copy", ...between(directory, mute), "--json"], {
        environment,
        timeLimitMs: 15_000,
      });
      await mute.asked;
      await tell(running, "SIGINT");
      const began = performance.now();
      const { exitCode } = await running.result;
      assert.equal(exitCode, 130);
      assert.ok(performance.now() - began < 10_000, `${Math.round(performance.now() - began)} ms`);
    });
  }
});
