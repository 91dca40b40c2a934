import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openConnection } from "../../../src/redis/open-connection.js";
import { askFirstFacts } from "../../../src/redis/server/redis-facts.js";
import { askHistory, continues, type ServerFacts } from "../../../src/redis/server/server-facts.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { waitUntil } from "../../end-to-end/support/wait-until.js";
import { redisCommand } from "../../support/redis-command.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";
import { clientOf } from "../support/client-of.js";

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

describe("server-facts: what a server says of itself", () => {
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

describe("server-facts: whether a server still holds the data that it stored (hazards.md, Redis)", () => {
  const [run, other, nobody] = ["a".repeat(40), "b".repeat(40), "0".repeat(40)];
  for (const [name, now, before, kept] of [
    ["nothing happened", `${run} ${nobody}`, `${run} ${nobody}`, true],
    ["nothing happened since it followed another one", `${run} ${other}`, `${run} ${other}`, true],
    ["it forgot whom it followed", `${run} ${nobody}`, `${run} ${other}`, true],
    ["it followed another one", `${run} ${other}`, `${run} ${nobody}`, false],
    ["it was started again", `${other} ${nobody}`, `${run} ${nobody}`, false],
    ["nothing was known", `${run} ${nobody}`, undefined, false],
  ] as const) {
    it(name, () => assert.equal(continues({ id: now, isReplica: false }, before), kept));
  }

  it("a real one, promoted, whose time for that is up", async (t) => {
    const [first, second] = [await redisOf(t), await redisOf(t)];
    const client = await clientOf(t, second);
    const ask = () => askHistory(client);
    await redisCommand(second, "REPLICAOF", "127.0.0.1", String(first.port));
    const isUp = async () => /master_link_status:up/.test(String(await redisCommand(second, "INFO", "replication")));
    await waitUntil("it follows", isUp);
    assert.equal((await ask())?.isReplica, true);
    await redisCommand(second, "REPLICAOF", "NO", "ONE");
    const promoted = await ask();
    await redisCommand(second, "CONFIG", "SET", "repl-backlog-ttl", "1");
    await waitUntil("it forgets whom it followed", async () => (await ask())?.id !== promoted?.id);
    const later = await ask();
    assert(later !== undefined && continues(later, promoted?.id));
    assert(promoted !== undefined && !continues(promoted, later.id), "and never the other way round");
  });
});
