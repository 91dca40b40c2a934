import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { refuseEviction, watchEvictions } from "../../src/cli/eviction.js";
import { RedisError } from "../../src/model/errors.js";
import { askServerState } from "../../src/redis/server-state.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { type Account, resilientOf } from "../redis/support/client-of.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

const evicting = ["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random"];

/** Writes more than there is room for, so that Redis evicts for real. */
async function overfill(server: RedisServer): Promise<void> {
  await redisPipeline(
    server,
    Array.from({ length: 60 }, (_, index) => ["SET", `k${index}`, "x".repeat(100_000), "EX", 1000]),
  );
}

async function watchOf(t: TestContext, account: Account) {
  const warnings: [message: string, lasting: boolean | undefined][] = [];
  const connection = await resilientOf(t, account);
  const watch = watchEvictions(connection, (message, lasting) => warnings.push([message, lasting]));
  return { watch, warnings };
}

describe("eviction: keys evicted during the run: exit 4, nothing removed (hazards.md, eviction)", () => {
  it("none: nothing is said", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await watch.begin();
    await redisCommand(server, "SET", "k", "x", "PX", 1);
    await redisCommand(server, "DEL", "k");
    assert.deepEqual([await watch.end(), warnings], [false, []]);
  });

  it("some: it is said, also to a quiet person, each time it is asked for", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await watch.begin();
    await overfill(server);
    assert.equal(await watch.end(), true);
    assert.equal(await watch.end(), true);
    const [[message, lasting] = []] = warnings;
    assert.match(message ?? "", /^Redis has evicted \d+ keys meanwhile, .* nothing more is removed$/);
    assert.equal(lasting, true);
  });

  it("those from before the watch, or the beginning before this one, do not count", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await watch.begin();
    await overfill(server);
    await watch.begin();
    assert.deepEqual([await watch.end(), warnings], [false, []]);
  });

  it("a counter that is set back meanwhile: what it counted is not known, and it is said", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await overfill(server);
    await watch.begin();
    await redisCommand(server, "CONFIG", "RESETSTAT");
    assert.equal(await watch.end(), true);
    assert.match(warnings[0]?.[0] ?? "", /^Redis was told meanwhile to forget how many keys it evicted: /);
  });

  it("INFO denied: nothing is known, and nothing said", async (t) => {
    const server = await redisOf(t, { args: evicting });
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info");
    const { watch, warnings } = await watchOf(t, { ...server, username: "u", password: "pw" });
    await watch.begin();
    await overfill(server);
    assert.deepEqual([await watch.end(), warnings], [false, []]);
  });
});

describe("eviction: an evicting policy: a warning while the estimate fits in half of the free memory, else exit 5 (hazards.md)", () => {
  interface Case {
    /** `maxmemory` and its policy. */
    readonly limit: readonly [maxMemory: string, policy: string];
    /** What the run needs: bytes, or a share of the memory that is free. */
    readonly need: number;
    /** `undefined`: refused. */
    readonly allowed: number | undefined;
    readonly warned: boolean;
    readonly estimated: boolean;
  }
  const half = { need: 0.49, allowed: 0.49, warned: true, estimated: true };
  const more = { need: 0.51, allowed: undefined, warned: false, estimated: true };
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const rows: readonly (readonly [name: string, case_: Case])[] = [
    [
      "no limit: nothing is estimated",
      { limit: ["0", "noeviction"], need: 9, allowed: 0, warned: false, estimated: false },
    ],
    [
      "no limit, though the policy evicts",
      { limit: ["0", "allkeys-lru"], need: 9, allowed: 0, warned: false, estimated: false },
    ],
    [
      "noeviction: the guard sees to it",
      { limit: ["50mb", "noeviction"], need: 9, allowed: 9, warned: false, estimated: true },
    ],
    ...["volatile-lru", "volatile-ttl", "volatile-random", "volatile-lfu", "allkeys-lru", "allkeys-lfu"].map(
      (policy) => [`${policy}, and half of it fits`, { limit: ["50mb", policy], ...half }] as const,
    ),
    ...["volatile-ttl", "allkeys-lru"].map(
      (policy) => [`${policy}, and it does not`, { limit: ["50mb", policy], ...more }] as const,
    ),
    [
      "volatile-ttl, and nothing is needed",
      { limit: ["50mb", "volatile-ttl"], need: 0, allowed: 0, warned: true, estimated: true },
    ],
  ];

  for (const [name, { limit, need, allowed, warned, estimated }] of rows) {
    it(name, async (t) => {
      const [maxMemory, policy] = limit;
      await redisCommand(server, "CONFIG", "SET", "maxmemory", maxMemory, "maxmemory-policy", policy);
      const connection = await resilientOf(t, server);
      const state = await connection.run(askServerState);
      assert(state !== undefined);
      const free = Math.max(state.maxMemory - state.usedMemory, 0);
      const warnings: string[] = [];
      let estimates = 0;
      const estimate = async () => {
        estimates++;
        return need * free;
      };
      const judged = refuseEviction(connection, (message) => warnings.push(message), estimate);
      if (allowed === undefined) {
        await assert.rejects(judged, (error) => {
          assert(error instanceof RedisError && error.kind === "refused");
          assert.match(error.message, /would be evicted/);
          assert(error.message.includes(policy), "it names the policy");
          return true;
        });
      } else assert.equal(await judged, allowed * free);
      assert.equal(warnings.length, warned ? 1 : 0);
      assert.equal(estimates, estimated ? 1 : 0);
    });
  }

  it("a Redis that is full already has no half that is free", async (t) => {
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "allkeys-lru");
    const connection = await resilientOf(t, server);
    await assert.rejects(
      refuseEviction(
        connection,
        () => undefined,
        async () => 1,
      ),
      RedisError,
    );
  });

  it("INFO denied: nothing is known, and nothing estimated", async (t) => {
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info");
    const connection = await resilientOf(t, { ...server, username: "u", password: "pw" });
    const never = () => assert.fail("not to be called");
    assert.equal(await refuseEviction(connection, never, never), 0);
  });
});
