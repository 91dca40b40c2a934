import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { judgeMemory } from "../../../src/migrate/preflight/memory.js";
import { messageOf } from "../../../src/model/check.js";
import { Canary, canaryKey } from "../../../src/redis/canary.js";
import { sendOne } from "../../../src/redis/send-batch.js";
import { PeerRuns } from "../../../src/redis/server/peers.js";
import { probeWrite } from "../../../src/redis/server/probe.js";
import { surveyServers } from "../../../src/redis/survey-keys.js";
import type { ClusterServers } from "../../../src/redis/topology/cluster-servers.js";
import { hashSlot } from "../../../src/redis/topology/hash-slot.js";
import { onEach } from "../../../src/redis/topology/redis-servers.js";
import { type RedisCluster, startCluster } from "../../support/servers/redis-cluster.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { sidOf } from "../../support/sessions/session-directory.js";
import { clusterOf } from "../support/client-of.js";

describe("cluster-servers: the masters of a Cluster", () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startCluster({ replicas: 0 });
  });
  after(() => cluster.stop());
  beforeEach(async () => {
    await cluster.onEach("FLUSHALL");
    await cluster.onEach("CONFIG", "SET", "maxmemory", "0");
  });

  const set = (servers: ClusterServers, key: string, value: string) =>
    servers.serverOf(key).connection.run((client) => sendOne(client, "SET", key, value));
  const get = (servers: ClusterServers, key: string) =>
    servers.serverOf(key).connection.run((client) => sendOne(client, "GET", key));

  /** A master that does not hold a slot. */
  async function otherThan(slot: number): Promise<RedisServer> {
    const from = await cluster.masterOf(slot);
    const other = (await cluster.masters()).find((one) => one !== from);
    assert(other !== undefined);
    return other;
  }

  for (const key of ["a", "session:a", "{tag}a", "x{tag}y", "{}a", "a{b", "a}b{c}", "a{}{c}", "ü{é}ö", "{a}{b}"]) {
    it(`the slot of ${key} is the one that Redis says`, async () => {
      const [said] = await cluster.onEach("CLUSTER", "KEYSLOT", key);
      assert.equal(hashSlot(key), said);
    });
  }

  it("a key of ours that lies on a master lies there, also one that is written to try", async (t) => {
    const servers = await clusterOf(t, cluster);
    assert.equal(servers.all.length, 3);
    for (const server of servers.all) {
      assert.equal(servers.serverOf(server.keyHere("tele-sessions:x")), server);
    }
    assert.deepEqual(await onEach(servers, probeWrite), [true, true, true]);
  });

  it("MOVED: a command goes to the new master, and the next one goes there at once", async (t) => {
    const servers = await clusterOf(t, cluster);
    const slot = hashSlot("k");
    const old = servers.serverOf("k");
    await cluster.moveSlot(slot, await otherThan(slot));
    assert.equal(await set(servers, "k", "1"), "OK");
    assert.notEqual(servers.serverOf("k"), old);
    assert.equal(await get(servers, "k"), "1");
  });

  it("ASK: keys that were moved and keys that were not are found, new ones are written", async (t) => {
    const servers = await clusterOf(t, cluster);
    await set(servers, "{s}old", "1");
    const slot = hashSlot("{s}");
    const move = await cluster.beginMove(slot, await otherThan(slot));
    assert.equal(await set(servers, "{s}new", "2"), "OK");
    assert.deepEqual([await get(servers, "{s}old"), await get(servers, "{s}new")], ["1", "2"]);
    await move.end();
    assert.deepEqual([await get(servers, "{s}old"), await get(servers, "{s}new")], ["1", "2"]);
    await servers.checkData();
  });

  it("CLUSTERDOWN passes: the command is sent again", async (t) => {
    const servers = await clusterOf(t, cluster);
    const slot = hashSlot("down");
    const master = await cluster.masterOf(slot);
    await redisCommand(master, "CLUSTER", "DELSLOTS", slot);
    const written = set(servers, "down", "1");
    setTimeout(() => void redisCommand(master, "CLUSTER", "ADDSLOTS", slot), 300);
    assert.equal(await written, "OK");
  });

  async function canaryOf(t: TestContext, servers: ClusterServers): Promise<Canary> {
    const canary = new Canary(servers, new PeerRuns({ places: ["/s"], shard: null, token: "1" }), () => undefined);
    await canary.begin();
    t.after(() => canary.end());
    return canary;
  }

  it("each master has a canary: one emptied master is noticed", async (t) => {
    const servers = await clusterOf(t, cluster, { name: "n" });
    const canary = await canaryOf(t, servers);
    assert.deepEqual(await cluster.onEach("DBSIZE"), [1, 1, 1]);
    await canary.check();
    const [, second] = await cluster.masters();
    assert(second !== undefined);
    await redisCommand(second, "FLUSHALL");
    await assert.rejects(canary.check(), { name: "RedisForgotError" });
  });

  it("a canary moves with its slot, and its master gets another one", async (t) => {
    const servers = await clusterOf(t, cluster, { name: "n" });
    const canary = await canaryOf(t, servers);
    const [first] = servers.all;
    assert(first !== undefined);
    const slot = hashSlot(first.keyHere(canaryKey));
    await cluster.moveSlot(slot, await otherThan(slot));
    await canary.check();
    assert.ok((await cluster.onEach("DBSIZE")).every((size) => Number(size) > 0));
    await canary.check();
  });

  it("a sample of 100 keys over all masters is enough to say that no server saves here", async (t) => {
    const numbers = Array.from({ length: 400 }, (_, index) => index);
    await cluster.client.pipeline(numbers.map((one) => ["SET", `session:${sidOf(one)}`, "{}"]));
    const servers = await clusterOf(t, cluster);
    const survey = await surveyServers(servers, "session:", 0);
    assert.ok((survey?.own.length ?? 0) >= 250 && (survey?.own.length ?? 0) <= 303);
    assert.deepEqual([survey?.representative, survey?.isAll], [true, false]);
  });

  it("memory: the master with the least room decides, and is named", async (t) => {
    const [, second] = await cluster.masters();
    assert(second !== undefined);
    await redisCommand(second, "CONFIG", "SET", "maxmemory", "8mb");
    const servers = await clusterOf(t, cluster);
    const need = { bytes: 2e7, atLeast: 2e7, atMost: 2e7 };
    const check = await judgeMemory(servers, async () => [need, need, need]);
    assert.equal(check.verdict, "fail");
    assert.match(messageOf(check), new RegExp(`on the master 127.0.0.1:${second.port}, .* free`));
  });
});
