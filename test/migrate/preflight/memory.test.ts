import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { copy } from "../../../src/migrate/copy.js";
import { checkMemory, judgeMemory } from "../../../src/migrate/preflight/memory.js";
import { messageOf } from "../../../src/model/check.js";
import { askServerState } from "../../../src/redis/server/server-state.js";
import { SingleServer } from "../../../src/redis/topology/redis-servers.js";
import { dayMs, keyOf, pathOf, saveSession } from "../../end-to-end/support/made-session.js";
import { resilientOf } from "../../redis/support/client-of.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { openCopy } from "../support/run-of-test.js";

describe("memory: what cannot fit is refused before the first write (spec.md, a Redis that may run out)", () => {
  interface Case {
    /** `maxmemory` and its policy. */
    readonly limit: readonly [maxMemory: string, policy: string];
    /**
     * What the run needs, as shares of what is free below 95% of the limit: at least, and at most.
     */
    readonly need: readonly [atLeast: number, atMost: number];
    /** What is warned of, or refused; absent if nothing is said. */
    readonly says?: RegExp;
    readonly refused?: true;
  }
  const enough = /^about [\d.]+ MiB needed, [\d.]+ MiB free: set maxmemory to at least [\d.]+ MiB\./;
  const tooLittle = new RegExp(`^Redis has too little memory: ${enough.source.slice(1)}`);
  const perhaps =
    /^Redis may have too little memory: up to [\d.]+ MiB needed, [\d.]+ MiB free: set maxmemory to at least /;
  const evicting = [
    "volatile-lru",
    "volatile-ttl",
    "volatile-random",
    "volatile-lfu",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
  ];
  const rows: readonly (readonly [name: string, case_: Case])[] = [
    ["noeviction, and it fits", { limit: ["50mb", "noeviction"], need: [0.9, 0.99] }],
    ["noeviction, and it may not fit", { limit: ["50mb", "noeviction"], need: [0.9, 1.1], says: perhaps }],
    [
      "noeviction, and it cannot fit",
      { limit: ["50mb", "noeviction"], need: [1.01, 1.1], says: tooLittle, refused: true },
    ],
    [
      "noeviction, full already, and something is needed",
      {
        limit: ["1", "noeviction"],
        need: [1, 1],
        says: /^Redis has too little memory: about 1\.9 MiB needed, 0 bytes free: set maxmemory to at least /,
        refused: true,
      },
    ],
    ["noeviction, full already, and nothing is needed", { limit: ["1", "noeviction"], need: [0, 0] }],
    ...evicting.flatMap((policy) => [
      [`${policy}, and half of it fits`, { limit: ["50mb", policy], need: [0.4, 0.49] }] as const,
      [
        `${policy}, and half of it may not fit`,
        {
          limit: ["50mb", policy],
          need: [0.4, 0.6],
          says: new RegExp(`${perhaps.source}.*${policy}.*no more than half`),
        },
      ] as const,
      [
        `${policy}, and half of it cannot fit`,
        {
          limit: ["50mb", policy],
          need: [0.51, 0.6],
          says: new RegExp(`${tooLittle.source}.*${policy}.*no more than half`),
          refused: true,
        },
      ] as const,
    ]),
    ["volatile-ttl, full already, and nothing is needed", { limit: ["1", "volatile-ttl"], need: [0, 0] }],
  ];
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  for (const [name, { limit, need, says, refused }] of rows) {
    it(name, async (t) => {
      const [maxMemory, policy] = limit;
      await redisCommand(server, "CONFIG", "SET", "maxmemory", maxMemory, "maxmemory-policy", policy);
      const connection = await resilientOf(t, server);
      const { maxMemory: bytes = 0, usedMemory = 0 } = await connection.run(askServerState);
      const room = Math.max(0.95 * bytes - usedMemory, 2_000_000);
      const [atLeast = 0, atMost = 0] = need.map((share) => Math.round(share * room));
      const estimate = async () => [{ bytes: atLeast, atLeast, atMost }];
      const check = await judgeMemory(new SingleServer(connection), estimate);
      const verdict = refused ? "fail" : says === undefined ? "ok" : "warn";
      assert.deepEqual([check.verdict, check.exitCode], [verdict, refused && 5]);
      if (says !== undefined) assert.match(messageOf(check), says);
    });
  }

  it("what is advised is enough: with it the same need fits", async (t) => {
    for (const policy of ["noeviction", "allkeys-lru"]) {
      await redisCommand(server, "CONFIG", "SET", "maxmemory", "20mb", "maxmemory-policy", policy);
      const connection = await resilientOf(t, server);
      const estimate = async () => [{ bytes: 5e7, atLeast: 5e7, atMost: 5e7 }];
      const check = await judgeMemory(new SingleServer(connection), estimate);
      const [, advised] = /at least ([\d.]+) MiB/.exec(messageOf(check)) ?? [];
      await redisCommand(server, "CONFIG", "SET", "maxmemory", `${Math.round(Number(advised))}mb`);
      assert.deepEqual(
        [check.verdict, (await judgeMemory(new SingleServer(connection), estimate)).verdict],
        ["fail", "ok"],
      );
    }
  });

  it("no limit: nothing is estimated, also if the policy evicts", async (t) => {
    const never = () => assert.fail("not to be called");
    for (const policy of ["noeviction", "allkeys-lru"]) {
      await redisCommand(server, "CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", policy);
      const { verdict } = await judgeMemory(new SingleServer(await resilientOf(t, server)), never);
      assert.equal(verdict, "ok");
    }
  });

  it("INFO denied: CONFIG and MEMORY STATS tell instead", async (t) => {
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "20mb", "maxmemory-policy", "noeviction");
    await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", "-info");
    const connection = await resilientOf(t, { ...server, username: "u", password: "pw" });
    const estimate = async () => [{ bytes: 5e7, atLeast: 5e7, atMost: 5e7 }];
    assert.match(messageOf(await judgeMemory(new SingleServer(connection), estimate)), tooLittle);
  });

  it("nothing tells the limit: what is needed is said, and the run goes on", async (t) => {
    await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", "-@dangerous");
    const connection = await resilientOf(t, { ...server, username: "u", password: "pw" });
    const estimate = async () => [{ bytes: 5e7, atLeast: 5e7, atMost: 5e7 }];
    const check = await judgeMemory(new SingleServer(connection), estimate);
    assert.equal(check.verdict, "warn");
    const said = "about 47.7 MiB of Redis memory needed. Redis does not say how much is free";
    assert.equal(messageOf(check), said);
  });
});

