import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { openConnection } from "../../src/redis/open-connection.js";
import { surveyKeys } from "../../src/redis/survey-keys.js";
import type { RedisArgument } from "../support/servers/redis-client.js";
import { redisCommand, redisPipeline } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";
import { clientOf } from "./support/client-of.js";

const endsMs = Date.UTC(2100, 0, 1) + 123;
const sidOf = (number: number) => number.toString(16).padStart(40, "0");
const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

/** Commands that put so many sessions with values of that many bytes under a prefix. */
function sessions(keyPrefix: string, count: number, bytes = 2): RedisArgument[][] {
  return Array.from({ length: count }, (_, number) => [
    "SET",
    keyPrefix + sidOf(number),
    "x".repeat(bytes),
    "PXAT",
    endsMs,
  ]);
}

describe("survey-keys: the sample at the start (spec.md section 4)", () => {
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

  async function sample(commands: readonly RedisArgument[][], keyPrefix = "session:") {
    await redisCommand(server, "FLUSHALL");
    await redisPipeline(server, commands);
    const found = await surveyKeys(client, keyPrefix, 0);
    assert(found !== undefined);
    return found;
  }

  const rows: readonly (readonly [
    name: string,
    commands: readonly RedisArgument[][],
    keyPrefix: string,
    expected: { readonly own: number; readonly others: number; readonly representative: boolean },
  ])[] = [
    ["an empty Redis: the end was reached", [], "session:", { own: 0, others: 0, representative: true }],
    ["99 keys and the end", sessions("session:", 99), "session:", { own: 99, others: 0, representative: true }],
    [
      "keys without a prefix are others where this run has one",
      [...sessions("session:", 2), ...sessions("session:p:", 3)],
      "session:p:",
      { own: 3, others: 2, representative: true },
    ],
    [
      "keys of the other layout are others",
      [...sessions("session:p:", 2), ...sessions("session::p:", 3)],
      "session::p:",
      { own: 3, others: 2, representative: true },
    ],
    [
      "what holds no sid is no session key",
      [
        ["SET", "session:x", "{}"],
        ["SET", `session:${sidOf(1)}x`, "{}"],
        ["SET", `Session:${sidOf(1)}`, "{}"],
        ["SET", "tele-sessions:mark:x", "{}"],
      ],
      "session:",
      { own: 0, others: 0, representative: true },
    ],
    [
      "a key of another type tells nothing, and hides nothing",
      [...sessions("session:", 2), ["RPUSH", `session:${sidOf(7)}`, "x"]],
      "session:",
      { own: 2, others: 0, representative: true },
    ],
    [
      "many keys of another program before the end",
      [...Array.from({ length: 5000 }, (_, number) => ["SET", `other:${number}`, "x"]), ...sessions("session:", 1)],
      "session:",
      { own: 1, others: 0, representative: true },
    ],
    [
      "less than 4 MiB in all",
      sessions("session:", 39, 100 * kilobyte),
      "session:",
      { own: 39, others: 0, representative: true },
    ],
    [
      "a value of more than 4 MiB was not seen, so nothing says that no server saved it",
      [...sessions("session:", 5), ["SET", `session:${sidOf(99)}`, "x".repeat(5 * megabyte)]],
      "session:",
      { own: 5, others: 0, representative: false },
    ],
    [
      "60 values of 100 KiB are more than 4 MiB: what was left over may be a server's",
      sessions("session:", 60, 100 * kilobyte),
      "session:",
      { own: 40, others: 0, representative: false },
    ],
    [
      "a value of more than 4 MiB under another prefix hides nothing of this run's",
      [...sessions("session:", 5), ["SET", `session:p:${sidOf(99)}`, "x".repeat(5 * megabyte)]],
      "session:",
      { own: 5, others: 0, representative: true },
    ],
  ];
  for (const [name, commands, keyPrefix, expected] of rows) {
    it(name, async () => {
      const { own, others, representative } = await sample(commands, keyPrefix);
      assert.deepEqual({ own: own.length, others: others.length, representative }, expected);
    });
  }

  const many: readonly (readonly [name: string, commands: readonly RedisArgument[][], keyPrefix: string])[] = [
    ["of this run", sessions("session:", 5000), "session:"],
    ["of several prefixes", [...sessions("session:p:", 2500), ...sessions("session:", 2500)], "session:"],
    [
      "of three prefixes",
      ["session:p:", "session:q:", "session::p:"].flatMap((prefix) => sessions(prefix, 1500)),
      "session:q:",
    ],
  ];
  for (const [name, commands, keyPrefix] of many) {
    it(`thousands of keys ${name}: at most 300 are read, at least 100 of this run's`, async () => {
      const { own, others, representative } = await sample(commands, keyPrefix);
      assert(own.length + others.length <= 300, `${own.length} and ${others.length}`);
      assert(own.length >= 100, `${own.length}`);
      assert.equal(representative, true);
    });
  }

  it("100 keys of this run are enough, though more are left over", async () => {
    const { own, representative } = await sample([
      ...sessions("session:", 250),
      ["SET", `session:${sidOf(999)}`, "x".repeat(5 * megabyte)],
    ]);
    assert.deepEqual([own.length, representative], [250, true]);
  });

  it("keys of other prefixes do not count for the 100", async () => {
    const { own, representative } = await sample([
      ...sessions("session:p:", 250),
      ["SET", `session:${sidOf(999)}`, "x".repeat(5 * megabyte)],
    ]);
    assert.deepEqual([own.length, representative], [0, false]);
  });

  it("a sample that takes more than a second does not say that there are no others", async () => {
    await redisCommand(server, "FLUSHALL");
    await redisPipeline(server, sessions("session:", 3));
    await redisCommand(server, "CLIENT", "PAUSE", 1200, "ALL");
    const found = await surveyKeys(client, "session:", 0);
    assert.equal(found?.representative, false);
  });

  it("values and instants as they are, on our clock; others with what stands before their sid", async () => {
    await redisCommand(server, "FLUSHALL");
    await redisPipeline(server, [
      ["SET", `session:${sidOf(1)}`, '{"uid": 2}', "PXAT", endsMs],
      ["SET", `session::p:${sidOf(2)}`, "{}"],
    ]);
    const found = await surveyKeys(client, "session:", 5000);
    assert.deepEqual(found, {
      own: [{ kind: "text", value: Buffer.from('{"uid": 2}'), expiresAtMs: endsMs - 5000 }],
      others: [{ kind: "text", value: Buffer.from("{}"), expiresAtMs: null, keyPrefix: "session::p:" }],
      isAll: true,
      representative: true,
    });
  });

  it("it only reads", async () => {
    await redisCommand(server, "FLUSHALL");
    await redisPipeline(server, sessions("session:", 3));
    await redisCommand(server, "CONFIG", "RESETSTAT");
    await surveyKeys(client, "session:", 0);
    const stats = String(await redisCommand(server, "INFO", "commandstats"));
    const called = [...stats.matchAll(/^cmdstat_([a-z]+):/gm)].map(([, name]) => name);
    assert.deepEqual(called.sort(), ["get", "pexpiretime", "scan", "strlen"]);
  });

  for (const command of ["scan", "strlen"]) {
    it(`${command.toUpperCase()} is denied: nothing is known`, async (t) => {
      await redisCommand(server, "FLUSHALL");
      await redisPipeline(server, sessions("session:", 3));
      await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", `-${command}`);
      const denied = await clientOf(t, { ...server, username: "u", password: "pw" });
      assert.equal(await surveyKeys(denied, "session:", 0), undefined);
    });
  }
});
