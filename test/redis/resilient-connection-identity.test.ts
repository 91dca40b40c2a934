import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisForgotError } from "../../src/model/errors.js";
import type { ResilientConnection } from "../../src/redis/resilient-connection.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { waitUntil } from "../end-to-end/support/wait-until.js";
import { findFreePort } from "../support/servers/free-port.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";
import { resilientOf } from "./support/client-of.js";

/** Ends every connection but the one that asks; the server stays. */
async function killClients(server: RedisServer): Promise<void> {
  await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
}

/** What a connection's losses came to so far. */
const lossesOf = ({ dataEpoch, reconnects }: ResilientConnection) => ({ dataEpoch, reconnects });
const ping = (connection: ResilientConnection) => connection.run((client) => client.ping());

async function namesOf(server: RedisServer): Promise<string[]> {
  const list = String(await redisCommand(server, "CLIENT", "LIST"));
  return [...list.matchAll(/ name=(\S+) /g)].map(([, name]) => name ?? "");
}

async function userOf(server: RedisServer, ...rules: readonly string[]) {
  await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", ...rules);
  return { host: server.host, port: server.port, username: "u", password: "pw" };
}

describe("resilient-connection: a changed run_id voids all confirmed (spec.md section 4, Redis that forgot)", () => {
  it("a connection that is lost to the same server: nothing was forgotten, and the work is done again", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, server);
    assert.deepEqual(lossesOf(connection), { dataEpoch: 0, reconnects: 0 });
    for (const reconnects of [1, 2]) {
      await killClients(server);
      assert.equal(await ping(connection), "PONG");
      assert.deepEqual(lossesOf(connection), { dataEpoch: 0, reconnects });
    }
  });

  it("lost once by several at a time: once", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, server);
    await killClients(server);
    await Promise.all(Array.from({ length: 5 }, () => ping(connection)));
    assert.deepEqual(lossesOf(connection), { dataEpoch: 0, reconnects: 1 });
  });

  it("another server on the port: all that were begun before are told, what begins then goes on", async (t) => {
    const port = await findFreePort();
    const first = await startRedis({ port });
    t.after(() => first.stop());
    const connection = await resilientOf(t, first);
    await first.stop();
    let tries = 0;
    const begun = Array.from({ length: 3 }, () =>
      connection.run((client) => {
        tries++;
        return client.ping();
      }),
    );
    const told = Promise.all(begun.map((each) => assert.rejects(each, RedisForgotError)));
    await waitUntil("the loss is found", () => tries > 0);
    const second = await redisOf(t, { port });
    await told;
    assert.equal(connection.dataEpoch, 1);
    assert(connection.reconnects >= 1);
    await killClients(second);
    assert.equal(await ping(connection), "PONG", "a connection that is lost to the same server again");
    assert.equal(connection.dataEpoch, 1);
  });

  it("work that is begun while the connection is away also learns that another Redis answers", async (t) => {
    const port = await findFreePort();
    const first = await startRedis({ port });
    t.after(() => first.stop());
    const connection = await resilientOf(t, first);
    await first.stop();
    const early = assert.rejects(ping(connection), RedisForgotError);
    await waitUntil("the connection is away", () => connection.reconnects > 0);
    const late = assert.rejects(ping(connection), RedisForgotError);
    await redisOf(t, { port });
    await Promise.all([early, late]);
    assert.equal(await ping(connection), "PONG");
  });

  it("if INFO is denied, any reconnect may be to another Redis", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, await userOf(server, "-info"));
    assert.equal(await ping(connection), "PONG");
    for (const dataEpoch of [1, 2]) {
      await killClients(server);
      await assert.rejects(ping(connection), RedisForgotError);
      assert.deepEqual(lossesOf(connection), { dataEpoch, reconnects: dataEpoch });
      assert.equal(await ping(connection), "PONG");
    }
  });

  it("INFO denied from now on: the next reconnect counts as to another Redis", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, await userOf(server));
    await redisCommand(server, "ACL", "SETUSER", "u", "-info");
    await killClients(server);
    await assert.rejects(ping(connection), RedisForgotError);
    assert.equal(connection.dataEpoch, 1);
  });
});

describe("resilient-connection: other runs see it by its name, which every connection in its place carries", () => {
  it("from the start, and after a loss", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, server, { name: "tele-sessions:copying:a:1" });
    assert.deepEqual([connection.announced, await namesOf(server)], [true, ["tele-sessions:copying:a:1"]]);
    await killClients(server);
    await ping(connection);
    assert.deepEqual([connection.announced, await namesOf(server)], [true, ["tele-sessions:copying:a:1"]]);
  });

  it("another name: at once, and after a loss", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, server, { name: "tele-sessions:copying:a:1" });
    await connection.rename("tele-sessions:removing:a:1");
    assert.deepEqual(await namesOf(server), ["tele-sessions:removing:a:1"]);
    await killClients(server);
    await ping(connection);
    assert.deepEqual([connection.announced, await namesOf(server)], [true, ["tele-sessions:removing:a:1"]]);
  });

  it("another name that is given over a connection that is lost", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, server, { name: "tele-sessions:copying:a:1" });
    await killClients(server);
    await connection.rename("tele-sessions:removing:a:1");
    assert.deepEqual([connection.announced, await namesOf(server)], [true, ["tele-sessions:removing:a:1"]]);
  });

  it("no name was asked for: none, until one is given", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, server);
    assert.deepEqual([connection.announced, await namesOf(server)], [false, []]);
    await connection.rename("tele-sessions:removing:a:1");
    assert.deepEqual([connection.announced, await namesOf(server)], [true, ["tele-sessions:removing:a:1"]]);
  });

  it("a user who may not: it is known, and the run goes on", async (t) => {
    const server = await redisOf(t);
    const user = await userOf(server, "-client|setname");
    const connection = await resilientOf(t, user, { name: "tele-sessions:copying:a:1" });
    assert.equal(connection.announced, false);
    await connection.rename("tele-sessions:removing:a:1");
    assert.deepEqual([connection.announced, await namesOf(server)], [false, []]);
    assert.equal(await ping(connection), "PONG");
  });

  it("a user who may not any more: it is known after the next loss", async (t) => {
    const server = await redisOf(t);
    const connection = await resilientOf(t, await userOf(server), { name: "tele-sessions:copying:a:1" });
    assert.equal(connection.announced, true);
    await redisCommand(server, "ACL", "SETUSER", "u", "-client|setname");
    await killClients(server);
    await ping(connection);
    assert.deepEqual([connection.announced, await namesOf(server)], [false, []]);
  });
});
