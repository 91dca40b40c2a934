import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  askKeyCounts,
  askPersistence,
  askReplicationOffset,
  askServerState,
  replicasAreInStep,
} from "../../../src/redis/server/server-state.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { waitUntil } from "../../end-to-end/support/wait-until.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { clientOf } from "../support/client-of.js";

const allBut = (...rules: readonly string[]) => ["ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", ...rules];

describe("server-state: memory, evictions, replicas", () => {
  it("a server without a limit", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    const state = await askServerState(client);
    assert((state.usedMemory ?? 0) > 100_000);
    assert.equal(state.history?.isReplica, false);
    assert.deepEqual(
      { ...state, usedMemory: 0, history: undefined },
      {
        ...{ maxMemory: 0, usedMemory: 0, evictionPolicy: "noeviction" },
        ...{ evictedKeys: 0, replicas: 0, history: undefined },
      },
    );
  });

  it("a limit, a policy, and keys that were evicted for real", async (t) => {
    const server = await redisOf(t, {
      args: ["--maxmemory", "4mb", "--maxmemory-policy", "volatile-ttl"],
    });
    const client = await clientOf(t, server);
    await redisPipeline(
      server,
      Array.from({ length: 100 }, (_, index) => ["SET", `k${index}`, "x".repeat(100_000), "EX", 1000]),
    );
    const state = await askServerState(client);
    const left = Number(await redisCommand(server, "DBSIZE"));
    assert.deepEqual([state.maxMemory, state.evictionPolicy], [4 * 1024 * 1024, "volatile-ttl"]);
    assert.equal(state.evictedKeys, 100 - left);
    assert(left > 0 && left < 50, `${left} keys left`);
  });

  const limit = { maxMemory: 50_000_000, evictionPolicy: "volatile-ttl" };
  const nothing = {
    maxMemory: undefined,
    evictionPolicy: undefined,
    evictedKeys: undefined,
    replicas: undefined,
  };
  const rows = [
    [
      "INFO denied: CONFIG tells limit and policy, MEMORY STATS what is used",
      ["-info"],
      { ...nothing, ...limit },
      true,
    ],
    ["INFO and CONFIG denied: only what is used is known", ["-info", "-config"], nothing, true],
    ["INFO and MEMORY denied", ["-info", "-memory"], { ...nothing, ...limit }, false],
    ["INFO, CONFIG and MEMORY denied: nothing is known", ["-info", "-config", "-memory"], nothing, false],
    ["CONFIG denied: INFO tells all", ["-config"], { ...limit, evictedKeys: 0, replicas: 0 }, true],
  ] as const;
  for (const [name, denied, expected, tellsUsed] of rows) {
    it(name, async (t) => {
      const server = await redisOf(t, {
        args: ["--maxmemory", "50000000", "--maxmemory-policy", "volatile-ttl"],
      });
      await redisCommand(server, ...allBut(...denied));
      const client = await clientOf(t, { ...server, username: "u", password: "pw" });
      const { usedMemory, history, ...state } = await askServerState(client);
      assert.deepEqual(state, expected);
      assert.equal(usedMemory !== undefined && usedMemory > 100_000, tellsUsed);
      assert.equal(history === undefined, denied[0] === "-info");
      if (denied[0] === "-info") assert.equal(await askReplicationOffset(client), 0);
    });
  }

  const counts = [
    ["INFO tells keys and lifetimes", [], { keys: 3, expiring: 1 }],
    ["INFO denied: DBSIZE tells the keys", ["-info"], { keys: 3, expiring: 3 }],
    ["INFO and DBSIZE denied", ["-info", "-dbsize"], { keys: 0, expiring: 0 }],
  ] as const;
  for (const [name, denied, expected] of counts) {
    it(`keys: ${name}`, async (t) => {
      const server = await redisOf(t);
      await redisCommand(server, "MSET", "a", "1", "b", "2");
      await redisCommand(server, "SET", "c", "3", "EX", 1000);
      await redisCommand(server, ...allBut(...denied));
      const client = await clientOf(t, { ...server, username: "u", password: "pw" });
      assert.deepEqual(await askKeyCounts(client, 0), expected);
    });
  }
});

