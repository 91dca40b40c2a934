import { createHash } from "node:crypto";
import type { RedisAddress, RedisReply } from "../../test/support/servers/redis-client.js";
import { redisCommand, redisPipeline } from "../../test/support/servers/redis-command.js";

/** A digest of every session's key and value in Redis, whatever their order. */
export async function digestEntries(address: RedisAddress): Promise<string> {
  const keys = listOf(await redisCommand(address, "KEYS", "session:*"))
    .map(String)
    .sort();
  const values = await redisPipeline(
    address,
    keys.map((key) => ["GET", key]),
  );
  const hash = createHash("sha256");
  for (const [index, key] of keys.entries()) hash.update(`${key} ${values[index]}\n`);
  return hash.digest("hex");
}

function listOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? reply : [];
}
