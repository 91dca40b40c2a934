import { after, before } from "node:test";
import { DryRunStore, RedisSessionStore } from "../../src/redis/redis-session-store.js";
import { MemoryStore } from "../support/memory-store.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { type Contents, type TestedStore, testSessionStore } from "./session-store.contract.js";
import { resilientOf } from "./support/client-of.js";
import { storeOptions } from "./support/store-options.js";

let server: RedisServer;
before(async () => {
  server = await startRedis();
  await redisCommand(
    server,
    ...["ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-@write", "-@scripting"],
  );
});
after(() => server.stop());

async function fill(contents: Contents): Promise<void> {
  await redisPipeline(server, [
    ["FLUSHALL"],
    ...Object.entries(contents).flatMap(([key, { value, expiresAtMs }]) => [
      value === null ? ["RPUSH", key, "x"] : ["SET", key, Buffer.from(value, "latin1")],
      ...(expiresAtMs === null ? [] : [["PEXPIREAT", key, expiresAtMs]]),
    ]),
  ]);
}

async function contentsNow(): Promise<Contents> {
  const keys = await redisCommand(server, "KEYS", "*");
  const names = Array.isArray(keys) ? keys.map(String) : [];
  const replies = await redisPipeline(
    server,
    names.flatMap((key) => [
      ["GET", key],
      ["PEXPIRETIME", key],
    ]),
  );
  return Object.fromEntries(
    names.map((key, index) => {
      const [value, expiry] = replies.slice(2 * index);
      return [
        key,
        {
          value: Buffer.isBuffer(value) ? value.toString("latin1") : null,
          expiresAtMs: expiry === -1 ? null : Number(expiry),
        },
      ];
    }),
  );
}

/** A store on the real server. */
function onRedis(Store: typeof RedisSessionStore, user: { username?: string; password?: string } = {}) {
  const open: TestedStore["open"] = async (t, contents, clockLeadMs) => {
    await fill(contents);
    const connection = await resilientOf(t, { ...server, ...user });
    return { store: new Store(connection, storeOptions({ clockLeadMs })), contents: contentsNow };
  };
  return open;
}

testSessionStore("RedisSessionStore", { open: onRedis(RedisSessionStore) });
testSessionStore("DryRunStore, as a user who may only read", {
  open: onRedis(DryRunStore, { username: "reader", password: "pw" }),
  isDry: true,
});
testSessionStore("MemoryStore", {
  open: async (_, contents, clockLeadMs) => {
    const store = new MemoryStore("session:", clockLeadMs);
    for (const [key, stored] of Object.entries(contents)) store.keys.set(key, stored);
    return {
      store,
      contents: async () => {
        const exist = await store.exist([...store.keys.keys()]);
        return Object.fromEntries([...store.keys].filter((_, index) => exist[index] === true));
      },
    };
  },
});
