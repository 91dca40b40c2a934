import { onEach } from "../redis/topology/redis-servers.js";
import type { RunRedis } from "./run-context.js";

/**
 * How many other runs copy from the same directories: the most that a server sees, as every run is
 * connected to each. `undefined` if a server does not show its connections.
 */
export async function countCopying({ servers, peers }: RunRedis): Promise<number | undefined> {
  const seen = await onEach(servers, (client) => peers.countCopying(client));
  const known = seen.filter((count) => count !== undefined);
  return known.length < seen.length ? undefined : Math.max(...known);
}
