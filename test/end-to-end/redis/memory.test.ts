import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { PeerRuns } from "../../../src/redis/server/peers.js";
import { directoryPlaces } from "../../../src/source/file-identity.js";
import { clientOf } from "../../redis/support/client-of.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { startRewritingProxy } from "../../support/proxies/rewriting-proxy.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { heldOf, startGate } from "../support/gate.js";
import { dayMs, keyOf, pathOf, saveSession } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const mebibyte = 2 ** 20;
const environment = { TELE_SESSION_REDIS_PASSWORD: "pw" };

/** The text of a session of so many bytes. */
function sessionOf(bytes: number): string {
  const text = '{"db": 1, "uid": 2, "v": ""}';
  return text.replace('""', `"${"x".repeat(bytes - text.length)}"`);
}

function makeDirectory(count: number, bytes: number, directory = join(makeTemporaryDirectory(), "s")): string {
  mkdirSync(directory, { recursive: true });
  const text = sessionOf(bytes);
  const aDayAgo = (Date.now() - dayMs) / 1000;
  for (let number = 1; number <= count; number++) {
    writeFileSync(pathOf(directory, number), text);
    utimesSync(pathOf(directory, number), aDayAgo, aDayAgo);
  }
  return directory;
}

/** For tests that change nothing in the directory. */
const shared = makeDirectory(2000, 2000);
/** As many bytes in fewer files. */
const fewer = 420;
const sharedByFewer = makeDirectory(fewer, 10_000);

async function usedMemory(redis: RedisServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await redisCommand(redis, "INFO", "memory")))?.[1]);
}

/** Sets the limit to what is used and so many bytes more. */
async function leaveFree(redis: RedisServer, bytes: number, policy = "noeviction"): Promise<void> {
  const limit = Math.floor((await usedMemory(redis)) + bytes);
  await redisCommand(redis, "CONFIG", "SET", "maxmemory", limit, "maxmemory-policy", policy);
}

async function allowAllBut(redis: RedisServer, ...denied: readonly string[]): Promise<void> {
  await redisCommand(redis, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "&*", "+@all", ...denied);
}

/** Only a complete run leaves what counts as a mark; one that begins to write notes that. */
async function assertNoMark(redis: RedisServer): Promise<void> {
  const keys = await redisCommand(redis, "KEYS", "tele-sessions:mark:*");
  for (const key of Array.isArray(keys) ? keys : []) {
    assert.match(String(await redisCommand(redis, "GET", String(key))), /"shards":\{\}/);
  }
}

