import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { lookAtKeys } from "../../src/redis/look-at-keys.js";
import { openConnection } from "../../src/redis/open-connection.js";
import { redisFault } from "../../src/redis/redis-fault.js";
import { ResilientConnection } from "../../src/redis/resilient-connection.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

describe("look-at-keys: what Redis holds, value and instant", () => {
  let server: RedisServer;
  let client: Redis;
  before(async () => {
    server = await startRedis();
    client = (await openConnection({ address: { host: server.host, port: server.port }, db: 0 })).client;
  });
  beforeEach(async () => {
    await redisCommand(server, "FLUSHALL");
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  const later = Date.now() + 1_000_000;

  it("every kind, in the order of the keys; a key asked for twice twice", async () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await redisPipeline(server, [
      ["SET", "binary", binary, "PXAT", later],
      ["SET", "endless", "{}"],
      ["SET", "empty", "", "PXAT", later + 1],
      ["SET", "number", 17, "PXAT", later],
      ["RPUSH", "list", "x"],
      ["HSET", "hash", "x", "y"],
      ["PEXPIREAT", "hash", later],
    ]);
    const text = (value: string | Buffer, expiresAtMs: number | null) => ({
      kind: "text",
      value: Buffer.from(value),
      expiresAtMs,
    });
    const keys = ["list", "binary", "nothing", "endless", "empty", "hash", "number", "binary"];
    assert.deepEqual(await lookAtKeys(client, keys, 0), [
      { kind: "other-type" },
      text(binary, later),
      { kind: "nothing" },
      text("{}", null),
      text("", later + 1),
      { kind: "other-type" },
      text("17", later),
      text(binary, later),
    ]);
  });

  it("instants are told by our clock; no lifetime stays none", async () => {
    await redisPipeline(server, [
      ["SET", "a", "{}", "PXAT", later],
      ["SET", "b", "{}"],
    ]);
    for (const lead of [1, 5000, -5000]) {
      const [a, b] = await lookAtKeys(client, ["a", "b"], lead);
      assert.deepEqual(
        [a?.kind === "text" && a.expiresAtMs, b?.kind === "text" && b.expiresAtMs],
        [later - lead, null],
      );
    }
  });

  it("no keys: nothing", async () => assert.deepEqual(await lookAtKeys(client, [], 0), []));

  it("a key that ends while it is looked at is text with an instant, then nothing", async () => {
    const keys = Array.from({ length: 200 }, () => "a");
    let sawBoth = 0;
    // A busy machine may come to its first look when the key has ended.
    for (let round = 0; round < 100 && sawBoth < 5; round++) {
      const endsMs = Date.now() + 50;
      await client.set("a", "{}", "PXAT", endsMs);
      const seen: string[] = [];
      while (seen.at(-1) !== "nothing") {
        for (const held of await lookAtKeys(client, keys, 0)) {
          if (held.kind === "text") assert.equal(held.expiresAtMs, endsMs);
          if (seen.at(-1) !== held.kind) seen.push(held.kind);
        }
      }
      if (seen[0] === "text") {
        assert.deepEqual(seen, ["text", "nothing"]);
        sawBoth++;
      }
    }
    assert.equal(sawBoth, 5);
  });

  it("only read commands", async () => {
    await redisCommand(server, "SET", "a", "{}");
    await redisCommand(server, "CONFIG", "RESETSTAT");
    await lookAtKeys(client, ["a", "b"], 0);
    const statistics = String(await redisCommand(server, "INFO", "commandstats"));
    const names = [...statistics.matchAll(/^cmdstat_([^:|]+)/gm)].map(([, name]) => name);
    assert.deepEqual(names.filter((name) => name !== "config").sort(), ["get", "pexpiretime"]);
  });

  it("the connection is killed behind it: asked again, the same", async (t) => {
    await redisCommand(server, "SET", "a", "{}", "PXAT", later);
    const connection = await ResilientConnection.open({
      target: { address: { host: server.host, port: server.port }, db: 0 },
      retryForMs: 10_000,
      onWarning: () => undefined,
      stop: new AbortController().signal,
    });
    t.after(() => connection.close());
    let tries = 0;
    const held = await connection.run(async (client) => {
      const result = await lookAtKeys(client, ["a"], 0);
      if (++tries > 1) return result;
      await redisCommand(server, "CLIENT", "KILL", "ID", await client.client("ID"));
      return lookAtKeys(client, ["a"], 0);
    });
    assert.equal(tries, 2);
    assert.deepEqual(held, [{ kind: "text", value: Buffer.from("{}"), expiresAtMs: later }]);
  });

  for (const command of ["get", "pexpiretime"]) {
    it(`a user without ${command.toUpperCase()}: refused, naming it, whatever stands there`, async (t) => {
      await redisPipeline(server, [
        ["SET", "a", "{}"],
        ["ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", `-${command}`],
      ]);
      const address = { host: server.host, port: server.port };
      const limited = await openConnection({ address, db: 0, username: "u", password: "pw" });
      t.after(() => limited.client.disconnect());
      for (const keys of [["a"], ["nothing"]]) {
        await assert.rejects(lookAtKeys(limited.client, keys, 0), (error) => {
          const { kind, message } = redisFault(error);
          assert.equal(kind, "refused");
          assert.ok(
            message.startsWith(`Redis does not allow this user the command ${command.toUpperCase()}. `),
          );
          return true;
        });
      }
    });
  }
});
