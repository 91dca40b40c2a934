import { setTimeout as sleep } from "node:timers/promises";
import type { RedisAddress } from "../servers/redis-client.js";
import { type RedisCluster, startCluster } from "../servers/redis-cluster.js";
import { redisCommand } from "../servers/redis-command.js";
import type { RedisServer } from "../servers/redis-server.js";
import { topology } from "../servers/redis-under-test.js";

/** Whether sweeps are to run against a Cluster: `TELE_SESSIONS_TOPOLOGY=cluster`. */
export const isOnCluster = topology === "cluster";

/** Starts a Cluster of three masters for one swept run. */
export function startSweptCluster(
  args: readonly string[],
  login: Pick<RedisAddress, "username" | "password">,
): Promise<RedisCluster> {
  return startCluster({ replicas: 0, args, login });
}

/** Has each node announce the port of a proxy before it, or its own, and waits until all know. */
export async function announcePorts({ nodes }: RedisCluster, ports: readonly number[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    await redisCommand(node, "CONFIG", "SET", "cluster-announce-port", ports[index] ?? 0);
  }
  const wanted = nodes.map((node, index) => ports[index] ?? node.port).sort();
  const isKnownTo = async (node: RedisServer) => {
    const ranges = await redisCommand(node, "CLUSTER", "SLOTS");
    const known = (Array.isArray(ranges) ? ranges : []).map(([, , master]) => Number(master[1]));
    return JSON.stringify(known.sort()) === JSON.stringify(wanted);
  };
  while ((await Promise.all(nodes.map(isKnownTo))).includes(false)) await sleep(20);
}
