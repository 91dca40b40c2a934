import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RedisFacts } from "../../../src/model/redis-facts.js";
import { openConnection } from "../../../src/redis/open-connection.js";
import { askFirstFacts, type ServerFacts, withLastFacts } from "../../../src/redis/server/redis-facts.js";
import type { ServerState } from "../../../src/redis/server/server-state.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { clientOf } from "../support/client-of.js";

const state: ServerState = {
  maxMemory: 0,
  usedMemory: 2000,
  evictionPolicy: "noeviction",
  evictedKeys: 12,
  replicas: 0,
  history: { id: "abc def", isReplica: false },
};
const facts: RedisFacts = {
  version: "7.2.4",
  runId: "abc",
  role: "master",
  persistence: false,
  memoryBefore: 1000,
  memoryAfter: null,
  memoryLimit: 0,
  evicted: null,
};

async function factsOf(
  server: RedisServer,
  credentials: { username?: string; password?: string } = {},
): Promise<ServerFacts> {
  const address = { host: server.host, port: server.port };
  const { client } = await openConnection({ address, db: 0, ...credentials });
  try {
    return (await askFirstFacts(client)).server;
  } finally {
    client.disconnect();
  }
}

describe("redis-facts: what a run needs to know of a server", () => {
  it("a master: version and a clock that is ours", async () => {
    const server = await startRedis();
    const facts = await factsOf(server);
    assert.match(facts.version ?? "", /^\d+\.\d+\.\d+$/);
    assert.deepEqual({ ...facts, version: "" }, { version: "", clockLeadMs: 0, databases: [] });
    await server.stop();
  });

  it("the databases that hold keys which expire", async () => {
    const server = await startRedis();
    for (const db of [0, 3, 12]) {
      await redisCommand({ ...server, db }, "SET", "lasts", "x");
      if (db > 0) await redisCommand({ ...server, db }, "SET", "expires", "x", "EX", "100");
    }
    assert.deepEqual((await factsOf(server)).databases, [3, 12]);
    await server.stop();
  });

  it("a right that is missing leaves a fact absent, and the server is taken", async () => {
    const server = await startRedis();
    for (const [rules, absent] of [
      [["-info"], ["version"]],
      [["-time"], []],
      [["-info", "-time"], ["version"]],
      [["-@all", "+set"], ["version"]],
    ] as const) {
      await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", ...rules);
      const facts = await factsOf(server, { username: "u", password: "pw" });
      const missing = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [name] : []));
      assert.deepEqual(missing.sort(), [...absent].sort());
      assert.equal(facts.clockLeadMs, 0);
      const mayAskTime = !rules.some((rule) => rule === "-time" || rule === "-@all");
      assert.equal(facts.warning === undefined, mayAskTime, facts.warning?.found);
    }
    await server.stop();
  });

  it("any other refusal is thrown", async () => {
    const server = await startRedis({ args: ["--requirepass", "pw"] });
    await assert.rejects(factsOf(server), /NOAUTH/);
    await server.stop();
  });
});

describe("redis-facts: what the report says of Redis at the end", () => {
  const rows: readonly (readonly [name: string, last: Partial<ServerState>, expected: object])[] = [
    ["memory, and the keys evicted since", {}, { memoryAfter: 2000, evicted: 2 }],
    ["a limit that was raised meanwhile", { maxMemory: 9000 }, { memoryLimit: 9000 }],
    [
      "another start: nobody knows how many were evicted",
      { history: { id: "new def", isReplica: false } },
      { runId: "new", evicted: null },
    ],
    ["a counter that was reset", { evictedKeys: 3 }, { evicted: null }],
    [
      "nothing is told any more",
      { maxMemory: undefined, usedMemory: undefined, evictedKeys: undefined, history: undefined },
      { runId: "abc", memoryAfter: null, memoryLimit: 0, evicted: null },
    ],
  ];
  for (const [name, last, expected] of rows) {
    it(name, () => {
      const result = withLastFacts({ facts, evictedBefore: 10 }, { ...state, ...last });
      assert.deepEqual({ ...result, ...expected }, result);
    });
  }
});

describe("redis-facts: what a server says at the start", () => {
  it("version, run id, role, memory and persistence", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "50mb", "--save", "900 1"] });
    const { facts: first, evictedBefore } = await askFirstFacts(await clientOf(t, server));
    const { version, runId, memoryBefore, ...rest } = first;
    assert.match(version ?? "", /^\d+\./);
    assert.match(runId ?? "", /^[0-9a-f]{40}$/);
    assert.ok((memoryBefore ?? 0) > 100_000);
    assert.deepEqual(rest, {
      ...{ role: "master", persistence: true, memoryAfter: null, memoryLimit: 50 * 2 ** 20, evicted: null },
    });
    assert.equal(evictedBefore, 0);
  });

  it("INFO, CONFIG and MEMORY denied: null, and no error", async (t) => {
    const server = await redisOf(t);
    const rules = ["reset", "on", ">pw", "~*", "+@all", "-info", "-config", "-memory"];
    await redisCommand(server, "ACL", "SETUSER", "u", ...rules);
    const client = await clientOf(t, server);
    await client.call("AUTH", "u", "pw");
    const { facts: first, evictedBefore } = await askFirstFacts(client);
    assert.deepEqual([...new Set(Object.values(first))], [null]);
    assert.equal(evictedBefore, undefined);
  });
});
