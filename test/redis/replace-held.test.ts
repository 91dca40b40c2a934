import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Redis } from "ioredis";
import type { Entry } from "../../src/model/entry.js";
import type { HeldText } from "../../src/model/held.js";
import { lookAtKeys } from "../../src/redis/look-at-keys.js";
import { openConnection } from "../../src/redis/open-connection.js";
import { redisFault } from "../../src/redis/redis-fault.js";
import { replaceHeld } from "../../src/redis/replace-held.js";
import { ResilientConnection } from "../../src/redis/resilient-connection.js";
import type { RedisArgument } from "../support/redis-client.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

describe("replace-held: a compare-and-set on the server (spec.md section 4, Conflicts)", () => {
  let server: RedisServer;
  let client: Redis;
  before(async () => {
    server = await startRedis();
    client = (await openConnection({ address: { host: server.host, port: server.port }, db: 0 })).client;
  });
  beforeEach(async () => {
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "0");
    await redisCommand(server, "FLUSHALL");
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  const later = Date.now() + 1_000_000;
  const entry: Entry = { key: "session:a", value: '{"new": 1}', expiresAtMs: later + 500 };
  const seen = (value: string | Buffer, expiresAtMs: number | null): HeldText => ({
    kind: "text",
    value: Buffer.from(value),
    expiresAtMs,
  });
  const stateOf = async (key: string): Promise<unknown[]> =>
    (
      await redisPipeline(server, [
        ["TYPE", key],
        ["GET", key],
        ["PEXPIRETIME", key],
      ])
    ).map((reply) => (Buffer.isBuffer(reply) ? reply.toString("latin1") : reply));
  const replaced = ["string", entry.value, entry.expiresAtMs];

  async function lookedAt(key: string, lead = 0): Promise<HeldText> {
    const [held] = await lookAtKeys(client, [key], lead);
    assert(held?.kind === "text");
    return held;
  }

  describe("replaced, value and instant, where it is exactly what was seen", () => {
    const rows: readonly (readonly [name: string, value: string | Buffer, expiresAtMs: number | null])[] = [
      ["a value and its instant", "{}", later],
      ["no lifetime", "{}", null],
      ["an empty value", "", later],
      ["bytes of every kind", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), later],
      ["a lone surrogate, escaped", '{"a": "\\ud800"}', later],
      ["a lone surrogate, as bytes", Buffer.from([0xed, 0xa0, 0x80]), null],
      ["500 levels", `{"a": ${"[".repeat(499)}${"]".repeat(499)}}`, later],
      ["a megabyte", "x".repeat(1_000_000), later],
      ["a text that reads like a number", "1e3", later],
      ["a far instant", "{}", 9_999_999_999_999],
      ["an instant 140,000 years away", "{}", 2 ** 52],
    ];
    for (const [name, value, expiresAtMs] of rows) {
      it(name, async () => {
        const lifetime: RedisArgument[] = expiresAtMs === null ? [] : ["PXAT", expiresAtMs];
        await redisCommand(server, "SET", entry.key, value, ...lifetime);
        const held = await lookedAt(entry.key);
        assert.deepEqual(held, seen(value, expiresAtMs));
        assert.deepEqual(await replaceHeld(client, [{ entry, held }], 0), [true]);
        assert.deepEqual(await stateOf(entry.key), replaced);
      });
    }

    for (const value of ['{"a": "\\ud800\\udfff\\\\ \\""}', `{"a": ${"[".repeat(499)}${"]".repeat(499)}}`]) {
      it(`by ${value.slice(0, 20)}…, to the byte`, async () => {
        await redisCommand(server, "SET", entry.key, "{}");
        await replaceHeld(client, [{ entry: { ...entry, value }, held: seen("{}", null) }], 0);
        assert.deepEqual(await stateOf(entry.key), ["string", value, entry.expiresAtMs]);
      });
    }

    it("instants moved by what Redis's clock is ahead, seen and written", async () => {
      for (const lead of [5000, -5000]) {
        await redisCommand(server, "SET", entry.key, "{}", "PXAT", later);
        const held = await lookedAt(entry.key, lead);
        assert.equal(held.expiresAtMs, later - lead);
        assert.deepEqual(await replaceHeld(client, [{ entry, held }], lead), [true]);
        assert.deepEqual(await stateOf(entry.key), ["string", entry.value, entry.expiresAtMs + lead]);
      }
    });
  });

  describe("refused where it is not, and left as it is", () => {
    const held = seen("{}", later);
    const rows: readonly (readonly [name: string, meanwhile: readonly RedisArgument[], held?: HeldText])[] = [
      ["another value, the same instant", ["SET", entry.key, "[]", "PXAT", later]],
      ["the same value, a later instant", ["SET", entry.key, "{}", "PXAT", later + 1]],
      ["the same value, an earlier instant", ["SET", entry.key, "{}", "PXAT", later - 1]],
      ["the same value, no lifetime yet", ["SET", entry.key, "{}"]],
      ["no lifetime seen, one set since", ["PEXPIREAT", entry.key, later], seen("{}", null)],
      ["no lifetime seen, another value since", ["SET", entry.key, "[]"], seen("{}", null)],
      ["longer by a byte", ["SET", entry.key, "{} ", "PXAT", later]],
      ["a zero byte behind", ["SET", entry.key, Buffer.from("{}\0"), "PXAT", later]],
      ["gone", ["DEL", entry.key]],
      ["gone, no lifetime seen", ["DEL", entry.key], seen("{}", null)],
      ["gone, an empty value seen", ["DEL", entry.key], seen("", null)],
      ["ended", ["PEXPIREAT", entry.key, 1]],
    ];
    for (const [name, meanwhile, was = held] of rows) {
      it(name, async () => {
        const lifetime: RedisArgument[] = was.expiresAtMs === null ? [] : ["PXAT", was.expiresAtMs];
        await redisPipeline(server, [["SET", entry.key, was.value, ...lifetime], meanwhile]);
        const before = await stateOf(entry.key);
        assert.deepEqual(await replaceHeld(client, [{ entry, held: was }], 0), [false]);
        assert.deepEqual(await stateOf(entry.key), before);
      });
    }

    it("another type", async () => {
      await redisPipeline(server, [
        ["RPUSH", entry.key, "{}"],
        ["PEXPIREAT", entry.key, later],
      ]);
      assert.deepEqual(await replaceHeld(client, [{ entry, held }], 0), [false]);
      assert.equal(String(await redisCommand(server, "TYPE", entry.key)), "list");
    });
  });

  it("each answer belongs to its own entry", async () => {
    await redisPipeline(server, [
      ["SET", "session:0", "{}"],
      ["SET", "session:1", "[]"],
      ["RPUSH", "session:2", "x"],
      ["SET", "session:3", "{}"],
    ]);
    const replacements = [0, 1, 2, 3, 4].map((number) => ({
      entry: { ...entry, key: `session:${number}` },
      held: seen("{}", null),
    }));
    assert.deepEqual(await replaceHeld(client, replacements, 0), [true, false, false, true, false]);
    assert.deepEqual(await replaceHeld(client, [], 0), []);
  });

  it("the connection is killed behind it: sent again it changes nothing, though the server saved since", async (t) => {
    const connection = await ResilientConnection.open({
      target: { address: { host: server.host, port: server.port }, db: 0 },
      retryForMs: 10_000,
      onWarning: () => undefined,
      stop: new AbortController().signal,
    });
    t.after(() => connection.close());
    const keys = ["session:0", "session:1"];
    for (const key of keys) await redisCommand(server, "SET", key, "{}", "PXAT", later);
    let tries = 0;
    const answers: boolean[][] = [];
    await connection.run(async (client) => {
      const replacements = keys.map((key) => ({ entry: { ...entry, key }, held: seen("{}", later) }));
      answers.push(await replaceHeld(client, replacements, 0));
      if (++tries > 1) return;
      await redisCommand(server, "SET", "session:1", "saved");
      await redisCommand(server, "CLIENT", "KILL", "ID", await client.client("ID"));
      await client.ping();
    });
    assert.deepEqual(answers, [
      [true, true],
      [false, false],
    ]);
    assert.deepEqual(await stateOf("session:0"), replaced);
    assert.deepEqual(await stateOf("session:1"), ["string", "saved", -1]);
  });

  it("an instant that passed before it was sent: what is held is not removed", async () => {
    await redisCommand(server, "SET", entry.key, "{}", "PXAT", later);
    const past = { ...entry, expiresAtMs: Date.now() - 1 };
    await replaceHeld(client, [{ entry: past, held: seen("{}", later) }], 0);
    assert.deepEqual(await stateOf(entry.key), ["string", "{}", later]);
  });

  it("maxmemory without eviction: refused, saying so, and nothing is changed", async () => {
    await redisPipeline(server, [
      ["SET", entry.key, "{}"],
      ["CONFIG", "SET", "maxmemory-policy", "noeviction"],
      ["CONFIG", "SET", "maxmemory", "1"],
    ]);
    await assert.rejects(replaceHeld(client, [{ entry, held: seen("{}", null) }], 0), (error) => {
      assert.deepEqual(redisFault(error), {
        kind: "refused",
        message: "Redis is out of memory (maxmemory reached)",
      });
      return true;
    });
    assert.deepEqual(await stateOf(entry.key), ["string", "{}", -1]);
  });

  for (const [name, rules, says] of [
    ["EVAL", ["~*", "+@all", "-eval"], /the command EVAL\. /],
    ["the keys of sessions", ["~other:*", "+@all"], /the keys of sessions \(session:\*\)$/],
    // These two are refused by name before, where a run sends them itself.
    ["SET", ["~*", "+@all", "-set"], /./],
    ["PEXPIRETIME", ["~*", "+@all", "-pexpiretime"], /./],
  ] as const) {
    it(`a user without ${name}: thrown, and nothing is changed`, async (t) => {
      await redisPipeline(server, [
        ["SET", entry.key, "{}", "PXAT", later],
        ["ACL", "SETUSER", "u", "reset", "on", ">pw", ...rules],
      ]);
      const address = { host: server.host, port: server.port };
      const limited = await openConnection({ address, db: 0, username: "u", password: "pw" });
      t.after(() => limited.client.disconnect());
      await assert.rejects(replaceHeld(limited.client, [{ entry, held: seen("{}", later) }], 0), (error) => {
        const fault = redisFault(error);
        assert.notEqual(fault.kind, "transient");
        assert.match(fault.message, says);
        return true;
      });
      assert.deepEqual(await stateOf(entry.key), ["string", "{}", later]);
    });
  }

  it("a replica: thrown, as transient", async (t) => {
    await redisCommand(server, "CONFIG", "SET", "repl-diskless-sync-delay", "0");
    const replica = await startRedis({ args: ["--replicaof", `${server.host} ${server.port}`] });
    t.after(() => replica.stop());
    // WAIT waits for what its own connection wrote.
    const replies = await redisPipeline(server, [
      ["SET", entry.key, "{}"],
      ["WAIT", 1, 10_000],
    ]);
    assert.deepEqual(replies.at(-1), 1);
    const opened = await openConnection({ address: { host: replica.host, port: replica.port }, db: 0 });
    t.after(() => opened.client.disconnect());
    await assert.rejects(
      replaceHeld(opened.client, [{ entry, held: seen("{}", null) }], 0),
      (error) => redisFault(error).kind === "transient",
    );
  });
});
