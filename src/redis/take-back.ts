import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";

const compareAndDelete = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Deletes the keys that still hold exactly what this run wrote, value and instant: a session that was saved since stays. Sent again it
 * changes nothing. Throws what `redisFault` sorts.
 */
export async function takeBack(client: Redis, entries: readonly Entry[], clockLeadMs: number): Promise<void> {
  const pipeline = client.pipeline();
  for (const { key, value, expiresAtMs } of entries) {
    pipeline.eval(compareAndDelete, 1, key, value, expiresAtMs + clockLeadMs);
  }
  for (const [error] of (await pipeline.exec()) ?? []) {
    // A key of another type is not what this run wrote.
    if (error !== null && !error.message.includes("WRONGTYPE")) throw error;
  }
}