describe("memory: only sessions that add a key need memory", () => {
  let server: RedisServer;
  let directory: string;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(async () => {
    await redisCommand(server, "FLUSHALL");
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "0");
    directory = makeTemporaryDirectory();
  });

  const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
  /** Sessions that need about 2 MB. */
  const saveAll = (text = `{"uid": 2, "v": "${"x".repeat(100_000)}"}`, ageMs = dayMs) => {
    for (const number of numbers) saveSession(directory, number, text, { mtimeMs: Date.now() - ageMs });
  };
  const copyAll = async (t: TestContext) => {
    saveAll();
    await sleep(60);
    await copy((await openCopy(t, server, directory, [])).run);
  };
  /** Half of what the sessions need. */
  const leaveOneMegabyte = async (t: TestContext) => {
    const { usedMemory = 0 } = await (await resilientOf(t, server)).run(askServerState);
    const limit = Math.ceil((usedMemory + 1e6) / 0.95);
    await redisCommand(server, "CONFIG", "SET", "maxmemory", String(limit));
  };

  const rows: readonly (readonly [
    name: string,
    prepare: (t: TestContext) => unknown,
    onOpen?: () => void,
    flags?: readonly string[],
  ])[] = [
    ["keys that exist already", copyAll],
    [
      "sessions that ended in Redis",
      async (t) => {
        await copyAll(t);
        await redisCommand(server, "DEL", ...numbers.map(keyOf));
        const expiry = String(Date.now() + dayMs);
        await redisCommand(server, "SET", keyOf(99), "{}", "PXAT", expiry);
      },
    ],
    [
      "files that vanished",
      () => saveAll(),
      () => {
        for (const number of numbers) rmSync(pathOf(directory, number));
      },
    ],
    ["sessions that are expired", () => saveAll(undefined, 30 * dayMs), () => undefined, ["--ttl", "remaining"]],
    ["sessions that fail", () => saveAll(`{"uid": "${"x".repeat(100_000)}`)],
  ];
  for (const [name, prepare, onOpen, flags = []] of rows) {
    it(`${name} need none`, async (t) => {
      await prepare(t);
      await leaveOneMegabyte(t);
      const { run } = await openCopy(t, server, directory, flags);
      onOpen?.();
      assert.equal((await checkMemory(run, false)).verdict, "ok");
    });
  }

  it("new sessions do: refused if they cannot fit", async (t) => {
    saveAll();
    await leaveOneMegabyte(t);
    const { run } = await openCopy(t, server, directory, []);
    const check = await checkMemory(run, false);
    assert.equal(check.verdict, "fail");
    assert.match(messageOf(check), /^Redis has too little memory: about 2/);
  });
});
