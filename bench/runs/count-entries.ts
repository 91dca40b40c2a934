import type { RedisAddress } from "../../test/support/servers/redis-client.js";
import { redisPipeline } from "../../test/support/servers/redis-command.js";

/** How many entries Redis holds, the marks of complete copies aside. Throws where one of them has no lifetime. */
export async function countEntries(address: RedisAddress): Promise<number> {
  const [keyspace = null, marks] = await redisPipeline(address, [
    ["INFO", "keyspace"],
    ["KEYS", "tele-sessions:mark:*"],
  ]);
  const [, keys = 0, lifetimes = 0] = /^db0:keys=(\d+),expires=(\d+)/m.exec(String(keyspace))?.map(Number) ?? [];
  if (keys !== lifetimes) throw new Error(`${keys - lifetimes} of ${keys} keys have no lifetime`);
  return keys - (Array.isArray(marks) ? marks.length : 0);
}
