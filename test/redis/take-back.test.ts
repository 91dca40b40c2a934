import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openConnection } from "../../src/redis/open-connection.js";
import { takeBack } from "../../src/redis/take-back.js";
import { redisCommand } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

const instant = Date.now() + 600_000;
const entry = { key: "session:a", value: '{"a": "\\ud800"}', expiresAtMs: instant };

describe("take-back: only what this run wrote is deleted (spec.md section 4, Logouts)", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const rows: readonly (readonly [name: string, stands: readonly string[], left: number, lead?: number])[] = [
    ["what it wrote", ["SET", entry.key, entry.value, "PXAT", String(instant)], 0],
    [
      "what it wrote on a clock that is ahead",
      ["SET", entry.key, entry.value, "PXAT", String(instant + 7)],
      0,
      7,
    ],
    ["another value", ["SET", entry.key, "{}", "PXAT", String(instant)], 1],
    ["the same value, saved since", ["SET", entry.key, entry.value, "PXAT", String(instant + 1)], 1],
    ["the same value without a lifetime", ["SET", entry.key, entry.value], 1],
    ["a key of another type", ["RPUSH", entry.key, entry.value], 1],
    ["nothing", ["SET", "other", "x"], 0],
  ];
  for (const [name, stands, left, lead = 0] of rows) {
    it(name, async () => {
      await redisCommand(server, "FLUSHALL");
      await redisCommand(server, ...stands);
      const { client } = await openConnection({ address: { host: server.host, port: server.port }, db: 0 });
      for (let round = 0; round < 2; round++) await takeBack(client, [entry], lead);
      assert.equal(await redisCommand(server, "EXISTS", entry.key), left);
      client.disconnect();
    });
  }
});
