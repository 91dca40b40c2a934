import { type ResilienceOptions, ResilientConnection } from "../resilient-connection.js";
import { type RedisServers, SingleServer } from "./redis-servers.js";

/** Connects to the target's servers. Throws `RedisError` if Redis cannot be reached or refuses us. */
export async function openServers(options: ResilienceOptions): Promise<RedisServers> {
  if (options.target.isCluster !== true) return new SingleServer(await ResilientConnection.open(options));
  const { ClusterServers } = await import("./cluster-servers.js");
  return ClusterServers.open(options);
}
