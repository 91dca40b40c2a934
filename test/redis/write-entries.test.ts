import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { Entry } from "../../src/model/entry.js";
import { openConnection } from "../../src/redis/open-connection.js";
import { redisFault } from "../../src/redis/redis-fault.js";
import { writeEntries } from "../../src/redis/write-entries.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

describe("write-entries: value and lifetime in one atomic command (spec.md section 4)", () => {
  let server: RedisServer;
  let client: Redis;
  before(async () => {
    server = await startRedis();
    client = (await openConnection({ address: { host: server.host, port: server.port }, db: 0 })).client;
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  const later = Date.now() + 1_000_000;
  const entries: readonly Entry[] = [
    { key: "session:a", value: "{}", expiresAtMs: later },
    { key: "session:-b", value: '{"a": "\\u00e9\\"\\n"}', expiresAtMs: later + 1 },
    {
      key: "session::pre fix\n*ü:c",
      value: `{"b": "${"x".repeat(100_000)}"}`,
      expiresAtMs: 9_999_999_999_000,
    },
  ];

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

  it("every value and instant stand in Redis exactly, and sent again they stand the same", async () => {
    await redisCommand(server, "CONFIG", "RESETSTAT");
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(
        await writeEntries(client, entries, 0),
        entries.map(() => ({ kind: "copied" })),
      );
      assert.deepEqual(
        await held(),
        entries.flatMap(({ value, expiresAtMs }) => [value, expiresAtMs]),
      );
    }
    const statistics = String(await redisCommand(server, "INFO", "commandstats"));
    assert.match(statistics, /cmdstat_set:calls=6,/);
    assert.doesNotMatch(statistics, /cmdstat_p?expire(?:at)?:/);
  });

  it("instants are moved by what Redis's clock is ahead", async () => {
    for (const lead of [5000, -5000]) {
      await writeEntries(client, entries.slice(0, 1), lead);
      assert.equal(await redisCommand(server, "PEXPIRETIME", "session:a"), later + lead);
    }
  });

  it("nothing to write is no error", async () => assert.deepEqual(await writeEntries(client, [], 0), []));

  it("what stood there is replaced, whatever its type and lifetime", async () => {
    await redisCommand(server, "DEL", "session:a", "session:-b");
    await redisPipeline(server, [
      ["RPUSH", "session:a", "x"],
      ["SET", "session:-b", "old"],
    ]);
    await writeEntries(client, entries, 0);
    assert.deepEqual(
      await held(),
      entries.flatMap(({ value, expiresAtMs }) => [value, expiresAtMs]),
    );
  });

  it("a reply about one entry fails that one, and names no value", async () => {
    const [first, second, third] = entries;
    assert(first && second && third);
    const writes = await writeEntries(client, [first, { ...second, expiresAtMs: 1e20 }, third], 0);
    assert.deepEqual(writes, [
      { kind: "copied" },
      {
        kind: "failed",
        detail:
          "Redis answered ERR to SET. Redis does not accept this entry of 19 bytes: " +
          "see proto-max-bulk-len and client-query-buffer-limit, or the limits of a proxy in between",
      },
      { kind: "copied" },
    ]);
  });

  it("an instant that passed before it is sent is not sent", async () => {
    const [first, second] = entries;
    assert(first && second);
    await redisCommand(server, "DEL", second.key);
    const writes = await writeEntries(client, [first, { ...second, expiresAtMs: Date.now() - 1 }], 0);
    assert.deepEqual(writes, [{ kind: "copied" }, { kind: "expired" }]);
    assert.equal(await redisCommand(server, "EXISTS", second.key), 0);
  });

  it("maxmemory without eviction: refused, saying so", async () => {
    await redisPipeline(server, [
      ["CONFIG", "SET", "maxmemory-policy", "noeviction"],
      ["CONFIG", "SET", "maxmemory", "1"],
    ]);
    await assert.rejects(writeEntries(client, entries, 0), (error) => {
      assert.deepEqual(redisFault(error), {
        kind: "refused",
        message: "Redis is out of memory (maxmemory reached)",
      });
      return true;
    });
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "0");
  });

  for (const [name, rules, says] of [
    ["without SET", ["~*", "+@all", "-set"], /the command SET\. /],
    ["without the keys of sessions", ["~other:*", "+@all"], /the keys of sessions \(session:\*\)$/],
  ] as const) {
    it(`a user ${name}: refused, naming the right`, async () => {
      await redisCommand(server, "ACL", "SETUSER", "limited", "reset", "on", ">pw", ...rules);
      const address = { host: server.host, port: server.port };
      const limited = await openConnection({ address, db: 0, username: "limited", password: "pw" });
      await assert.rejects(writeEntries(limited.client, entries, 0), (error) => {
        const fault = redisFault(error);
        assert.equal(fault.kind, "refused");
        assert.match(fault.message, says);
        return true;
      });
      limited.client.disconnect();
    });
  }

  it("a connection that is lost: thrown, as transient", async () => {
    const { client: lost } = await openConnection({
      address: { host: server.host, port: server.port },
      db: 0,
    });
    lost.disconnect();
    await assert.rejects(writeEntries(lost, entries, 0), (error) => redisFault(error).kind === "transient");
  });
});
