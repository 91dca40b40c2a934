import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { startFaultProxy } from "../../support/proxies/fault-proxy.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import { type MakeSessionsOptions, makeSessions } from "../../support/sessions/make-sessions.js";
import { SweptRedis } from "../../support/sweep/swept-redis.js";
import { assertCopied } from "../support/assert-copied.js";
import { comparable } from "../support/comparable.js";
import { heldOf, startGate } from "../support/gate.js";
import { assertFollowed, changeMeanwhile } from "../support/live/change-meanwhile.js";
import { saveSession, sidOf } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { makeUnforeseenNeed } from "../support/unforeseen-memory.js";
import { waitUntil } from "../support/wait-until.js";

/** Four batches and a part of a fifth. */
const sessions = 600;
/** More than are in flight at a time. */
const moreThanInFlight = 3000;

async function makeGround(
  t: TestContext,
  { layouts, count = sessions }: Pick<MakeSessionsOptions, "layouts" | "count"> = {},
) {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const directory = join(top, "s");
  const manifest = join(top, "manifest");
  await makeSessions(directory, { count, manifest, ...(layouts === undefined ? {} : { layouts }) });
  const args = (port = redis.port) => ["--session-dir", directory, "--port", String(port), "--json"];
  return { redis, directory, manifest, args, beganMs: Date.now() };
}

describe("lanes on threads (design.md section 2): one lane or several, the same comes of it", {
  concurrency: 2,
}, () => {
  test("every session with its bytes and its lifetime, and the same report, whatever the number", async (t) => {
    const { redis, manifest, args, beganMs } = await makeGround(t);
    const reports: object[] = [];
    for (const lanes of ["1", "2", "3"]) {
      await redisCommand(redis, "FLUSHALL");
      const { exitCode, stderr, report } = await run(["copy", "--lanes", lanes, ...args()]);
      assert.equal(exitCode, 0, stderr);
      await assertCopied(redis, { manifest, beganMs, sessions });
      reports.push(comparable(report));
    }
    assert.deepEqual(reports[1], reports[0]);
    assert.deepEqual(reports[2], reports[0]);
  });

  test("a second run, a dry run and a purge find everything as one lane does", async (t) => {
    const { redis, directory, args } = await makeGround(t);
    const dry = await run(["copy", "--dry-run", "--lanes", "2", ...args()]);
    assert.deepEqual([dry.exitCode, dry.report.sessions.copied, await countKeys(redis)], [0, sessions, 0]);
    assert.equal((await run(["copy", "--lanes", "2", ...args()])).exitCode, 0);
    const again = await run(["copy", "--lanes", "3", "--purge", ...args()]);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.deepEqual([again.report.sessions.identical, again.report.sessions.purged], [sessions, sessions]);
    assert.deepEqual(
      readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
      [],
    );
  });

  test("verify finds what is right, newer and ended as one lane does", async (t) => {
    const { redis, args } = await makeGround(t);
    assert.equal((await run(["copy", ...args()])).exitCode, 0);
    const keys = String(await redisCommand(redis, "KEYS", "session:*")).split(",");
    await redisPipeline(
      redis,
      keys.slice(0, 400).map((key, index) => (index % 2 === 0 ? ["DEL", key] : ["SET", key, "{}", "EX", "60"])),
    );
    const [one, two] = [await run(["verify", ...args()]), await run(["verify", "--lanes", "2", ...args()])];
    assert.equal(two?.exitCode, one?.exitCode, two?.stderr);
    assert.deepEqual(comparable(two.report), comparable(one.report));
    assert.equal(Reflect.get(two.report.sessions, "equal"), sessions - 400);
    // Those modified since the mark are missing, the others ended in Redis.
    const [missing, ended] = ["missing", "ended"].map((kind) => Number(Reflect.get(two.report.sessions, kind)));
    assert.equal(Number(missing) + Number(ended), 200);
    assert.ok(Number(ended) > 150, String(ended));
  });

  test("--list names every session once; --report has every failure", async (t) => {
    const redis = await redisOf(t);
    const directory = join(makeTemporaryDirectory(), "s");
    for (let number = 1; number <= 400; number++) {
      saveSession(directory, number, number % 2 === 0 ? "{" : '{"uid": 2}');
    }
    const path = join(makeTemporaryDirectory(), "report.json");
    const { exitCode, stderr, report } = await run([
      ...["copy", "--lanes", "2", "--list", "--report", path, "--json"],
      ...between(directory, redis),
    ]);
    assert.deepEqual([exitCode, report.failures.length, report.failuresOmitted], [1, 100, 100]);
    const named = [...stderr.matchAll(/^([0-9a-f]{6})… (copied|failed)/gm)].map(([, sid]) => sid).sort();
    assert.deepEqual(named, Array.from({ length: 400 }, (_, index) => sidOf(index + 1).slice(0, 6)).sort());
  });

  test("a key that Redis has refused: each lane's failure is told once, with its reason", async (t) => {
    const { redis, args } = await makeGround(t, { layouts: ["flat"] });
    await redisCommand(redis, "ACL", "SETUSER", "reader", "on", "nopass", "~*", "+@all", "-set");
    const { exitCode, stderr, report } = await run(["copy", "--lanes", "2", ...args(), "--username", "reader"]);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /^error: Redis does not allow this user the command SET on the keys session:\*\. Allow it/m);
    assert.equal(report.sessions.found, report.sessions.failed);
  });
});

