import type { TestContext } from "node:test";
import type { Redis } from "ioredis";
import { entryMemory } from "../../../src/migrate/memory-need.js";
import { openConnection } from "../../../src/redis/open-connection.js";
import type { StoreOptions } from "../../../src/redis/redis-session-store.js";
import { type ResilienceOptions, ResilientConnection } from "../../../src/redis/resilient-connection.js";
import { MemoryGuard } from "../../../src/redis/server/memory-guard.js";
import { ClusterServers } from "../../../src/redis/topology/cluster-servers.js";
import type { RedisCluster } from "../../support/servers/redis-cluster.js";

/** Where a server listens, and who its user is. */
export interface Account {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** What goes with a test or a suite. */
type Scope = Pick<TestContext, "after">;

function targetOf({ host, port, username, password }: Account) {
  return {
    address: { host, port },
    db: 0,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** A client like the program's, with a name if one is given. It is closed after the test. */
export async function clientOf(t: Scope, account: Account, name?: string): Promise<Redis> {
  const { client } = await openConnection(targetOf(account), name);
  t.after(() => client.disconnect());
  return client;
}

/** A connection that is made again when it is lost. It goes with the test. */
export async function resilientOf(
  t: Scope,
  account: Account,
  options: Partial<Pick<ResilienceOptions, "name" | "retryForMs" | "target">> = {},
): Promise<ResilientConnection> {
  const connection = await ResilientConnection.open({
    target: targetOf(account),
    retryForMs: 20_000,
    onWarning: () => undefined,
    stop: new AbortController().signal,
    ...options,
  });
  t.after(() => connection.close());
  return connection;
}

/** Connections to the masters of a Cluster. They go with the test. */
export async function clusterOf(
  t: Scope,
  { nodes: [seed] }: Pick<RedisCluster, "nodes">,
  options: Partial<Pick<ResilienceOptions, "name" | "retryForMs">> = {},
): Promise<ClusterServers> {
  if (seed === undefined) throw new Error("a Cluster has nodes");
  const servers = await ClusterServers.open({
    target: { ...targetOf(seed), isCluster: true },
    retryForMs: 60_000,
    onWarning: () => undefined,
    stop: new AbortController().signal,
    ...options,
  });
  t.after(() => servers.close());
  return servers;
}

/** How a store names and dates its keys, and a guard of its own. */
export function storeOptions(): StoreOptions {
  return { keyPrefix: "session:", clockLeadMs: 0, guard: new MemoryGuard(), entryMemory };
}
