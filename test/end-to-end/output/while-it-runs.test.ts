import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { logEvents } from "../../../src/cli/progress/log-line.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { startMuteServer } from "../support/mute-server.js";
import { type ObservedRun, run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { slowOf, startSlowReplies } from "../support/slow-replies.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 600;
const directory = join(makeTemporaryDirectory(), "s");
await makeSessions(directory, { count: sessions });

/** A copy that takes a few seconds, in its middle. */
async function copySlowly(redis: RedisServer, args: readonly string[] = []): Promise<ObservedRun> {
  const running = start(["copy", ...between(directory, redis), "--max-rate", "300", ...args]);
  await waitUntil("Redis holds some sessions", async () => (await countKeys(redis)) > 0);
  return running;
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

interface LogObject {
  readonly event: string;
  readonly text: string;
  readonly time: string;
  readonly [key: string]: unknown;
}

/** The objects on stderr: every line is one, of an event that is documented. */
function objectsIn(stderr: string): LogObject[] {
  return lines(stderr).map((line) => {
    const object: LogObject = JSON.parse(line);
    assert.ok((logEvents as readonly string[]).includes(object.event), line);
    assert.equal(new Date(object.time).toISOString(), object.time);
    assert.equal(typeof object.text, "string");
    return object;
  });
}

describe("Redis does not answer in the middle of a run", { concurrency: 3 }, () => {
  const promise =
    "trying for 5 min \\d+ s more \\(--retry-for\\)\\. " +
    "Nothing is lost; Ctrl-C stops here, and running it again goes on\\.";

  test("killed: said within a second, and that it is back; the run goes on", async (t) => {
    const place = makeTemporaryDirectory();
    const persistence = ["--appendonly", "yes", "--appendfsync", "always"];
    const first = await startRedis({ directory: place, args: persistence });
    t.after(() => first.stop());
    const running = await copySlowly(first);
    process.kill(first.pid, "SIGKILL");
    await first.waitForEnd();
    await running.waitFor(/^Waiting for Redis/m);
    const said = running.output().stderr;
    assert.match(
      said,
      /^Waiting for Redis at localhost:\d+: connection refused, \d s; trying for (5 min 0|4 min 5\d) s more/m,
    );
    const second = await startRedis({ directory: place, args: persistence, port: first.port });
    t.after(() => second.stop());
    await running.waitFor(/^Redis is back after \d+ s$/m);
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
  });

  test("frozen: said after a second without an answer, and that it is back", async (t) => {
    const redis = await redisOf(t);
    const running = await copySlowly(redis);
    process.kill(redis.pid, "SIGSTOP");
    await running.waitFor(/^Waiting for Redis/m).finally(() => process.kill(redis.pid, "SIGCONT"));
    const { exitCode, stderr } = await running.result;
    assert.match(stderr, new RegExp(`^Waiting for Redis at localhost:\\d+: no answer, \\d s; ${promise}$`, "m"));
    assert.match(stderr, /^Redis is back after \d+ s$/m);
    assert.equal(exitCode, 0, stderr);
  });

  test("a replica for a while, as in a failover: said, and that it is back", async (t) => {
    const redis = await redisOf(t);
    const running = await copySlowly(redis);
    await redisCommand(redis, "REPLICAOF", "127.0.0.1", "1");
    await running.waitFor(/^Waiting for Redis at localhost:\d+: Redis (is|has become) a read-only replica, \d s; /m);
    await redisCommand(redis, "REPLICAOF", "NO", "ONE");
    await running.waitFor(/^Redis is back after \d+ s$/m);
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
  });

  test("connections cut for a moment are not worth a word", async (t) => {
    const redis = await redisOf(t);
    const running = await copySlowly(redis);
    await redisCommand(redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /Waiting|is back/);
  });

  for (const { flag, isSaid } of [
    { flag: "--no-progress", isSaid: true },
    { flag: "--quiet", isSaid: false },
  ]) {
    test(`${flag}: ${isSaid ? "waiting is said" : "waiting is not said"}, progress is not`, async (t) => {
      const redis = await redisOf(t);
      const running = await copySlowly(redis, [flag]);
      process.kill(redis.pid, "SIGSTOP");
      // What is said at any rate tells that the time has come.
      const isDue = isSaid ? /^Waiting/m : /^Waiting for Redis at \S+: no answer, \d+ s, copying/m;
      const asking = setInterval(() => running.kill("SIGUSR1"), isSaid ? 60_000 : 300);
      await running.waitFor(isDue).finally(() => {
        clearInterval(asking);
        process.kill(redis.pid, "SIGCONT");
      });
      const { exitCode, stderr } = await running.result;
      assert.equal(exitCode, 0, stderr);
      assert.equal(/^Redis is back/m.test(stderr), isSaid);
      assert.doesNotMatch(stderr, /^Connecting|^Copying/m);
    });
  }

  test("--log-format json: the same events as objects", async (t) => {
    const redis = await redisOf(t);
    const running = await copySlowly(redis, ["--log-format", "json"]);
    process.kill(redis.pid, "SIGSTOP");
    await running.waitFor(/"event":"waiting"/).finally(() => process.kill(redis.pid, "SIGCONT"));
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    const objects = objectsIn(stderr);
    const waiting = objects.find(({ event }) => event === "waiting");
    assert.deepEqual([waiting?.["target"], waiting?.["why"]], ["redis", "no answer"]);
    assert.equal(typeof waiting?.["secondsLeft"], "number");
    assert.equal(objects.find(({ event }) => event === "back")?.["target"], "redis");
  });
});

test("a first connection that gets no answer: what is connected to is said at once", async (t) => {
  const mute = await startMuteServer(t);
  const running = start(["copy", ...between(directory, mute)]);
  await mute.asked;
  await running.waitFor(new RegExp(`^Connecting to localhost:${mute.port}/0 \\.\\.\\.$`, "m"));
  running.kill("SIGUSR1");
  await running.waitFor(/^connecting, /m);
  running.kill("SIGINT");
  assert.equal((await running.result).exitCode, 130);
});

describe("lines off a terminal", { concurrency: 3 }, () => {
  test("from, to and total at once, and nothing more of a short run than its summary", async (t) => {
    const redis = await redisOf(t);
    const { stderr } = await run(["copy", ...between(directory, redis)]);
    const [connecting, starting] = lines(stderr);
    assert.equal(connecting, `Connecting to localhost:${redis.port}/0 ...`);
    assert.equal(starting, `Copying 600 session files from ${directory} to localhost:${redis.port}/0`);
    assert.doesNotMatch(stderr, /^(copying|settling|listing)|tele-sessions:/m);
  });

  const rows: readonly (readonly [name: string, args: (redis: RedisServer) => string[], exitCode: number])[] = [
    ["a copy", (redis) => ["copy", ...between(directory, redis), "--list"], 0],
    ["a dry run", (redis) => ["copy", ...between(directory, redis), "--dry-run"], 0],
    ["a verification that finds all missing", (redis) => ["verify", ...between(directory, redis)], 4],
    ["a purge that may remove nothing", (redis) => ["purge", ...between(directory, redis), "--yes"], 4],
    ["a missing directory", (redis) => ["copy", ...between(`${directory}-`, redis)], 2],
    ["a Redis that is not there", () => ["copy", ...between(directory, { port: 1 })], 3],
    ["a setting that is refused", () => ["copy", "--port", "x"], 2],
    ["no command", () => [], 2],
    ["a step that is off", () => ["--stop-after-init"], 0],
  ];
  for (const [name, args, code] of rows) {
    test(`--log-format json: ${name}: every line is an object, the last one is the end`, async (t: TestContext) => {
      const redis = await redisOf(t);
      const { exitCode, stderr } = await run([...args(redis), "--log-format", "json"]);
      assert.equal(exitCode, code, stderr);
      const objects = objectsIn(stderr);
      const last = objects.at(-1);
      assert.deepEqual([last?.event, last?.["exitCode"]], ["end", code]);
      const told = new Set(objects.map(({ event }) => event));
      assert.equal(told.has("error"), code === 2 || code === 3, "an error says why it could not be done");
      assert.doesNotMatch(stderr, /\x1b|\\u001b/);
    });
  }
});

describe("SIGUSR1 and SIGUSR2 ask for the state", { concurrency: 3 }, () => {
  const state = /^copying \d+%, [\d,]+ of 600, .*pass 1, copied \d+, .*\d threads?, \d+ s elapsed$/gm;
  for (const { name, args, pattern } of [
    { name: "in a pipe, with threads", args: ["--lanes", "3"], pattern: state },
    { name: "with --quiet", args: ["--quiet"], pattern: state },
    {
      name: "with --log-format json",
      args: ["--log-format", "json"],
      pattern: /"event":"state","text":"copying \d+%/g,
    },
  ]) {
    test(`${name}: one line each, no debugger, and the run goes on`, async (t) => {
      const redis = await redisOf(t);
      const slow = await startSlowReplies(t, redis.port, 300);
      const running = start(["copy", ...between(directory, slow), ...args]);
      await slowOf(slow, running.result);
      const isSaid = (times: number) =>
        waitUntil(`the state is said ${times} times`, () => count(running.output().stderr, pattern) === times);
      running.kill("SIGUSR1");
      await isSaid(1);
      running.kill("SIGUSR2");
      await isSaid(2);
      slow.hurry();
      const { exitCode, stderr } = await running.result;
      assert.equal(exitCode, 0, stderr);
      assert.equal(count(stderr, pattern), 2);
      assert.doesNotMatch(stderr, /Debugger|inspector|ws:\/\//);
    });
  }

  test("from the first moment on: neither is left to Node", async () => {
    // Sends both as soon as both have a listener, long before there is a run.
    const early = `process.on("newListener", function early(name) {
      if (name !== "SIGUSR2") return;
      process.off("newListener", early);
      setImmediate(() => {
        for (const name of ["SIGUSR1", "SIGUSR2"]) process.kill(process.pid, name);
      });
    })`;
    // The executable takes no --import.
    const preload = join(makeTemporaryDirectory(), "early.cjs");
    writeFileSync(preload, early);
    const inspect = ["inspect", "--session-dir", directory];
    const { exitCode, signal, stderr } = await run(inspect, { nodeArgs: ["--require", preload] });
    assert.deepEqual([exitCode, signal], [0, null], stderr);
    const answer = /^(?:tele-sessions is starting|inspect is at work|reading \d+%, .* elapsed)$/gm;
    assert.equal(count(stderr, answer), 2, stderr);
    assert.doesNotMatch(stderr, /Debugger/);
  });
});

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}