describe("lanes on threads: what happens while they work", { concurrency: 2 }, () => {
  test("what a live server ends or saves meanwhile is found, whichever lane had it", async (t) => {
    const { redis, directory, args } = await makeGround(t, { layouts: ["flat"] });
    const gate = await startGate(t, redis.port, 100_000);
    const running = start(["copy", "--lanes", "2", ...args(gate.port)]);
    await heldOf(gate, running.result);
    const changes = changeMeanwhile(directory);
    gate.open();
    const { exitCode, stderr, report } = await running.result;
    assert.equal(exitCode, 0, stderr);
    await assertFollowed(redis, changes);
    assert.ok((report.passes[1]?.found ?? 0) > 0, "no later pass took any");
  });

  test("SIGTERM: what is in flight in every lane is finished, exit 143", async (t) => {
    const { redis, args } = await makeGround(t, { count: moreThanInFlight });
    // Within the first batch: seven more may be begun, and the others are left.
    const gate = await startGate(t, redis.port, 100_000);
    const running = start(["copy", "--lanes", "2", ...args(gate.port)]);
    await heldOf(gate, running.result);
    running.kill("SIGTERM");
    await running.waitFor(/SIGTERM: /);
    gate.open();
    const { exitCode, report, stderr } = await running.result;
    assert.equal(exitCode, 143, stderr);
    assert.ok(report.sessions.copied > 0 && report.sessions.copied < moreThanInFlight);
    assert.equal(await countKeys(redis), report.sessions.copied);
  });

  for (const kills of [1, 3]) {
    test(`Redis killed (-9) without persistence ${kills} times: found out once each time`, async (t) => {
      const { directory, manifest, beganMs } = await makeGround(t);
      const redis = await SweptRedis.start();
      t.after(() => redis.stop());
      const act = async (): Promise<void> => {
        await redis.kill();
        await redis.startAgain();
      };
      const faults = Array.from({ length: kills }, (_, index) => ({
        ...({ kind: "act", reply: "lost", act } as const),
        at: Math.floor((0.5 + 0.8 * index) * sessions),
      }));
      const proxy = await startFaultProxy(redis.port, faults);
      t.after(() => proxy.stop());
      await redis.standBehind([proxy]);
      const { exitCode, stderr } = await run(["copy", "--lanes", "2", ...between(directory, proxy), "--json"], {
        environment: { TELE_SESSION_REDIS_PASSWORD: SweptRedis.password },
      });
      // The last one may have been found out before it was through.
      await waitUntil("all kills happened", async () => proxy.happened().length === kills);
      assert.equal(exitCode, kills < 3 ? 0 : 3, stderr);
      const told =
        stderr.match(/^warning: Redis was restarted, emptied or replaced, and may have lost what it confirmed/gm) ?? [];
      assert.equal(told.length, Math.min(kills, 1), "a warning is said once");
      if (kills < 3) await assertCopied(redis.address, { manifest, beganMs, sessions });
    });
  }

  test("two runs with lanes at once, each with a purge behind its copy: both end well, nothing lost", async (t) => {
    const { redis, directory, manifest, args, beganMs } = await makeGround(t);
    const results = await Promise.all(
      [1, 2].map(() => run(["copy", "--lanes", "2", "--purge", "--retry-for", "60", ...args()])),
    );
    for (const { exitCode, stderr, report } of results) {
      assert.equal(exitCode, 0, stderr);
      assert.equal(report.sessions.failed, 0);
    }
    await assertCopied(redis, { manifest, beganMs, sessions });
    assert.deepEqual(
      readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
      [],
    );
  });

  test("writing stops at 95% of Redis's memory with several lanes too, exit 5", async (t) => {
    const redis = await redisOf(t);
    const { directory } = await makeUnforeseenNeed(redis);
    const args = ["copy", "--lanes", "2", ...between(directory, redis)];
    const { exitCode, stderr } = await run(args);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /about [\d.]+ MiB more is needed/);
    const info = String(await redisCommand(redis, "INFO", "memory"));
    const [, used, limit] = /used_memory:(\d+)\r.*\nmaxmemory:(\d+)/s.exec(info) ?? [];
    assert.ok(Number(used) < 0.97 * Number(limit), `${used} of ${limit}`);
  });
});
