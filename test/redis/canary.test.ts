import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Canary, canaryKey } from "../../src/redis/canary.js";
import { PeerRuns } from "../../src/redis/server/peers.js";
import { SingleServer } from "../../src/redis/topology/redis-servers.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type Account, resilientOf } from "./support/client-of.js";

/** The canary of a run that other runs see under this token. */
async function canaryOf(t: TestContext, account: Account, token = "1") {
  const peers = new PeerRuns({ places: ["/srv/sessions"], shard: null, token });
  const connection = await resilientOf(t, account, { name: peers.ownName("copying") });
  const warnings: string[] = [];
  return {
    canary: new Canary(new SingleServer(connection), peers, (message) => warnings.push(message)),
    warnings,
  };
}

describe("canary: shows whether Redis was emptied (hazards.md, Redis that forgot)", () => {
  it("all runs share the first value; it ends by itself", async (t) => {
    const server = await redisOf(t);
    const { canary: one } = await canaryOf(t, server);
    const { canary: other } = await canaryOf(t, server, "2");
    await one.begin();
    await other.begin();
    assert(one.beside?.value !== undefined);
    assert.equal(other.beside?.value, one.beside?.value);
    assert.ok(Number(await redisCommand(server, "PTTL", canaryKey)) > 0);
    await one.check();
  });

  it("emptied, or emptied and given another value: RedisForgotError", async (t) => {
    const server = await redisOf(t);
    const { canary } = await canaryOf(t, server);
    await canary.begin();
    for (const value of [undefined, "another"]) {
      await redisCommand(server, "FLUSHALL");
      if (value !== undefined) await redisCommand(server, "SET", canaryKey, value);
      await assert.rejects(canary.check(), { name: "RedisForgotError" });
    }
  });

  it("a run that starts over knows whether the key was gone", async (t) => {
    const server = await redisOf(t);
    const { canary } = await canaryOf(t, server);
    await canary.begin();
    await canary.begin();
    assert.equal(canary.takeLoss(), false);
    await redisCommand(server, "FLUSHALL");
    await canary.begin();
    await canary.begin();
    assert.deepEqual([canary.takeLoss(), canary.takeLoss()], [true, false]);
  });

  it("deleted at the end, but not while another run is seen, and not if it has another value", async (t) => {
    const server = await redisOf(t);
    const { canary: one } = await canaryOf(t, server);
    const { canary: other } = await canaryOf(t, server, "2");
    await one.begin();
    await other.begin();
    await one.end();
    assert.equal(await redisCommand(server, "EXISTS", canaryKey), 1);
    await redisCommand(server, "SET", canaryKey, "another");
    await other.end();
    assert.equal(await redisCommand(server, "EXISTS", canaryKey), 1);
    await redisCommand(server, "SET", canaryKey, String(other.beside?.value));
    await other.end();
    assert.equal(await redisCommand(server, "EXISTS", canaryKey), 0);
  });

  const unwritable: readonly (readonly [name: string, prepare: readonly string[], user?: boolean])[] = [
    ["Redis holds something else there", ["LPUSH", canaryKey, "1"]],
    ["Redis is full", ["CONFIG", "SET", "maxmemory", "1"]],
    ["the user may not run scripts", ["ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-eval"], true],
  ];
  for (const [name, prepare, user] of unwritable) {
    it(`none, and a warning: ${name}`, async (t) => {
      const server = await redisOf(t);
      await redisCommand(server, ...prepare);
      const account = user === true ? { ...server, username: "u", password: "pw" } : server;
      const { canary, warnings } = await canaryOf(t, account);
      await canary.begin();
      assert.equal(canary.beside?.value, undefined);
      assert.match(warnings.join(), /could not be written/);
      await canary.check();
      await canary.end();
    });
  }

  it("any other fault is thrown", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "CONFIG", "SET", "min-replicas-to-write", "1");
    const { canary } = await canaryOf(t, server);
    await assert.rejects(canary.begin(), { name: "RedisError" });
  });
});
