import { createServer } from "node:net";
import { listen } from "../servers/listen.js";
import { type Fault, FaultSchedule, type HappenedFault } from "./fault-schedule.js";
import { type FaultyConnection, serveFaulty } from "./faulty-connection.js";
import type { CommandHead } from "./resp-messages.js";

/** Stands between clients and a Redis, and carries out a schedule of faults. */
export interface FaultProxy {
  readonly port: number;
  /** For each reply that was due to a client, in order, the command that it belongs to. */
  replies(): readonly CommandHead[];
  happened(): readonly HappenedFault[];
  /** How many connections clients have made. */
  connections(): number;
  /** Ends every connection; new ones go to that port. */
  redirect(redisPort: number): void;
  /** New connections find no Redis: its port is free, so another run's Redis could take it. */
  expectNobody(): void;
  /** Stops listening and ends every connection. Rejects with what an `act` rejected with. */
  stop(): Promise<void>;
}

/** Only root may listen on it, and nobody does. */
const nobodysPort = 1;

/**
 * Listens on a free port of 127.0.0.1 and hands on to the Redis at `redisPort` there; `onFault` is
 * told of each fault as it happens.
 */
export function startFaultProxy(
  redisPort: number,
  faults: readonly Fault[] = [],
  onFault: (happened: HappenedFault) => void = () => undefined,
): Promise<FaultProxy> {
  return startProxy(redisPort, new FaultSchedule(faults, onFault));
}

/** A proxy before each of several servers; replies count over all of them. */
export function startFaultProxies(
  redisPorts: readonly number[],
  faults: readonly Fault[],
  onFault: (happened: HappenedFault) => void,
): Promise<FaultProxy[]> {
  const schedule = new FaultSchedule(faults, onFault);
  return Promise.all(redisPorts.map((port) => startProxy(port, schedule)));
}

async function startProxy(redisPort: number, schedule: FaultSchedule): Promise<FaultProxy> {
  const connections: FaultyConnection[] = [];
  const errors: unknown[] = [];
  let target = redisPort;
  let refusing = 0;

  const endAll = (): void => {
    for (const connection of connections) connection.end();
  };
  const refuse = (count: number): void => {
    refusing = count;
    endAll();
  };
  const server = createServer((client) => {
    schedule.takeConnection();
    if (refusing > 0) {
      refusing -= 1;
      client.resetAndDestroy();
      return;
    }
    const onError = (error: unknown): unknown => errors.push(error);
    connections.push(serveFaulty(client, { schedule, redisPort: target, refuse, onError }));
  });

  const port = await listen(server);
  return {
    port,
    replies: () => schedule.replies,
    happened: () => schedule.happened,
    connections: () => schedule.connections,
    expectNobody: () => {
      target = nobodysPort;
    },
    redirect: (newPort) => {
      target = newPort;
      endAll();
    },
    stop: async () => {
      server.close();
      await Promise.all(connections.map((connection) => connection.finish()));
      if (errors.length > 0) throw errors[0];
    },
  };
}
