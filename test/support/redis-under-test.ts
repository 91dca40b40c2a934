import type { RedisArgument, RedisClient, RedisReply } from "./redis-client.js";
import { startCluster } from "./redis-cluster.js";
import { redisCommand, redisPipeline } from "./redis-command.js";
import { startRedis } from "./redis-server.js";

/** The Redis of a sweep: one server, or the masters of a Cluster. */
export interface RedisUnderTest {
  /** The flags of a run that is to use it. */
  readonly flags: readonly string[];
  /** Where its servers listen. */
  readonly ports: readonly number[];
  /** Sends each command to the server that holds the key in its second word. */
  readonly client: RedisClient;
  /** Sends a command to every server, and gives their replies. */
  onEach(...args: readonly RedisArgument[]): Promise<readonly RedisReply[]>;
  stop(): Promise<void>;
}

/** Starts one server; `TELE_SESSIONS_TOPOLOGY=cluster`: a Cluster of three masters. */
export async function startRedisUnderTest(): Promise<RedisUnderTest> {
  if (process.env["TELE_SESSIONS_TOPOLOGY"] === "cluster") return startClusterUnderTest();
  const server = await startRedis();
  return {
    flags: ["--port", String(server.port)],
    ports: [server.port],
    client: { pipeline: (commands) => redisPipeline(server, commands), close: () => undefined },
    onEach: async (...args) => [await redisCommand(server, ...args)],
    stop: () => server.stop(),
  };
}

async function startClusterUnderTest(): Promise<RedisUnderTest> {
  const cluster = await startCluster({ replicas: 0 });
  const ports = cluster.nodes.map(({ port }) => port);
  return {
    flags: ["--cluster", "--port", String(ports[0])],
    ports,
    client: cluster.client,
    onEach: (...args) => cluster.onEach(...args),
    stop: () => cluster.stop(),
  };
}
