import type { RedisArgument, RedisClient, RedisReply } from "./redis-client.js";
import { startCluster } from "./redis-cluster.js";
import { redisCommand, redisPipeline } from "./redis-command.js";
import { startRedis } from "./redis-server.js";
import { type SentinelGroup, startSentinelGroup } from "./sentinel-group.js";

/** The Redis of a sweep: one server, the masters of a Cluster, or a master behind Sentinels. */
export interface RedisUnderTest {
  /** The flags of a run that is to use it. */
  readonly flags: readonly string[];
  /** Variables that such a run needs. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the servers listen that may hold sessions. */
  readonly ports: readonly number[];
  /** Sends each command to the server that holds the key in its second word. */
  readonly client: RedisClient;
  /** Sends a command to every server that takes sessions, and gives their replies. */
  onEach(...args: readonly RedisArgument[]): Promise<readonly RedisReply[]>;
  /** What becomes of it after a run was killed, before that is judged. */
  upset?(): Promise<void>;
  stop(): Promise<void>;
}

const topologies: Readonly<Record<string, () => Promise<RedisUnderTest>>> = {
  single: startSingle,
  cluster: startClusterUnderTest,
  sentinel: startBehindSentinels,
};

/** The topology of sweeps and of the session store's suite: `TELE_SESSIONS_TOPOLOGY`. */
export const topology = process.env["TELE_SESSIONS_TOPOLOGY"] ?? "single";

/** Starts what `TELE_SESSIONS_TOPOLOGY` names. */
export async function startRedisUnderTest(): Promise<RedisUnderTest> {
  const start = topologies[topology];
  if (start === undefined) throw new Error(`TELE_SESSIONS_TOPOLOGY: ${Object.keys(topologies).join(", ")}.`);
  return start();
}

async function startSingle(): Promise<RedisUnderTest> {
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

/** After each kill the Sentinels choose another master. */
async function startBehindSentinels(): Promise<RedisUnderTest> {
  const group = await startSentinelGroup();
  return {
    ...behindSentinels(group),
    upset: async () => {
      await group.heal();
      await group.failOver();
      await group.heal();
    },
  };
}

/** The servers of a group, of which one takes sessions: the master. */
export function behindSentinels(group: SentinelGroup): RedisUnderTest {
  const master = async () => ({ path: (await group.master()).socketPath });
  return {
    flags: group.flags,
    ports: group.servers.map(({ port }) => port),
    client: {
      pipeline: async (commands) => redisPipeline(await master(), commands),
      close: () => undefined,
    },
    onEach: async (...args) => [await redisCommand(await master(), ...args)],
    stop: () => group.stop(),
  };
}
