import { join } from "node:path";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { saveSession } from "./made-session.js";

const small = 10_000;
const large = 10;

/**
 * Session files and a Redis with room for most of them. The few large ones decide whether all fit,
 * so an estimate cannot tell and only writing finds out.
 */
export async function makeUnforeseenNeed(redis: RedisServer): Promise<{ directory: string; sessions: number }> {
  const directory = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= small; number++) saveSession(directory, number, '{"uid": 2}');
  const text = JSON.stringify({ uid: 2, v: "x".repeat(1_000_000) });
  for (let number = small + 1; number <= small + large; number++) saveSession(directory, number, text);
  const info = String(await redisCommand(redis, "INFO", "memory"));
  const used = Number(/used_memory:(\d+)/.exec(info)?.[1]);
  // The small ones take 2 MiB, the large ones 10.
  await redisCommand(redis, "CONFIG", "SET", "maxmemory", Math.floor((used + 9_500_000) / 0.95));
  return { directory, sessions: small + large };
}