describe("memory: the estimate before the first write (spec.md, a Redis that may run out)", {
  concurrency: 2,
}, () => {
  const sizes: readonly (readonly [bytes: number, count: number])[] = [
    // As full as Redis's tables get on average.
    [200, 7500],
    [1000, 3000],
    [24_000, 350],
    [300_000, 30],
  ];
  for (const [bytes, count] of sizes) {
    test(`${count} sessions of ${bytes} bytes: the estimate is within 10% of what Redis then uses`, async (t) => {
      const redis = await redisOf(t, {
        args: ["--maxmemory", "500mb", "--maxmemory-policy", "allkeys-lru"],
      });
      const directory = makeDirectory(count, bytes);
      const before = await usedMemory(redis);
      const { exitCode, stderr } = await run(["copy", ...between(directory, redis)]);
      assert.equal(exitCode, 0, stderr);
      const needed = Number(/about ([\d.]+) MiB needed/.exec(stderr)?.[1]) * mebibyte;
      // Replies that wait and tables that move are gone a moment later.
      await waitUntil("Redis is at rest", async () => {
        const taken = (await usedMemory(redis)) - before;
        return Math.abs(needed / taken - 1) < 0.1;
      });
    });
  }

  test("one session of 8 MiB among 10,000: no false exit 5", async (t) => {
    // A sample of a fifth that holds it would come to 40 MiB.
    const redis = await redisOf(t, { args: ["--maxmemory", "28mb"] });
    const directory = makeDirectory(10_000, 200);
    saveSession(directory, 10_001, sessionOf(8 * mebibyte));
    const { exitCode, stderr } = await run(["copy", ...between(directory, redis)]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await countKeys(redis), 10_001);
  });

  for (const policy of ["noeviction", "volatile-ttl", "allkeys-lru"]) {
    test(`${policy}: what cannot fit is exit 5 before any write, in a dry run too; the advice is enough`, async (t) => {
      const redis = await redisOf(t);
      await leaveFree(redis, 4 * mebibyte, policy);
      const args = between(sharedByFewer, redis);
      let advised = "";
      // A copy is refused as a copy that purges is.
      const alone = policy === "noeviction" ? [["copy"]] : [];
      for (const command of [["copy", "--dry-run"], ...alone, ["copy", "--purge"]]) {
        const { exitCode, stderr } = await run([...command, ...args]);
        assert.equal(exitCode, 5, stderr);
        const [, at = ""] =
          /too little memory: about [\d.]+ MiB needed, [\d.]+ MiB free: set maxmemory to at least ([\d.]+) MiB/.exec(
            stderr,
          ) ?? [];
        assert.notEqual(at, "", stderr);
        assert.equal(policy === "noeviction", !stderr.includes(`maxmemory-policy ${policy}`), stderr);
        assert.deepEqual([await countKeys(redis), readdirSync(sharedByFewer).length], [0, fewer]);
        await assertNoMark(redis);
        advised = at;
      }
      await redisCommand(redis, "CONFIG", "SET", "maxmemory", `${Math.round(Number(advised))}mb`);
      const { exitCode, stderr } = await run(["copy", ...args]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(await countKeys(redis), fewer);
      const warning = `warning: Redis evicts keys when it is full (maxmemory-policy ${policy})`;
      assert.equal(stderr.includes(warning), policy !== "noeviction", stderr);
    });
  }

  test("an evicting policy: over half of what is free is refused, less is a warning, nothing is fine", async (t) => {
    const redis = await redisOf(t);
    const args = ["copy", ...between(shared, redis)];
    // About 5.4 MiB are needed.
    await leaveFree(redis, 9 * mebibyte, "volatile-lru");
    assert.equal((await run(args)).exitCode, 5);
    await leaveFree(redis, 14 * mebibyte, "volatile-lru");
    const { exitCode, stderr } = await run(args);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /warning: Redis evicts keys when it is full \(maxmemory-policy volatile-lru\)/);
    // What is there already takes no more memory: half of this would not do for it. Redis needs
    // some for what is on its way to it, or it evicts.
    await leaveFree(redis, 4 * mebibyte, "volatile-lru");
    const again = await run(args);
    assert.equal(again.exitCode, 0, again.stderr);
  });

  test("a Redis that is full, and nothing to write: exit 0", async (t) => {
    const redis = await redisOf(t);
    const directory = makeDirectory(100, 200);
    const args = ["copy", ...between(directory, redis)];
    assert.equal((await run(args)).exitCode, 0);
    await leaveFree(redis, 500_000);
    const { exitCode, stderr } = await run(args);
    assert.equal(exitCode, 0, stderr);
  });

  test("what ended in Redis is not counted: a server on Redis, and most of its sessions are over", async (t) => {
    const redis = await redisOf(t);
    const args = ["copy", ...between(shared, redis)];
    assert.equal((await run(args)).exitCode, 0);
    await redisCommand(redis, "DEL", ...Array.from({ length: 300 }, (_, index) => keyOf(index + 1)));
    await redisCommand(redis, "SET", `session:${"9".repeat(40)}`, '{"uid": 2}', "PX", 604_800_000);
    // Room for far fewer than the 300 that are missing.
    await leaveFree(redis, 0.055 * (await usedMemory(redis)) + 300_000);
    const { exitCode, stderr } = await run([...args, "--dry-run"]);
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /too little memory/);
  });
});

