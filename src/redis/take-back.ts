import type { Redis } from "ioredis";
import type { Written } from "../model/entry.js";

/** A key and what it held when it was seen or written. */
export interface KeyAsSeen extends Pick<Written, "digest" | "expiresAtMs"> {
  readonly file: Pick<Written["file"], "sid">;
}

/** Compares a digest, for the file is gone and its value with it. */
const compareAndDelete = `
local value = redis.call('GET', KEYS[1])
if not value or redis.sha1hex(value) ~= ARGV[1] then return 0 end
if redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Deletes the keys that still hold exactly what was written or seen, value and instant: a session that was saved since stays. Tells which were
 * deleted. Sent again it changes nothing, but tells of fewer. Throws what `redisFault` sorts.
 */
export async function takeBack(
  client: Redis,
  written: readonly KeyAsSeen[],
  keyPrefix: string,
  clockLeadMs: number,
): Promise<boolean[]> {
  const pipeline = client.pipeline();
  for (const { file, digest, expiresAtMs } of written) {
    pipeline.eval(compareAndDelete, 1, keyPrefix + file.sid, digest, expiresAtMs + clockLeadMs);
  }
  return ((await pipeline.exec()) ?? []).map(([error, deleted]) => {
    // A key of another type is not what this run wrote.
    if (error !== null && !error.message.includes("WRONGTYPE")) throw error;
    return deleted === 1;
  });
}
