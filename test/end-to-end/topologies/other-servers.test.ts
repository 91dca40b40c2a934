import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isSigned } from "../../../src/convert/sign.js";
import { RedisSessionStore } from "../../../src/redis/redis-session-store.js";
import { testSessionStore } from "../../redis/session-store.contract.js";
import { resilientOf, storeOptions } from "../../redis/support/client-of.js";
import { fillRedis, redisContents } from "../../redis/support/redis-contents.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { otherServers, startOtherServer } from "../../support/servers/other-server.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { keyOf, pathOf, saveSession } from "../support/made-session.js";
import { type ObservedResult, run } from "../support/observed-run.js";

/** `npm run test:topologies` sets it. */
const isFull = process.env["TELE_SESSIONS_TOPOLOGIES"] === "all";
/** It lacks most. */
const servers = Object.entries(otherServers).filter(([name]) => isFull || name === "Redis 6.0");
const sessions = 300;
const value = (text: string) => `{"db": "x", "uid": 2, "v": "${text}"}`;

for (const [name, other] of servers) {
  describe(`a stand-in for ${name}`, () => {
    let redis: RedisServer;
    let standIn: { readonly port: number; stop(): void };
    before(async () => {
      redis = await startRedis();
      standIn = await startOtherServer(redis.port, other);
    });
    after(async () => {
      standIn.stop();
      await redis.stop();
    });

    testSessionStore(`RedisSessionStore on ${name}`, {
      refusesEncoded: other.lacksPxat === true,
      open: async (t, contents, clockLeadMs) => {
        await fillRedis(redis, contents);
        const connection = await resilientOf(t, { host: "127.0.0.1", port: standIn.port });
        const store = new RedisSessionStore(connection, { ...storeOptions(), clockLeadMs });
        return { store, contents: () => redisContents(redis) };
      },
    });

    test("check, copy, replace, renew, retract, verify and purge; every expiry is exact", async () => {
      await redisCommand(redis, "FLUSHALL");
      const directory = join(makeTemporaryDirectory(), "s");
      for (let number = 1; number <= sessions; number++) saveSession(directory, number, value("first"));
      const args = [...between(directory, standIn), "--json"];
      const runs = async (...command: readonly string[]): Promise<ObservedResult> => {
        const result = await run([...command, ...args]);
        assert.equal(result.exitCode, 0, result.stderr);
        return result;
      };
      const check = await run(["check", ...between(directory, standIn)]);
      assert.equal(check.exitCode, 0, check.stderr);
      assert.match(check.stderr, / ok +permissions /);
      assert.equal((await runs("copy")).report.sessions.copied, sessions);
      const copied = await signedKeys(redis);
      assert.equal(copied.size, sessions);

      for (let number = 1; number <= 10; number++) {
        saveSession(directory, number, value("second"), { mtimeMs: Date.now() });
      }
      rmSync(pathOf(directory, sessions));
      // With its sign, an expiry has steps of a second.
      await sleep(1000);
      const again = (await runs("copy")).report.sessions;
      assert.deepEqual([again.copied, again.identical, again.retracted], [10, sessions - 11, 1]);
      const renewed = await signedKeys(redis);
      assert.equal(renewed.size, sessions - 1);
      assert.equal(renewed.get(keyOf(1))?.value, value("second"));
      const [before, after] = [copied.get(keyOf(20)), renewed.get(keyOf(20))];
      assert.ok(before !== undefined && after !== undefined && after.expiresAtMs > before.expiresAtMs);

      const overwritten = (await runs("copy", "--on-conflict", "overwrite", "--again")).report.sessions;
      assert.equal(overwritten.found, sessions - 1);
      assert.equal((await runs("verify")).report.sessions.equal, sessions - 1);
      assert.equal((await runs("purge")).report.sessions.removed, sessions - 1);
      assert.equal((await signedKeys(redis)).size, sessions - 1);
    });
  });
}

/** The session keys. Each must carry its sign, so its expiry is exact. */
async function signedKeys(redis: RedisServer) {
  const keys = Object.entries(await redisContents(redis)).flatMap(([key, { value, expiresAtMs }]) =>
    key.startsWith("session:") && value !== null && expiresAtMs !== null
      ? [[key, { value, expiresAtMs }] as const]
      : [],
  );
  for (const [key, { value, expiresAtMs }] of keys) {
    assert.ok(isSigned({ kind: "text", value: Buffer.from(value, "latin1"), expiresAtMs }, 0), key);
  }
  return new Map(keys);
}

test("Redis without PEXPIRETIME: a user without scripts is refused, with the line that grants them", async (t) => {
  const redis = await startRedis({ args: ["--rename-command", "PEXPIRETIME", ""] });
  t.after(() => redis.stop());
  const directory = join(makeTemporaryDirectory(), "s");
  saveSession(directory, 1, value("first"));
  const rules = ["on", ">pw", "~session:*", "~tele-sessions:*", "+@all", "-eval", "-pttl"];
  await redisCommand(redis, "ACL", "SETUSER", "u", ...rules);
  const environment = { TELE_SESSION_REDIS_PASSWORD: "pw" };
  const args = [...between(directory, redis), "--username", "u"];
  const refused = await run(["check", ...args], { environment });
  assert.equal(refused.exitCode, 5, refused.stderr);
  assert.match(refused.stderr.replace(/\s+/g, " "), /ACL SETUSER u \+pttl \+eval/);
  await redisCommand(redis, "ACL", "SETUSER", "u", "+eval", "+pttl");
  const copied = await run(["copy", ...args], { environment });
  assert.equal(copied.exitCode, 0, copied.stderr);
  const verified = await run(["verify", ...args], { environment });
  assert.equal(verified.exitCode, 0, verified.stderr);
});