describe("memory: what Redis hides is said, and looked for otherwise", { concurrency: 2 }, () => {
  /** A Redis that evicts in the middle of a copy by a user who cannot see it. */
  async function copyWhileEvicting(t: TestContext, redis: RedisServer, redisPort: number, args: readonly string[]) {
    const directory = makeDirectory(2000, 500);
    const gate = await startGate(t, redisPort, 300_000);
    const running = start([...args, ...between(directory, gate)], {
      environment,
    });
    await heldOf(gate, running.result);
    await waitUntil("some are written", async () => (await countKeys(redis)) > 100);
    // Redis makes room: what lives shortest goes, so no key of our own.
    await leaveFree(redis, -100_000, "volatile-ttl");
    await redisCommand(redis, "SET", "filler", "x");
    await waitUntil("a key was evicted", async () =>
      /evicted_keys:[1-9]/.test(String(await redisCommand(redis, "INFO", "stats"))),
    );
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", "0");
    gate.open();
    return { directory, result: await running.result };
  }

  for (const lanes of ["1", "2"]) {
    test(`INFO denied, Redis evicts: exit 4, even if --quiet, no purge, no mark (${lanes} lanes)`, async (t) => {
      const redis = await redisOf(t);
      await allowAllBut(redis, "-info");
      const { directory, result } = await copyWhileEvicting(t, redis, redis.port, [
        ...["copy", "--purge", "--quiet", "--username", "u", "--lanes", lanes],
      ]);
      assert.equal(result.exitCode, 4, result.stderr);
      assert.match(result.stderr, /^warning: Redis does not say how many keys it evicted, so /m);
      const [, count] =
        /^warning: ([\d,]+) sessions? that this run wrote (?:is|are) no longer in Redis/m.exec(result.stderr) ?? [];
      const keys = await redisCommand(redis, "KEYS", "session:*");
      const missing = 2000 - (Array.isArray(keys) ? keys.length : 0);
      assert.ok(missing > 0);
      assert.equal(Number(count), missing);
      assert.equal(readdirSync(directory).length, 2000);
      await assertNoMark(redis);
    });
  }

  const hides = (...names: readonly string[]) => {
    const pattern = new RegExp(`^(${names.join("|")}):.*\r\n`, "gm");
    return (text: string) => (text.includes("# ") ? text.replace(pattern, "") : text);
  };
  const fields: readonly (readonly [
    name: string,
    hidden: readonly string[],
    denied: readonly string[],
    says: RegExp | undefined,
  ])[] = [
    ["without the limit and the policy, which CONFIG tells", ["maxmemory", "maxmemory_policy"], [], undefined],
    ["without what is used, which MEMORY STATS tells", ["used_memory"], [], undefined],
    ["without the limit, CONFIG denied", ["maxmemory"], ["-config"], /does not say its memory limit, so/],
    ["without the policy, CONFIG denied", ["maxmemory_policy"], ["-config"], /does not say its eviction policy, so/],
    [
      "without the limit and the policy, CONFIG denied",
      ["maxmemory", "maxmemory_policy"],
      ["-config"],
      /does not say its memory limit and its eviction policy, so/,
    ],
    ["without evictions", ["evicted_keys"], [], /does not say how many keys it evicted, so/],
    ["without what is used, MEMORY denied", ["used_memory"], ["-memory"], /does not say how much memory it uses, so/],
  ];
  for (const [name, hidden, denied, says] of fields) {
    test(`INFO ${name}: ${says === undefined ? "nothing hidden" : "a warning"}; exit 0`, async (t) => {
      const redis = await redisOf(t, { args: ["--maxmemory", "100mb"] });
      await allowAllBut(redis, ...denied);
      const proxy = await startRewritingProxy(redis.port, hides(...hidden));
      t.after(() => proxy.stop());
      const args = ["copy", "--quiet", ...between(makeDirectory(20, 200), proxy)];
      const { exitCode, stderr } = await run([...args, "--username", "u"], { environment });
      assert.equal(exitCode, 0, stderr);
      if (says === undefined) assert.doesNotMatch(stderr, /does not say/);
      else assert.match(stderr, says);
      assert.equal(await countKeys(redis), 20);
    });
  }

  test("INFO without all of these, and Redis evicts: exit 4, and it is said", async (t) => {
    const redis = await redisOf(t);
    await allowAllBut(redis, "-config", "-memory");
    const proxy = await startRewritingProxy(
      redis.port,
      hides("maxmemory", "maxmemory_policy", "evicted_keys", "used_memory"),
    );
    t.after(() => proxy.stop());
    const { result } = await copyWhileEvicting(t, redis, proxy.port, ["copy", "--username", "u"]);
    assert.equal(result.exitCode, 4, result.stderr);
    assert.match(result.stderr, /sessions? that this run wrote (is|are) no longer in Redis/);
  });

  test("INFO and CONFIG denied, and Redis runs out of memory: exit 5, and how much is missing", async (t) => {
    const redis = await redisOf(t);
    await leaveFree(redis, 3 * mebibyte);
    await allowAllBut(redis, "-info", "-config");
    const directory = makeDirectory(930, 10_000);
    const args = ["copy", ...between(directory, redis), "--username", "u"];
    const { exitCode, stderr } = await run(args, { environment });
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /warning: about 9\.\d MiB of Redis memory needed/);
    const [, missing] = /out of memory \(maxmemory reached\): about ([\d.]+) MiB more is needed/.exec(stderr) ?? [];
    assert.ok(Number(missing) > 5 && Number(missing) < 9, stderr);
  });

  test("INFO denied, CONFIG not: what cannot fit is refused before the first write", async (t) => {
    const redis = await redisOf(t);
    await leaveFree(redis, 3 * mebibyte);
    await allowAllBut(redis, "-info");
    const args = ["copy", ...between(makeDirectory(930, 10_000), redis)];
    const { exitCode, stderr } = await run([...args, "--username", "u"], { environment });
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /too little memory: about 9\.\d MiB needed/);
    assert.equal(await countKeys(redis), 0);
  });

  test("a session that logged out of files while it was copied is not missing", async (t) => {
    const redis = await redisOf(t);
    await allowAllBut(redis, "-info");
    const directory = makeDirectory(500, 500);
    const gate = await startGate(t, redis.port, 150_000);
    const args = ["copy", ...between(directory, gate), "--username", "u"];
    const running = start(args, { environment });
    await heldOf(gate, running.result);
    await waitUntil("some are written", async () => (await countKeys(redis)) > 50);
    for (const name of readdirSync(directory).slice(0, 100)) rmSync(join(directory, name));
    gate.open();
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /no longer in Redis/);
    assert.equal(await countKeys(redis), 400);
  });

  test("persistence that cannot be told is said before a purge, with --quiet too", async (t) => {
    const redis = await redisOf(t);
    await allowAllBut(redis, "-config");
    const directory = makeDirectory(10, 200);
    const args = [...between(directory, redis), "--username", "u"];
    const { exitCode, stderr } = await run(["copy", "--purge", "--quiet", ...args], { environment });
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^warning: Redis does not say whether it saves to disk\./m);
  });

  test("evictions that cannot be seen are said by a purge too", async (t) => {
    const redis = await redisOf(t);
    await allowAllBut(redis, "-info");
    const directory = makeDirectory(10, 200);
    const args = between(directory, redis);
    assert.equal((await run(["copy", ...args])).exitCode, 0);
    const { exitCode, stderr } = await run(["purge", "--quiet", ...args, "--username", "u"], { environment });
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^warning: Redis does not say how many keys it evicted/m);
  });
});

