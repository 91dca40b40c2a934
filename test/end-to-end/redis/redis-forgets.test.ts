import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startFaultProxy } from "../../support/proxies/fault-proxy.js";
import type { Fault } from "../../support/proxies/fault-schedule.js";
import type { CommandHead } from "../../support/proxies/resp-messages.js";
import type { RedisAddress } from "../../support/servers/redis-client.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { checkSessions } from "../../support/sessions/check-sessions.js";
import type { MadeSession } from "../../support/sessions/make-sessions.js";
import { SweptRedis } from "../../support/sweep/swept-redis.js";
import {
  copySweptSessions,
  makeSweptSessions,
  missingSessions,
  type SweptSessions,
} from "../../support/sweep/swept-sessions.js";
import { type ObservedResult, run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

/** Files that are removed between two questions to Redis. */
const removedAtOnce = 1000;
/** Files that are proven again at once, and asked about. */
const provenAtOnce = 100;
/** Keys that a run looks at before it begins, and a purge before it proves. */
const surveyed = 300;
const restMs = 2100;
/** Two batches that are under way at a time, another, and the beginning of a fourth. */
const count = 400;
const made = await makeSweptSessions(count);
/** Where Redis is asked amid the removal. */
const many = await makeSweptSessions(removedAtOnce + 50);
const copy = ["copy"];
const copyAndPurge = ["copy", "--purge"];
const beganMs = Date.now();

function runOver(args: readonly string[], directory: string, port: number): Promise<ObservedResult> {
  return run([...args, "--session-dir", directory, "--port", String(port), "--json"], {
    environment: { TELE_SESSION_REDIS_PASSWORD: SweptRedis.password },
  });
}

/** Sessions that Redis does not hold as it must: a sentence for each. */
async function differencesOf(
  address: RedisAddress,
  sessions: readonly MadeSession[] = made.sessions,
): Promise<readonly string[]> {
  async function* each(): AsyncGenerator<MadeSession> {
    yield* sessions;
  }
  return (await checkSessions(address, each(), { beganMs, endedMs: Date.now() })).differences;
}

/** Files in a directory and below it. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);
}

async function emptyRedisOf(t: TestContext): Promise<SweptRedis> {
  const redis = await SweptRedis.start();
  t.after(() => redis.stop());
  return redis;
}

async function copyAndRest(sessions: SweptSessions): Promise<string> {
  const directory = copySweptSessions(sessions);
  await sleep(restMs);
  return directory;
}

let next = copyAndRest(made);

/**
 * The sessions, old enough to be proven once only: what Redis is asked for is then the same in each
 * run.
 */
function restedCopy(sessions: SweptSessions): Promise<string> {
  if (sessions !== made) return copyAndRest(sessions);
  // One directory rests while a run works on the one before it.
  const rested = next;
  next = copyAndRest(made);
  return rested;
}

/**
 * What undisturbed runs over the same sessions are answered, reply by reply, one run after the
 * other.
 */
async function undisturbedReplies(
  runs: readonly (readonly string[])[],
  sessions = made,
): Promise<readonly CommandHead[][]> {
  const redis = await SweptRedis.start();
  const directory = await restedCopy(sessions);
  const replies: CommandHead[][] = [];
  for (const args of runs) {
    const proxy = await startFaultProxy(redis.port);
    const { exitCode, stderr } = await runOver(args, directory, proxy.port);
    assert.equal(exitCode, 0, stderr);
    await proxy.stop();
    replies.push([...proxy.replies()]);
  }
  await redis.stop();
  return replies;
}

const numbersOf = (replies: readonly CommandHead[], name: string) =>
  replies.flatMap((reply, index) => (reply.name === name && reply.key.startsWith("session:") ? [index + 1] : []));
/**
 * When Redis is asked, after the proof, whose data it holds and what it evicted: before the first
 * file is removed, after each hundred, again after a thousand, and after the last. Its canary key
 * is checked after that. The very last INFO is for the report.
 */
const questionsOf = (replies: readonly CommandHead[], proofs: readonly number[]) => {
  const checks = replies.flatMap(({ name }, index) =>
    name === "INFO" && index > (proofs.at(-1) ?? 0) ? [index + 1] : [],
  );
  const amid = 1 + removedAtOnce / provenAtOnce;
  return {
    before: checks[0] ?? Number.NaN,
    amid: checks[amid] ?? Number.NaN,
    behind: checks.at(-2) ?? Number.NaN,
  };
};

const [[replies = []], [repliesOfMany = []], [repliesOfCopy = [], repliesAgain = []]] = await Promise.all([
  undisturbedReplies([copyAndPurge]),
  undisturbedReplies([copyAndPurge], many),
  undisturbedReplies([copy, copyAndPurge]),
]);
const writes = numbersOf(repliesOfCopy, "SET");
const proofs = numbersOf(replies, "GET").slice(-count);
const { before: beforeRemoval, behind: behindRemoval } = questionsOf(replies, proofs);
const { amid: amidRemoval } = questionsOf(repliesOfMany, numbersOf(repliesOfMany, "GET").slice(-count));
const numberOf = (numbers: readonly number[], share: number): number =>
  numbers[Math.floor(share * (numbers.length - 1))] ?? Number.NaN;

/**
 * A run, and a Redis without persistence that is killed (-9) and started again at certain replies,
 * which the run does not hear.
 */
async function runWhileKilled(
  t: TestContext,
  args: readonly string[],
  numbers: readonly number[],
  sessions = made,
): Promise<{
  readonly result: ObservedResult;
  readonly redis: SweptRedis;
  readonly directory: string;
  readonly kills: number;
  /** Sessions whose files were gone when it was killed last. */
  readonly removedBefore: readonly MadeSession[];
}> {
  const redis = await emptyRedisOf(t);
  const directory = await restedCopy(sessions);
  const act = async (): Promise<void> => {
    await redis.kill();
    removedBefore = missingSessions(sessions, directory);
    await redis.startAgain();
  };
  let removedBefore: readonly MadeSession[] = [];
  const faults = numbers.map((at): Fault => ({ kind: "act", at, act, reply: "lost" }));
  const proxy = await startFaultProxy(redis.port, faults);
  await redis.standBehind([proxy]);
  const result = await runOver(args, directory, proxy.port);
  await proxy.stop();
  return { result, redis, directory, kills: proxy.happened().length, removedBefore };
}

describe("Redis is killed (-9) and has kept nothing: found out, written again, nothing lost", {
  concurrency: 2,
}, () => {
  const rows = [
    { name: "copy, when it has just connected", args: copy, at: 4 },
    { name: "copy, while its state is asked", args: copy, at: 8 },
    { name: "copy --purge, before its first batch", args: copyAndPurge, at: numberOf(writes, 0) - 1 },
    { name: "copy, in the middle", args: copy, at: numberOf(writes, 0.5) },
    { name: "copy, at its last answer", args: copy, at: numberOf(writes, 1) + 2 },
    { name: "copy --purge, in the middle of the proof", args: copyAndPurge, at: numberOf(proofs, 0.5) },
    { name: "copy --purge, at the last answer before it removes", args: copyAndPurge, at: beforeRemoval },
  ];
  for (const { name, args, at } of rows) {
    test(name, async (t) => {
      const { result, redis, directory, kills } = await runWhileKilled(t, args, [at]);
      assert.equal(result.exitCode, 0, result.stderr);
      assert.equal(kills, 1);
      assert.match(result.stderr, /Redis was restarted, emptied or replaced, and may have lost what it confirmed/);
      assert.deepEqual((await differencesOf(redis.address)).slice(0, 3), []);
      if (args === copy) assert.deepEqual(missingSessions(made, directory), []);
      else assert.deepEqual(filesIn(directory), []);
    });
  }

  test("three times: exit 3, nothing removed; another run ends the work", async (t) => {
    const third = [0.5, 1, 1.5].map((share) => Math.floor(numberOf(writes, 0) + share * count));
    const { result, redis, directory, kills } = await runWhileKilled(t, copyAndPurge, third);
    assert.equal(result.exitCode, 3, result.stderr);
    assert.equal(kills, 3);
    assert.match(
      result.stderr,
      /^error: Redis was restarted, emptied or replaced, and may have lost what it confirmed/m,
    );
    assert.deepEqual(missingSessions(made, directory), []);
    const again = await runOver(copyAndPurge, directory, redis.port);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.deepEqual((await differencesOf(redis.address)).slice(0, 3), []);
    assert.deepEqual(filesIn(directory), []);
  });

  test("between two parts of the removal: what it had is gone and said, the rest is copied again", async (t) => {
    const { result, redis, directory, kills, removedBefore } = await runWhileKilled(
      t,
      copyAndPurge,
      [amidRemoval],
      many,
    );
    assert.equal(kills, 1);
    assert.equal(removedBefore.length, removedAtOnce);
    assert.equal(result.exitCode, 3, result.stderr);
    assert.match(result.stderr, /^error: /m);
    const rest = many.sessions.filter((session) => !removedBefore.includes(session));
    assert.equal(rest.length, many.sessions.length - removedAtOnce);
    const again = await runOver(copyAndPurge, directory, redis.port);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.deepEqual((await differencesOf(redis.address, rest)).slice(0, 3), []);
    assert.deepEqual(filesIn(directory), []);
  });

  test("behind the last removal: it never says that all is well", async (t) => {
    const { result, kills, removedBefore } = await runWhileKilled(t, copyAndPurge, [behindRemoval]);
    assert.equal(kills, 1);
    assert.equal(removedBefore.length, count);
    assert.equal(result.exitCode, 3, result.stderr);
    assert.match(
      result.stderr,
      /^error: Redis was restarted, emptied or replaced after 400 session files had been removed/m,
    );
  });
});

/**
 * A run, and a failover in its middle that loses the last writes: the replica was cut off before.
 */
async function runWhileFailingOver(
  t: TestContext,
  args: readonly string[],
  { detachedAt, promotedAt }: { readonly detachedAt: number; readonly promotedAt: number },
): Promise<{
  result: ObservedResult;
  replica: RedisAddress;
  directory: string;
  kept: number;
  written: number;
}> {
  const master = await redisOf(t);
  const replica = await redisOf(t, { args: ["--replicaof", "127.0.0.1", String(master.port)] });
  const isInStep = async (): Promise<boolean> =>
    /master_link_status:up/.test(String(await redisCommand(replica, "INFO", "replication")));
  await waitUntil("the replica is in step", isInStep);
  let kept = 0;
  let written = 0;
  const faults: readonly Fault[] = [
    {
      kind: "act",
      at: detachedAt,
      reply: "forwarded",
      act: async () => {
        await waitUntil("the replica has some writes", async () => (await countKeys(replica)) > 0);
        await redisCommand(replica, "REPLICAOF", "127.0.0.1", 1);
        kept = await countKeys(replica);
      },
    },
    {
      kind: "act",
      at: promotedAt,
      reply: "lost",
      act: async () => {
        written = await countKeys(master);
        await redisCommand(replica, "REPLICAOF", "NO", "ONE");
        proxy.redirect(replica.port);
      },
    },
  ];
  const directory = await restedCopy(made);
  const proxy = await startFaultProxy(master.port, faults);
  const result = await runOver(args, directory, proxy.port);
  await proxy.stop();
  return { result, replica, directory, kept, written };
}

describe("a failover loses the last writes: found out, written again, nothing lost", {
  concurrency: 2,
}, () => {
  const detachedAt = numberOf(writes, 0.1);
  const rows = [
    { name: "copy, in the middle", args: copy, promotedAt: numberOf(writes, 0.7) },
    {
      name: "copy --purge, in the middle of the proof",
      args: copyAndPurge,
      promotedAt: numberOf(proofs, 0.5),
    },
    {
      name: "copy --purge, at the last answer before it removes",
      args: copyAndPurge,
      promotedAt: beforeRemoval,
    },
  ];
  for (const { name, args, promotedAt } of rows) {
    test(name, async (t) => {
      const { result, replica, directory, kept, written } = await runWhileFailingOver(t, args, {
        detachedAt,
        promotedAt,
      });
      assert.equal(result.exitCode, 0, result.stderr);
      assert.ok(kept > 0 && kept < written, `the replica kept ${kept} of ${written}`);
      assert.deepEqual((await differencesOf(replica)).slice(0, 3), []);
      if (args === copy) assert.deepEqual(missingSessions(made, directory), []);
      else assert.deepEqual(filesIn(directory), []);
    });
  }
});

/**
 * A run over sessions that were copied before, or were not, and something that happens to Redis
 * behind certain replies.
 */
async function runWhile(
  t: TestContext,
  args: readonly string[],
  at: number | readonly number[],
  act: (redis: SweptRedis) => Promise<void>,
  { copied = true, sessions = made } = {},
): Promise<{ readonly result: ObservedResult; readonly redis: SweptRedis; readonly directory: string }> {
  const redis = await emptyRedisOf(t);
  const directory = await restedCopy(sessions);
  if (copied) {
    const first = await runOver(copy, directory, redis.port);
    assert.equal(first.exitCode, 0, first.stderr);
  }
  const faults = [at].flat().map((number): Fault => {
    return { kind: "act", at: number, act: () => act(redis), reply: "forwarded" };
  });
  const proxy = await startFaultProxy(redis.port, faults);
  const result = await runOver(args, directory, proxy.port);
  await proxy.stop();
  assert.equal(proxy.happened().length, faults.length);
  return { result, redis, directory };
}

async function beEmptied(redis: SweptRedis): Promise<void> {
  await redis.command("FLUSHALL");
}

/**
 * Redis follows an empty one until it is empty too; then it is a master again, in the same process
 * and over the same connection.
 */
async function followAnEmptyOne(t: TestContext, redis: SweptRedis, andReturn: boolean): Promise<void> {
  const other = await redisOf(t);
  await redis.command("REPLICAOF", "127.0.0.1", other.port);
  await redis.until(async () => /master_link_status:up/.test(await redis.info("replication")));
  if (andReturn) await redis.command("REPLICAOF", "NO", "ONE");
}

const looks = numbersOf(repliesAgain, "GET").slice(surveyed, surveyed + count);
const proofsAgain = numbersOf(repliesAgain, "GET").slice(-count);
const questions = questionsOf(repliesAgain, proofsAgain);
/** The last of the keys that the purge looks at before its first proof. */
const beforeProofs = numbersOf(repliesAgain, "GET").at(-count - 1) ?? Number.NaN;

describe("Redis loses what it held without a restart: found out, nothing lost", { concurrency: 2 }, () => {
  const returning = (t: TestContext) => (redis: SweptRedis) => followAnEmptyOne(t, redis, true);
  for (const [name, at, lose] of [
    ["it is emptied in the main pass of a second copy", numberOf(looks, 0.5), () => beEmptied],
    ["it is emptied before the proof, so that nothing is left to remove", beforeProofs, () => beEmptied],
    ["it is emptied in the proof", numberOf(proofsAgain, 0.5), () => beEmptied],
    ["it is emptied behind the last question before the removal", questions.before, () => beEmptied],
    ["it follows another one for a moment, in the proof", numberOf(proofsAgain, 0.5), returning],
  ] as const) {
    test(`${name}: all is written again`, async (t) => {
      const args = [...copyAndPurge, "--lanes", "2"];
      const { result, redis, directory } = await runWhile(t, args, at, lose(t));
      assert.equal(result.exitCode, 0, result.stderr);
      assert.match(
        result.stderr,
        /^warning: Redis was restarted, emptied or replaced, and may have lost what it confirmed/m,
      );
      assert.deepEqual((await differencesOf(redis.address)).slice(0, 3), []);
      assert.deepEqual(filesIn(directory), []);
    });
  }

  for (const [name, args, at] of [
    ["a first copy with a purge", copyAndPurge, [numberOf(writes, 0.5)]],
    [
      "a first copy, and again in the pass that began anew",
      copy,
      [0.5, 1.2].map((share) => Math.floor(numberOf(writes, 0) + share * count)),
    ],
  ] as const) {
    test(`it is emptied in the middle of ${name}, where no mark stands: all is written again`, async (t) => {
      const { result, redis, directory } = await runWhile(t, args, at, beEmptied, { copied: false });
      assert.equal(result.exitCode, 0, result.stderr);
      assert.match(result.stderr, /^warning: Redis was restarted, emptied or replaced/m);
      assert.deepEqual((await differencesOf(redis.address)).slice(0, 3), []);
      if (args === copyAndPurge) assert.deepEqual(filesIn(directory), []);
      else assert.deepEqual(missingSessions(made, directory), []);
      assert.match(String(await redis.command("KEYS", "tele-sessions:*")), /^tele-sessions:mark:\w+$/);
    });
  }

  test("it is emptied while it is verified: what is missing by then is not taken for ended, exit 3", async (t) => {
    const { result } = await runWhile(t, ["verify"], Math.floor(count / 2), beEmptied);
    assert.equal(result.exitCode, 3, result.stderr);
    assert.match(result.stderr, /^error: Redis was restarted, emptied or replaced/m);
  });

  test("it is emptied amid the removal: not a file more is removed", async (t) => {
    const { result, directory } = await runWhile(t, copyAndPurge, amidRemoval, beEmptied, {
      copied: false,
      sessions: many,
    });
    assert.equal(result.exitCode, 3, result.stderr);
    assert.equal(missingSessions(many, directory).length, removedAtOnce);
  });

  test("it follows another one for good: nothing is removed, exit 3 in one sentence", async (t) => {
    const args = [...copyAndPurge, "--retry-for", "2s"];
    const { result, directory } = await runWhile(t, args, numberOf(proofsAgain, 0.5), (redis) =>
      followAnEmptyOne(t, redis, false),
    );
    assert.equal(result.exitCode, 3, result.stderr);
    assert.match(
      result.stderr,
      /^error: Redis at .* was lost: Redis has become a read-only replica: name its master$/m,
    );
    assert.deepEqual(missingSessions(made, directory), []);
  });
});
