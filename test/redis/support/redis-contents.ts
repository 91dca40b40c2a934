import type { Contents, StoredKey } from "../../support/memory-store.js";
import type { RedisAddress } from "../../support/servers/redis-client.js";
import type { RedisCluster } from "../../support/servers/redis-cluster.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";

/** Lets a Redis hold this and nothing else. */
export async function fillRedis(server: RedisAddress, contents: Contents): Promise<void> {
  await redisPipeline(server, [
    ["FLUSHALL"],
    ...Object.entries(contents).flatMap(([key, { value, expiresAtMs }]) => [
      value === null ? ["RPUSH", key, "x"] : ["SET", key, Buffer.from(value, "latin1")],
      ...(expiresAtMs === null ? [] : [["PEXPIREAT", key, expiresAtMs]]),
    ]),
  ]);
}

/** Lets the masters of a Cluster hold this and nothing else. */
export async function fillCluster(cluster: RedisCluster, contents: Contents): Promise<void> {
  await cluster.onEach("FLUSHALL");
  await cluster.client.pipeline(
    Object.entries(contents).flatMap(([key, { value, expiresAtMs }]) => [
      value === null ? ["RPUSH", key, "x"] : ["SET", key, Buffer.from(value, "latin1")],
      ...(expiresAtMs === null ? [] : [["PEXPIREAT", key, expiresAtMs] as const]),
    ]),
  );
}

/** Everything that the masters of a Cluster hold. */
export async function clusterContents(cluster: RedisCluster): Promise<Contents> {
  const contents = await Promise.all((await cluster.masters()).map(redisContents));
  return Object.assign({}, ...contents);
}

/** Everything that a Redis holds. */
export async function redisContents(server: RedisAddress): Promise<Contents> {
  const keys = await redisCommand(server, "KEYS", "*");
  const contents: Record<string, StoredKey> = {};
  for (const key of Array.isArray(keys) ? keys.map(String) : []) {
    const [value, expiry] = await redisPipeline(server, [
      ["GET", key],
      ["PEXPIRETIME", key],
    ]);
    contents[key] = {
      value: Buffer.isBuffer(value) ? value.toString("latin1") : null,
      expiresAtMs: expiry === -1 ? null : Number(expiry),
    };
  }
  return contents;
}
