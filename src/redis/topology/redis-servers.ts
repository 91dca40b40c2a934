import type { Redis } from "ioredis";
import type { ResilientConnection } from "../resilient-connection.js";
import type { ServerState } from "../server/server-state.js";

/** A server that holds sessions and takes writes: the only one, or a master of a Cluster. */
export interface RedisServer {
  readonly connection: ResilientConnection;
  /** `host:port` of a master; `undefined` if there is only one server. */
  readonly name: string | undefined;
  /** A key of ours that lies on this server: `start`, on a master with a suffix. */
  keyHere(start: string): string;
}

/** A server, and what it says about itself. */
export interface StateOfServer {
  readonly server: RedisServer;
  readonly state: ServerState;
}

/**
 * The Redis that holds the sessions: one server, or the masters of a Cluster. Its methods throw what
 * those of `ResilientConnection` throw.
 */
export abstract class RedisServers {
  /** Every server that holds keys now. */
  abstract readonly all: readonly RedisServer[];
  /** Every connection that was made. */
  protected abstract readonly connections: readonly ResilientConnection[];

  /** How often a server was found with other data so far. */
  get dataEpoch(): number {
    return this.connections.reduce((sum, { dataEpoch }) => sum + dataEpoch, 0);
  }

  /** How often a connection was lost so far. */
  get reconnects(): number {
    return this.connections.reduce((sum, { reconnects }) => sum + reconnects, 0);
  }

  /** Whether other clients see every connection under its name. */
  get announced(): boolean {
    return this.all.every(({ connection }) => connection.announced);
  }

  /** The server that holds a key. */
  abstract serverOf(key: string): RedisServer;

  /** Takes the data of whichever servers answer now as the run's own. */
  async acceptCurrentData(): Promise<void> {
    await allDone(this.all.map(({ connection }) => connection.acceptCurrentData()));
  }

  /** Checks that every server holds the data that it confirmed. */
  async checkData(): Promise<readonly StateOfServer[]> {
    return allDone(this.all.map(async (server) => ({ server, state: await server.connection.checkData() })));
  }

  async rename(name: string): Promise<void> {
    await allDone(this.all.map(({ connection }) => connection.rename(name)));
  }

  async close(): Promise<void> {
    await allDone(this.connections.map((connection) => connection.close()));
  }
}

/** The only server. */
export class SingleServer extends RedisServers implements RedisServer {
  readonly name = undefined;
  readonly all: readonly [RedisServer] = [this];
  readonly connection: ResilientConnection;
  protected readonly connections: readonly ResilientConnection[];

  constructor(connection: ResilientConnection) {
    super();
    this.connection = connection;
    this.connections = [connection];
  }

  keyHere(start: string): string {
    return start;
  }

  serverOf(): RedisServer {
    return this;
  }
}

/** Runs work on every server at once. Returns its results in the order of `all`. */
export function onEach<T>(
  { all }: Pick<RedisServers, "all">,
  work: (client: Redis, server: RedisServer) => Promise<T>,
): Promise<T[]> {
  return allDone(all.map((server) => server.connection.run((client) => work(client, server))));
}

/** Waits until all have ended, so that nothing is in flight any more. Throws the first error. */
export async function allDone<T>(all: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(all);
  return Promise.all(all);
}
