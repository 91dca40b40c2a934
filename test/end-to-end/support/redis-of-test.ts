import type { TestContext } from "node:test";
import type { RedisAddress } from "../../support/redis-client.js";
import { redisCommand } from "../../support/redis-command.js";
import { type RedisServer, type RedisServerOptions, startRedis } from "../../support/redis-server.js";

/** A Redis that goes with the test. */
export async function redisOf(t: TestContext, options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  t.after(() => server.stop());
  return server;
}

export async function countKeys(address: RedisAddress): Promise<number> {
  return Number(await redisCommand(address, "DBSIZE"));
}
