import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { existingKeys, readKeys } from "../../src/redis/read-keys.js";
import { redisFault } from "../../src/redis/redis-fault.js";
import { redisCommand, redisPipeline } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";
import { clientOf } from "./support/client-of.js";

describe("read-keys", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(async () => {
    await redisCommand(server, "FLUSHALL");
  });

  /** Names of the commands that Redis got for this work. */
  async function commandsOf(work: () => Promise<unknown>): Promise<(string | undefined)[]> {
    await redisCommand(server, "CONFIG", "RESETSTAT");
    await work();
    const statistics = String(await redisCommand(server, "INFO", "commandstats"));
    const names = [...statistics.matchAll(/^cmdstat_([^:|]+)/gm)].map(([, name]) => name);
    return names.filter((name) => name !== "config").sort();
  }

  it("a key that ends while it is read is text with an expiry, then nothing", async (t) => {
    const client = await clientOf(t, server);
    const keys = Array.from({ length: 200 }, () => "a");
    let sawBoth = 0;
    // A busy machine may come to its first read after the key ended.
    for (let round = 0; round < 100 && sawBoth < 5; round++) {
      const endsMs = Date.now() + 50;
      await client.set("a", "{}", "PXAT", endsMs);
      const seen: string[] = [];
      while (seen.at(-1) !== "nothing") {
        for (const stored of await readKeys(client, keys, 0)) {
          if (stored.kind === "text") assert.equal(stored.expiresAtMs, endsMs);
          if (seen.at(-1) !== stored.kind) seen.push(stored.kind);
        }
      }
      if (seen[0] === "text") {
        assert.deepEqual(seen, ["text", "nothing"]);
        sawBoth++;
      }
    }
    assert.equal(sawBoth, 5);
  });

  it("sends read commands only", async (t) => {
    const client = await clientOf(t, server);
    await redisCommand(server, "SET", "a", "{}");
    assert.deepEqual(await commandsOf(() => readKeys(client, ["a", "b"], 0)), ["get", "pexpiretime"]);
    assert.deepEqual(await commandsOf(() => existingKeys(client, ["a", "b"])), ["exists"]);
  });

  it("asks for few values at a time if they are large: Redis's output buffer may be limited", async (t) => {
    const value = "x".repeat(400_000);
    const keys = Array.from({ length: 20 }, (_, index) => `large:${index}`);
    const small = Array.from({ length: 500 }, (_, index) => `small:${index}`);
    await redisPipeline(
      server,
      [...keys, ...small].map((key) => ["SET", key, key.startsWith("large") ? value : "{}"]),
    );
    await redisCommand(server, "CONFIG", "SET", "client-output-buffer-limit", "normal 2mb 0 0");
    t.after(() => redisCommand(server, "CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0"));
    const reader = await clientOf(t, server);
    const lengths = (await readKeys(reader, [...keys, ...small, ...keys.slice(0, 1)], 0)).map((stored) =>
      stored.kind === "text" ? stored.value.length : stored.kind,
    );
    assert.deepEqual(lengths, [...keys.map(() => 400_000), ...small.map(() => 2), 400_000]);
  });

  for (const command of ["get", "pexpiretime", "exists"]) {
    it(`a user without ${command.toUpperCase()}: refused, naming it, whatever the key holds`, async (t) => {
      await redisPipeline(server, [
        ["SET", "a", "{}"],
        ["ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", `-${command}`],
      ]);
      const limited = await clientOf(t, { ...server, username: "u", password: "pw" });
      const read = command === "exists" ? existingKeys : readKeys;
      for (const keys of [["a"], ["nothing"]]) {
        await assert.rejects(read(limited, keys, 0), (error) => {
          const { kind, message } = redisFault(error);
          assert.equal(kind, "refused");
          assert(message.startsWith(`Redis does not allow this user the command ${command.toUpperCase()}. `));
          return true;
        });
      }
    });
  }

  it("a user without the keys: thrown", async (t) => {
    await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~session:*", "+@all");
    const limited = await clientOf(t, { ...server, username: "u", password: "pw" });
    await assert.rejects(existingKeys(limited, ["session:a", "other:a"]), /NOPERM/);
    await assert.rejects(readKeys(limited, ["session:a", "other:a"], 0), /NOPERM/);
  });

  it("a lost connection: thrown, as transient", async (t) => {
    const lost = await clientOf(t, server);
    lost.disconnect();
    for (const read of [existingKeys, readKeys]) {
      await assert.rejects(read(lost, ["session:a"], 0), (error) => redisFault(error).kind === "transient");
    }
  });
});
