import { startCluster } from "../../test/support/servers/redis-cluster.js";
import { type RedisServer, startRedis } from "../../test/support/servers/redis-server.js";
import { masterName, startSentinelOf } from "../../test/support/servers/sentinel-group.js";
import type { Surroundings } from "./surroundings.js";

/** A Cluster of three masters in the place of one server. */
export async function openClusterRedis(): Promise<Surroundings> {
  const cluster = await startCluster({ replicas: 0 });
  const flags = ["--cluster", "--port", String(cluster.nodes[0]?.port)];
  return surroundingsOf("a Cluster of three masters", cluster.nodes, flags, () => cluster.stop());
}

/** A master without replicas that a Sentinel names. */
export async function openRedisBehindSentinel(): Promise<Surroundings> {
  const master = await startRedis();
  const sentinel = await startSentinelOf(master);
  const flags = ["--sentinel", `${sentinel.host}:${sentinel.port}`, "--sentinel-master", masterName];
  return surroundingsOf("a master that a Sentinel names", [master], flags, async () => {
    await Promise.all([sentinel.stop(), master.stop()]);
  });
}

function surroundingsOf(
  what: string,
  servers: readonly RedisServer[],
  flags: readonly string[],
  close: () => Promise<void>,
): Surroundings {
  const [first] = servers;
  if (first === undefined) throw new Error("there is no server");
  const { host, port } = first;
  const how = `${what} on loopback, files in the caches`;
  return {
    how,
    host,
    port,
    servers,
    flags,
    before: [],
    environment: {},
    prepare: async () => undefined,
    close,
  };
}
