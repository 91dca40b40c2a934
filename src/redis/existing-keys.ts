import type { Redis } from "ioredis";

/** Which keys exist, in one pipeline. Throws what `redisFault` sorts. */
export async function existingKeys(client: Redis, keys: readonly string[]): Promise<boolean[]> {
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.exists(key);
  return ((await pipeline.exec()) ?? []).map(([error, count]) => {
    if (error !== null) throw error;
    return count === 1;
  });
}