describe("--alone: a purge by a user who cannot see other runs (spec.md, Purge)", { concurrency: 2 }, () => {
  const refusal = /cannot see whether a copy is still under way: nothing was removed\. .*--alone/;
  /** As a proxy answers that lists connections of its own. */
  const ours = (text: string) => (text.startsWith("id=") ? text.replace(/^id=.* user=u .*\n/gm, "") : text);
  const rows: readonly (readonly [
    name: string,
    denied: readonly string[],
    rewrite: (text: string) => string,
    isSeen?: true,
  ])[] = [
    ["CLIENT LIST is denied", ["-client|list"], (text) => text],
    ["CLIENT is denied as a whole", ["-client"], (text) => text],
    ["the list lacks our own connection", [], ours],
    ["CLIENT SETNAME is denied: the list has our connection by its id", ["-client|setname"], (text) => text, true],
  ];
  for (const [name, denied, rewrite, isSeen] of rows) {
    const exits = isSeen === true ? "exit 0" : "exit 5, with --alone exit 0";
    test(`${name}: copy --purge and purge, ${exits}`, async (t) => {
      const redis = await redisOf(t);
      await allowAllBut(redis, ...denied);
      const proxy = await startRewritingProxy(redis.port, rewrite);
      t.after(() => proxy.stop());
      const directory = makeDirectory(0, 200);
      // Of each dry run one that is like a run with --alone, and one that is not.
      for (const { command, alone, isDryFirst } of [
        { command: ["copy", "--purge"], alone: false, isDryFirst: true },
        { command: ["purge"], alone: false, isDryFirst: false },
        { command: ["purge"], alone: true, isDryFirst: true },
        { command: ["copy", "--purge"], alone: true, isDryFirst: false },
      ]) {
        const removes = alone || isSeen === true;
        const isPurged = readdirSync(directory).length === 0;
        if (isPurged) {
          makeDirectory(10, 200, directory);
          await redisCommand(redis, "FLUSHALL");
        }
        if (isPurged && command[0] === "purge") {
          assert.equal((await run(["copy", ...between(directory, redis)])).exitCode, 0);
        }
        const args = [...command, ...between(directory, proxy), "--username", "u"];
        if (alone) args.push("--alone");
        if (isDryFirst) {
          const dry = await run([...args, "--dry-run"], { environment });
          assert.equal(dry.exitCode, removes ? 0 : 5, dry.stderr);
        }
        const { exitCode, stderr } = await run(args, { environment });
        assert.equal(exitCode, removes ? 0 : 5, stderr);
        if (!removes) assert.match(stderr, refusal);
        assert.equal(readdirSync(directory).length, removes ? 0 : 10);
        const keys = await redisCommand(redis, "KEYS", "session:*");
        assert.equal(Array.isArray(keys) && keys.length, 10);
      }
    });
  }

  test("a copy that can be seen stops a purge with --alone all the same", async (t) => {
    const redis = await redisOf(t);
    const directory = makeDirectory(10, 200);
    const args = between(directory, redis);
    assert.equal((await run(["copy", ...args])).exitCode, 0);
    const places = directoryPlaces([directory]);
    await clientOf(t, redis, new PeerRuns({ places, shard: null, token: "0123456789abcdef" }).ownName("copying"));
    const { exitCode, stderr } = await run(["purge", "--alone", "--retry-for", "1", ...args]);
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /another run still copies this directory: nothing was removed/);
    assert.equal(readdirSync(directory).length, 10);
  });

  test("--alone does not allow a key to be taken back after a logout", async (t) => {
    const redis = await redisOf(t);
    await allowAllBut(redis, "-client|list");
    const directory = makeDirectory(500, 500);
    const gate = await startGate(t, redis.port, 150_000);
    const args = ["copy", "--alone", ...between(directory, gate), "--username", "u"];
    const running = start(args, { environment });
    await heldOf(gate, running.result);
    await waitUntil("some are written", async () => (await countKeys(redis)) > 50);
    const keys = await redisCommand(redis, "KEYS", "session:*");
    const [sid = ""] = Array.isArray(keys) ? keys.map((key) => String(key).slice("session:".length)) : [];
    rmSync(join(directory, `werkzeug_${sid}.sess`));
    gate.open();
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /other runs cannot be seen/);
    assert.equal(Number(await redisCommand(redis, "EXISTS", `session:${sid}`)), 1);
  });
});
