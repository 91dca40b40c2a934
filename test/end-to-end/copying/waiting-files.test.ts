import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { compileNative } from "../../../bench/native/compile-native.js";
import { provideRivalTools } from "../../../bench/rivals/rival-programs.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { comparable } from "../support/comparable.js";
import { heldOf, startGate } from "../support/gate.js";
import { assertFollowed, changeMeanwhile } from "../support/live/change-meanwhile.js";
import { run, start } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";
import { sessionFilesIn } from "../support/session-files-in.js";

const sessions = 1200;

/**
 * A session directory of which every opening of a file waits 2 ms, as on a file server that far
 * away.
 */
async function makeWaitingGround(t: TestContext, layouts?: readonly ("flat" | "scattered")[]) {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const [directory, manifest] = [join(top, "s"), join(top, "manifest")];
  await makeSessions(directory, { count: sessions, manifest, ...(layouts === undefined ? {} : { layouts }) });
  const slowOpen = await compileNative((await provideRivalTools()).compiler, "slow_open", top, [
    ...["-shared", "-fPIC", "-DDELAY_NS=2000000", "-ldl"],
  ]);
  const args = [...between(directory, redis), "--json"];
  return {
    redis,
    directory,
    manifest,
    args,
    waiting: { environment: { LD_PRELOAD: slowOpen } },
    beganMs: Date.now(),
  };
}

describe("files that are waited for (hazards.md, Files: network file system): the same comes of it", {
  concurrency: 3,
}, () => {
  test("copied with their bytes and lifetimes, with one lane and two, by the same reports, and verified", async (t) => {
    const { redis, manifest, args, waiting, beganMs } = await makeWaitingGround(t);
    const quick = await run(["copy", ...args]);
    assert.equal(quick.exitCode, 0, quick.stderr);
    for (const lanes of ["1", "2"]) {
      await redisCommand(redis, "FLUSHALL");
      const { exitCode, stderr, report } = await run(["copy", "--lanes", lanes, ...args], waiting);
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(comparable(report), comparable(quick.report));
      await assertCopied(redis, { manifest, beganMs, sessions });
    }
    const verified = await run(["verify", "--lanes", "2", ...args], waiting);
    assert.equal(verified.exitCode, 0, verified.stderr);
    assert.equal(Reflect.get(verified.report.sessions, "equal"), sessions);
  });

  for (const isWaiting of [true, false]) {
    test(`what a server ends and saves in a quiet folder is found: ${isWaiting ? "waiting" : "at once"}`, async (t) => {
      const { redis, directory, waiting } = await makeWaitingGround(t, ["flat"]);
      // Times that are younger tell nothing of what changes just behind them.
      await sleep(2500);
      const gate = await startGate(t, redis.port, 200_000);
      const args = [...between(directory, gate), "--json"];
      const running = start(["copy", "--lanes", "2", ...args], isWaiting ? waiting : {});
      await heldOf(gate, running.result);
      const changes = changeMeanwhile(directory);
      gate.open();
      const { exitCode, stderr, report } = await running.result;
      assert.equal(exitCode, 0, stderr);
      await assertFollowed(redis, changes);
      assert.ok(report.sessions.vanished > 0);
    });
  }

  test("purged, by the same report", async (t) => {
    const { redis, directory, args, waiting } = await makeWaitingGround(t);
    const copied = await run(["copy", ...args]);
    assert.equal(copied.exitCode, 0, copied.stderr);
    const dry = await run(["purge", "-n", ...args]);
    const { exitCode, stderr, report } = await run(["purge", "--yes", ...args], waiting);
    assert.equal(exitCode, 0, stderr);
    assert.equal(Reflect.get(report.sessions, "removed"), sessions);
    assert.deepEqual(report.sessions, dry.report.sessions);
    assert.deepEqual(sessionFilesIn(directory), []);
    assert.equal(await redisCommand(redis, "DBSIZE"), sessions + 1, "the sessions and the mark");
  });
});
