import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { RedisSessionStore } from "../../../src/redis/redis-session-store.js";
import { ResilientConnection } from "../../../src/redis/resilient-connection.js";
import { testSessionStore } from "../../redis/session-store.contract.js";
import { storeOptions } from "../../redis/support/client-of.js";
import { fillRedis, redisContents } from "../../redis/support/redis-contents.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";
import { makeTemporaryDirectory } from "../../support/temporary-directory.js";

let master: RedisServer;
let sentinel: RedisServer;
before(async () => {
  master = await startRedis();
  const file = join(makeTemporaryDirectory(), "sentinel.conf");
  writeFileSync(file, `sentinel monitor sessions 127.0.0.1 ${master.port} 1\n`);
  sentinel = await startRedis({ sentinel: file });
});
after(() => Promise.all([sentinel.stop(), master.stop()]));

testSessionStore("RedisSessionStore behind a Sentinel", {
  open: async (t, contents, clockLeadMs) => {
    await fillRedis(master, contents);
    const { host, port } = sentinel;
    const connection = await ResilientConnection.open({
      target: { address: { masterName: "sessions", sentinels: [{ host, port }] }, db: 0 },
      retryForMs: 20_000,
      onWarning: () => undefined,
      stop: new AbortController().signal,
    });
    t.after(() => connection.close());
    const store = new RedisSessionStore(connection, { ...storeOptions(), clockLeadMs });
    return { store, contents: () => redisContents(master) };
  },
});
