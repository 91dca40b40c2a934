import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Written } from "../../src/model/entry.js";
import { openConnection } from "../../src/redis/open-connection.js";
import { takeBack } from "../../src/redis/take-back.js";
import { redisCommand } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

const instant = Date.now() + 600_000;
const value = '{"a": "\\ud800"}';
const written: Written = {
  file: { directory: "/d", name: "n", layout: "flat", sid: "a" },
  pass: 0,
  timesLost: 0,
  expiresAtMs: instant,
  digest: createHash("sha1").update(value).digest("hex"),
  bytes: value.length,
};

describe("take-back: only what this run wrote is deleted (spec.md section 4, Logouts)", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const key = "session:a";
  const rows: readonly (readonly [name: string, stands: readonly string[], left: number, lead?: number])[] = [
    ["what it wrote", ["SET", key, value, "PXAT", String(instant)], 0],
    ["what it wrote on a clock that is ahead", ["SET", key, value, "PXAT", String(instant + 7)], 0, 7],
    ["another value", ["SET", key, "{}", "PXAT", String(instant)], 1],
    ["the same value, saved since", ["SET", key, value, "PXAT", String(instant + 1)], 1],
    ["the same value without a lifetime", ["SET", key, value], 1],
    ["a key of another type", ["RPUSH", key, value], 1],
    ["nothing", ["SET", "other", "x"], 0],
  ];
  for (const [name, stands, left, lead = 0] of rows) {
    it(name, async () => {
      await redisCommand(server, "FLUSHALL");
      await redisCommand(server, ...stands);
      const stood = Number(await redisCommand(server, "EXISTS", key));
      const { client } = await openConnection({ address: { host: server.host, port: server.port }, db: 0 });
      const first = await takeBack(client, [written], "session:", lead);
      assert.deepEqual(first, [stood === 1 && left === 0], "it tells what it deleted");
      assert.deepEqual(await takeBack(client, [written], "session:", lead), [false]);
      assert.equal(await redisCommand(server, "EXISTS", key), left);
      client.disconnect();
    });
  }
});
