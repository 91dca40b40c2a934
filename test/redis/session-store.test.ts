import { after, before } from "node:test";
import { DryRunStore, RedisSessionStore } from "../../src/redis/redis-session-store.js";
import { MemoryStore } from "../support/memory-store.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";
import { masterName, startSentinelOf } from "../support/servers/sentinel-group.js";
import { type TestedStore, testSessionStore } from "./session-store.contract.js";
import { resilientOf, storeOptions } from "./support/client-of.js";
import { fillRedis, redisContents } from "./support/redis-contents.js";

let server: RedisServer;
let sentinel: RedisServer;
const reader = { username: "reader", password: "pw" };
before(async () => {
  server = await startRedis();
  sentinel = await startSentinelOf(server);
  const rules = ["on", ">pw", "~*", "+@all", "-@write", "-@scripting"];
  await redisCommand(server, "ACL", "SETUSER", reader.username, ...rules);
});
after(() => Promise.all([sentinel.stop(), server.stop()]));

function onRedis(Store: typeof RedisSessionStore, user = {}): TestedStore["open"] {
  return async (t, contents, clockLeadMs) => {
    await fillRedis(server, contents);
    const connection = await resilientOf(t, { ...server, ...user });
    const store = new Store(connection, { ...storeOptions(), clockLeadMs });
    return { store, contents: () => redisContents(server) };
  };
}

testSessionStore("RedisSessionStore", { open: onRedis(RedisSessionStore) });
testSessionStore("DryRunStore, as a user who may only read", {
  open: onRedis(DryRunStore, reader),
  isDry: true,
});
testSessionStore("RedisSessionStore behind a Sentinel", {
  open: async (t, contents, clockLeadMs) => {
    await fillRedis(server, contents);
    const { host, port } = sentinel;
    const target = { address: { masterName, sentinels: [{ host, port }] }, db: 0 };
    const connection = await resilientOf(t, server, { target });
    const store = new RedisSessionStore(connection, { ...storeOptions(), clockLeadMs });
    return { store, contents: () => redisContents(server) };
  },
});
testSessionStore("MemoryStore", {
  open: async (_, contents, clockLeadMs) => {
    const store = new MemoryStore("session:", clockLeadMs);
    for (const [key, stored] of Object.entries(contents)) store.keys.set(key, stored);
    return { store, contents: async () => Object.fromEntries(store.keys) };
  },
});
