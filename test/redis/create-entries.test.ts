import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { Entry } from "../../src/model/entry.js";
import { createEntries, foreseeCreation } from "../../src/redis/create-entries.js";
import { openConnection } from "../../src/redis/open-connection.js";
import { redisFault } from "../../src/redis/redis-fault.js";
import { ResilientConnection } from "../../src/redis/resilient-connection.js";
import { unaccepted } from "../../src/redis/unaccepted.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

describe("create-entries: value and lifetime at once, only where no key stands (spec.md section 4, Conflicts)", () => {
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
  const entries: readonly Entry[] = [
    { key: "session:a", value: "{}", expiresAtMs: later },
    { key: "session:b", value: '{"a": "\\ud800\\"\\n"}', expiresAtMs: later + 1 },
    {
      key: "session::pre fix\n*ü:c",
      value: `{"a": ${"[".repeat(499)}${"]".repeat(499)}}`,
      expiresAtMs: later + 2,
    },
    { key: "session:d", value: `{"b": "${"x".repeat(1_000_000)}"}`, expiresAtMs: 9_999_999_999_000 },
  ];
  const created = entries.map(() => ({ kind: "created" }));
  const exists = entries.map(() => ({ kind: "exists" }));

  async function held(): Promise<unknown[]> {
    const replies = await redisPipeline(
      server,
      entries.flatMap(({ key }) => [
        ["GET", key],
        ["PEXPIRETIME", key],
      ]),
    );
    return replies.map((reply) => (Buffer.isBuffer(reply) ? reply.toString() : reply));
  }
  const written = entries.flatMap(({ value, expiresAtMs }) => [value, expiresAtMs]);

  it("every value and instant stand in Redis exactly; sent again, they exist and stand the same", async () => {
    await redisCommand(server, "CONFIG", "RESETSTAT");
    assert.deepEqual(await createEntries(client, entries, 0), created);
    assert.deepEqual(await held(), written);
    const statistics = String(await redisCommand(server, "INFO", "commandstats"));
    assert.match(statistics, /cmdstat_set:calls=4,/);
    assert.doesNotMatch(statistics, /cmdstat_p?expire(?:at)?:/);
    assert.deepEqual(await createEntries(client, entries, 0), exists);
    assert.deepEqual(await held(), written);
  });

  it("what stands is left alone: text, a lifetime, no lifetime, another type", async () => {
    await redisPipeline(server, [
      ["SET", "session:a", "older"],
      ["SET", "session:b", "older", "PXAT", later + 77],
      ["RPUSH", "session:d", "x"],
    ]);
    const creations = await createEntries(client, entries, 0);
    assert.deepEqual(
      creations.map(({ kind }) => kind),
      ["exists", "exists", "created", "exists"],
    );
    assert.deepEqual((await held()).slice(0, 4), ["older", -1, "older", later + 77]);
    assert.equal(String(await redisCommand(server, "TYPE", "session:d")), "list");
  });

  it("a key that has ended does not stand", async () => {
    await redisCommand(server, "SET", "session:a", "older", "PXAT", Date.now() + 1);
    while ((await redisCommand(server, "EXISTS", "session:a")) === 1);
    assert.deepEqual(await createEntries(client, entries.slice(0, 1), 0), [{ kind: "created" }]);
  });

  it("instants are moved by what Redis's clock is ahead", async () => {
    for (const lead of [5000, -5000]) {
      await redisCommand(server, "FLUSHALL");
      await createEntries(client, entries.slice(0, 1), lead);
      assert.equal(await redisCommand(server, "PEXPIRETIME", "session:a"), later + lead);
    }
  });

  it("an instant that passed is not sent, and the others keep their places", async () => {
    const [first, second, third] = entries;
    assert(first && second && third);
    const past = { ...second, expiresAtMs: Date.now() - 1 };
    await redisCommand(server, "SET", first.key, "older");
    const creations = await createEntries(client, [past, first, past, third], 0);
    assert.deepEqual(
      creations.map(({ kind }) => kind),
      ["expired", "exists", "expired", "created"],
    );
    assert.equal(await redisCommand(server, "EXISTS", second.key), 0);
  });

  it("a reply about one entry fails that one, and names no value", async () => {
    const [first, second, third] = entries;
    assert(first && second && third);
    assert.deepEqual(await createEntries(client, [first, { ...second, expiresAtMs: 1e20 }, third], 0), [
      { kind: "created" },
      { kind: "failed", detail: `Redis answered ERR to SET. ${unaccepted(second)}` },
      { kind: "created" },
    ]);
  });

  it("nothing to create is no error", async () => {
    assert.deepEqual(await createEntries(client, [], 0), []);
    assert.deepEqual(await foreseeCreation(client, []), []);
  });

  it("the connection is killed behind it: sent again, it finds its own keys", async (t) => {
    const connection = await ResilientConnection.open({
      target: { address: { host: server.host, port: server.port }, db: 0 },
      retryForMs: 10_000,
      onWarning: () => undefined,
      stop: new AbortController().signal,
    });
    t.after(() => connection.close());
    let tries = 0;
    const creations = await connection.run(async (client) => {
      const result = await createEntries(client, entries, 0);
      if (++tries > 1) return result;
      await redisCommand(server, "CLIENT", "KILL", "ID", await client.client("ID"));
      await client.ping();
      return result;
    });
    assert.equal(tries, 2);
    assert.deepEqual(creations, exists);
    assert.deepEqual(await held(), written);
  });

  it("foreseen by read commands only: what would be created, and what exists", async () => {
    await redisPipeline(server, [
      ["SET", "session:a", "older"],
      ["RPUSH", "session:d", "x"],
    ]);
    await redisCommand(server, "CONFIG", "RESETSTAT");
    const foreseen = await foreseeCreation(client, entries);
    assert.doesNotMatch(String(await redisCommand(server, "INFO", "commandstats")), /cmdstat_set:/);
    assert.equal(await redisCommand(server, "DBSIZE"), 2);
    assert.deepEqual(foreseen, await createEntries(client, entries, 0));
  });

  it("foreseen: what is over by then is expired, as it would be", async () => {
    const [first] = entries;
    assert(first);
    const past = [{ ...first, expiresAtMs: Date.now() - 1 }];
    assert.deepEqual(await foreseeCreation(client, past), await createEntries(client, past, 0));
  });

  it("a user without SET: refused, naming it", async (t) => {
    await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", "-set");
    const address = { host: server.host, port: server.port };
    const limited = await openConnection({ address, db: 0, username: "u", password: "pw" });
    t.after(() => limited.client.disconnect());
    await assert.rejects(createEntries(limited.client, entries, 0), (error) => {
      const { kind, message } = redisFault(error);
      assert.equal(kind, "refused");
      assert.match(message, /^Redis does not allow this user the command SET\. /);
      return true;
    });
  });
});
