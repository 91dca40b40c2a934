import type { TestContext } from "node:test";
import type { RedisAddress } from "../../support/servers/redis-client.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, type RedisServerOptions, startRedis } from "../../support/servers/redis-server.js";

/** A Redis that goes with the test. */
export async function redisOf(t: TestContext, options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  t.after(() => server.stop());
  return server;
}

/** How many keys there are, but for the marks that complete copies leave. */
export async function countKeys(address: RedisAddress): Promise<number> {
  const marks = await redisCommand(address, "KEYS", "tele-sessions:mark:*");
  return Number(await redisCommand(address, "DBSIZE")) - (Array.isArray(marks) ? marks.length : 0);
}
