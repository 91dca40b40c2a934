import { startCluster } from "../test/support/redis-cluster.js";
import type { Surroundings } from "./surroundings.js";

/** A Cluster of three masters in the place of one server. */
export async function openClusterRedis(): Promise<Surroundings> {
  const cluster = await startCluster({ replicas: 0 });
  const [seed] = cluster.nodes;
  if (seed === undefined) throw new Error("a Cluster has nodes");
  return {
    how: "a Cluster of three masters on loopback, files in the caches",
    host: seed.host,
    port: seed.port,
    servers: cluster.nodes,
    before: [],
    environment: { TELE_SESSION_REDIS_CLUSTER: "1" },
    prepare: async () => undefined,
    close: () => cluster.stop(),
  };
}
