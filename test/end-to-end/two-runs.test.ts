import assert from "node:assert/strict";
import { readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type KnownSession, listFiles, locateSessions } from "../support/locate-sessions.js";
import { makeSessions, readManifest } from "../support/make-sessions.js";
import type { RedisServer } from "../support/redis-server.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { assertCopied } from "./support/assert-copied.js";
import { type Gate, heldOf, startGate } from "./support/gate.js";
import { type ObservedResult, type ObservedRun, start } from "./support/observed-run.js";
import { redisOf } from "./support/redis-of-test.js";

const sessions = 2000;

interface Ground {
  readonly redis: RedisServer;
  readonly directory: string;
  readonly manifest: string;
  readonly known: readonly KnownSession[];
  readonly beganMs: number;
  /** Starts a run: `["copy", "--purge"]`. Through a gate it comes to its middle only. */
  run(command: readonly string[], gate?: Gate): ObservedRun;
}

async function makeGround(t: TestContext): Promise<Ground> {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const directory = join(top, "s");
  const manifest = join(top, "manifest");
  await makeSessions(directory, { count: sessions, manifest });
  const anHourAgo = Date.now() / 1000 - 3600;
  const known: KnownSession[] = [];
  for await (const made of readManifest(manifest)) {
    const path = join(directory, made.path);
    utimesSync(path, anHourAgo, anHourAgo);
    known.push({ made, bytes: readFileSync(path) });
  }
  return {
    ...{ redis, directory, manifest, known, beganMs: Date.now() },
    run: (command, gate) =>
      start([...command, "--session-dir", directory, "--port", String((gate ?? redis).port), "--json"]),
  };
}

/** A run that has written some sessions and stands still with others on their way. */
async function startHalf(t: TestContext, ground: Ground, command: readonly string[]) {
  const gate = await startGate(t, ground.redis.port, 200_000);
  const running = ground.run(command, gate);
  await heldOf(gate, running.result);
  return { gate, running };
}

/** Both ended well, nothing failed, and every session is in Redis with its very bytes and its lifetime. */
async function assertBothWell(
  { redis, directory, manifest, known, beganMs }: Ground,
  results: readonly ObservedResult[],
): Promise<void> {
  for (const { exitCode, stderr, report } of results) {
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.failed, 0, stderr);
  }
  const { lost, wrong, renamed } = await locateSessions(redis, directory, known);
  assert.deepEqual({ lost, wrong, renamed }, { lost: [], wrong: [], renamed: 0 });
  await assertCopied(redis, { manifest, beganMs, sessions, otherKeys: 1 });
}

describe("two runs at once on one directory: both end well, and nothing is lost", { concurrency: 2 }, () => {
  test("copy and copy, at once", async (t) => {
    const ground = await makeGround(t);
    const runs = [ground.run(["copy"]), ground.run(["copy"])];
    const results = await Promise.all(runs.map(({ result }) => result));
    await assertBothWell(ground, results);
    assert.equal(listFiles(ground.directory).length, sessions);
  });

  test("copy begins and ends while another is in its middle", async (t) => {
    const ground = await makeGround(t);
    const { gate, running } = await startHalf(t, ground, ["copy"]);
    const second = await ground.run(["copy"]).result;
    gate.open();
    await assertBothWell(ground, [await running.result, second]);
    assert.equal(listFiles(ground.directory).length, sessions);
  });

  test("copy --purge and copy --purge, at once", async (t) => {
    const ground = await makeGround(t);
    const runs = [ground.run(["copy", "--purge"]), ground.run(["copy", "--purge"])];
    const results = await Promise.all(runs.map(({ result }) => result));
    await assertBothWell(ground, results);
    assert.deepEqual(listFiles(ground.directory), []);
    assert.equal(
      results.reduce((total, { report }) => total + report.sessions.purged, 0),
      sessions,
      "each file is removed by one of them",
    );
  });

  for (const first of [["copy"], ["copy", "--purge"]]) {
    for (const second of [["copy", "--purge"], ["purge"]]) {
      test(`${second.join(" ")} begins while ${first.join(" ")} is in its middle: it removes nothing before that one is through`, async (t) => {
        const ground = await makeGround(t);
        const { gate, running } = await startHalf(t, ground, first);
        const other = ground.run(second);
        await other.waitFor(/another run copies this directory/);
        assert.equal(listFiles(ground.directory).length, sessions);
        gate.open();
        await assertBothWell(ground, await Promise.all([running.result, other.result]));
        assert.deepEqual(listFiles(ground.directory), []);
      });
    }
  }
});