describe("server-state: whether Redis persists at all (spec.md section 4, Redis that forgot)", () => {
  const rows: readonly (readonly [
    name: string,
    settings: Readonly<{ save?: string; appendonly?: string }>,
    denied: readonly string[],
    persists: boolean | undefined,
  ])[] = [
    ["neither snapshots nor a log", {}, [], false],
    ["snapshots", { save: "900 1" }, [], true],
    ["a log", { appendonly: "yes" }, [], true],
    ["a log, where CONFIG is denied", { appendonly: "yes" }, ["-config"], true],
    ["snapshots, where CONFIG is denied: not known", { save: "900 1" }, ["-config"], undefined],
    ["snapshots, where INFO is denied", { save: "900 1" }, ["-info"], true],
    ["both denied: not known", {}, ["-info", "-config"], undefined],
  ];
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  for (const [name, { save = "", appendonly = "no" }, denied, persists] of rows) {
    it(`${name}: ${persists}`, async (t) => {
      await redisCommand(server, "CONFIG", "SET", "save", save, "appendonly", appendonly);
      await redisCommand(server, ...allBut(...denied));
      const client = await clientOf(t, { ...server, username: "u", password: "pw" });
      assert.equal(await askPersistence(client), persists);
    });
  }
});

describe("server-state: --wait-replicas n: replicas have it before it goes (hazards.md, master lost)", () => {
  let master: RedisServer;
  let replica: RedisServer;
  before(async () => {
    master = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
    replica = await startRedis({ args: ["--replicaof", `${master.host} ${master.port}`] });
    await waitUntil("the replica is in step", async () =>
      String(await redisCommand(master, "INFO", "replication")).includes("state=online"),
    );
  });
  after(async () => {
    await replica.stop();
    await master.stop();
  });

  it("a replica that is in step is counted, and has what this connection wrote", async (t) => {
    const client = await clientOf(t, master);
    assert.equal((await askServerState(client)).replicas, 1);
    const before = await askReplicationOffset(client);
    await client.set("session:a", "{}");
    const offset = await askReplicationOffset(client);
    assert(offset > before, "a write moves the offset on");
    await waitUntil("the replica has it", () => replicasAreInStep(client, 1, offset));
    assert.equal(String(await redisCommand(replica, "GET", "session:a")), "{}");
  });

  it("two are asked for and there is one: no", async (t) => {
    const client = await clientOf(t, master);
    assert.equal(await replicasAreInStep(client, 2, await askReplicationOffset(client)), false);
  });

  it("a replica that is behind, with what this connection wrote or another: no, until it has caught up", async (t) => {
    const client = await clientOf(t, master);
    const resume = () => process.kill(replica.pid, "SIGCONT");
    t.after(resume);
    process.kill(replica.pid, "SIGSTOP");
    await client.set("session:b", "{}");
    await redisCommand(master, "SET", "session:c", "{}");
    const offset = await askReplicationOffset(client);
    assert.equal(await replicasAreInStep(client, 1, offset), false);
    resume();
    await waitUntil("the replica has it", () => replicasAreInStep(client, 1, offset));
    for (const key of ["session:b", "session:c"]) assert.equal(String(await redisCommand(replica, "GET", key)), "{}");
  });

  it("a replica that has what WAIT asks for, but has not come so far: no", async (t) => {
    const client = await clientOf(t, master);
    const offset = await askReplicationOffset(client);
    assert.equal(await client.wait(1, 1000), 1);
    assert.equal(await replicasAreInStep(client, 1, offset + 1_000_000), false);
  });

  it("INFO denied: WAIT alone does not tell what other connections wrote: no", async (t) => {
    await redisCommand(master, "ACL", "SETUSER", "uninformed", "on", ">pw", "~*", "+@all", "-info");
    const client = await clientOf(t, { ...master, username: "uninformed", password: "pw" });
    await client.set("session:d", "{}");
    const offset = await askReplicationOffset(client);
    assert.equal(offset, 0);
    assert.equal(await replicasAreInStep(client, 1, offset), false);
  });
});
