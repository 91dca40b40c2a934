import { type RedisServer, startRedis } from "./redis-server.js";
import { startSentinelGroup } from "./sentinel-group.js";

/** A Redis that sweeps run against, whichever way runs find it. */
export interface SweptPlace {
  /** The server that takes the sessions now. */
  server(): RedisServer;
  /** The flags by which a run finds it. */
  flags(): readonly string[];
  /** Variables that a run needs for it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What becomes of it after a run was killed, before that is judged: nothing, or a failover. */
  upset(): Promise<void>;
  stop(): Promise<void>;
}

const topologies: Readonly<Record<string, () => Promise<SweptPlace>>> = {
  single: startSingle,
  sentinel: startBehindSentinels,
};

/** Starts what `TELE_SESSIONS_TOPOLOGY` names: one server, or one behind Sentinels. */
export async function startTopology(): Promise<SweptPlace> {
  const name = process.env["TELE_SESSIONS_TOPOLOGY"] ?? "single";
  const start = topologies[name];
  if (start === undefined) throw new Error(`TELE_SESSIONS_TOPOLOGY: ${Object.keys(topologies).join(", ")}.`);
  return start();
}

async function startSingle(): Promise<SweptPlace> {
  const server = await startRedis();
  return {
    server: () => server,
    flags: () => ["--port", String(server.port)],
    upset: async () => undefined,
    stop: () => server.stop(),
  };
}

/** After each kill the Sentinels choose another master. */
async function startBehindSentinels(): Promise<SweptPlace> {
  const group = await startSentinelGroup();
  let server = await group.master();
  return {
    server: () => server,
    flags: () => group.flags,
    upset: async () => {
      await group.heal();
      server = await group.failOver();
      await group.heal();
    },
    stop: () => group.stop(),
  };
}
