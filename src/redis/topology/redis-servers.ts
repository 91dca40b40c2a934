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
export interface RedisServers {
  /** Every server that holds keys now. */
  readonly all: readonly RedisServer[];
  /** How often a server was found with other data so far. */
  readonly dataEpoch: number;
  /** How often a connection was lost so far. */
  readonly reconnects: number;
  /** Whether other clients see every connection under its name. */
  readonly announced: boolean;
  /** The server that holds a key. */
  serverOf(key: string): RedisServer;
  /** Takes the data of whichever servers answer now as the run's own. */
  acceptCurrentData(): Promise<void>;
  /** Checks that every server holds the data that it confirmed. */
  checkData(): Promise<readonly StateOfServer[]>;
  rename(name: string): Promise<void>;
  close(): Promise<void>;
}

/** The only server. */
export class SingleServer implements RedisServers, RedisServer {
  readonly name = undefined;
  readonly connection: ResilientConnection;

  constructor(connection: ResilientConnection) {
    this.connection = connection;
  }

  get all(): readonly [RedisServer] {
    return [this];
  }

  get dataEpoch(): number {
    return this.connection.dataEpoch;
  }

  get reconnects(): number {
    return this.connection.reconnects;
  }

  get announced(): boolean {
    return this.connection.announced;
  }

  keyHere(start: string): string {
    return start;
  }

  serverOf(): RedisServer {
    return this;
  }

  acceptCurrentData(): Promise<void> {
    return this.connection.acceptCurrentData();
  }

  async checkData(): Promise<readonly StateOfServer[]> {
    return [{ server: this, state: await this.connection.checkData() }];
  }

  rename(name: string): Promise<void> {
    return this.connection.rename(name);
  }

  close(): Promise<void> {
    return this.connection.close();
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
