import type { Redis } from "ioredis";
import type { RedisMemory } from "../../model/progress/progress.js";
import { historyOf, type ServerHistory } from "./server-history.js";
import { allowed, fieldOf } from "./server-info.js";

/** What changes while a server works. A field is `undefined` if Redis does not report it. */
export interface ServerState extends RedisMemory {
  /** `noeviction`, `allkeys-lru` and the like. */
  readonly evictionPolicy: string | undefined;
  /** Replicas that are in step with the server. */
  readonly replicas: number | undefined;
  /** Which data it holds. */
  readonly history: ServerHistory | undefined;
}

/** Asks for memory, evictions, replicas and data. CONFIG and MEMORY STATS fill in for INFO. */
export async function askServerState(client: Redis): Promise<ServerState> {
  return completeState(client, await allowed(() => client.info()));
}

/** Reads the state from a reply to INFO, and asks for what it does not say. */
export async function completeState(client: Redis, info: string | undefined): Promise<ServerState> {
  const told = (name: string) => info && fieldOf(info, name);
  return {
    maxMemory: numberOf(told("maxmemory") ?? (await askSetting(client, "maxmemory"))),
    usedMemory: numberOf(told("used_memory") ?? (await askAllocated(client))),
    evictionPolicy: told("maxmemory_policy") ?? (await askSetting(client, "maxmemory-policy")),
    evictedKeys: numberOf(told("evicted_keys")),
    replicas: info === undefined ? undefined : replicaOffsets(info).length,
    history: historyOf(info),
  };
}

/** Whether a server evicts no key and, as far as it counts, never did. */
export function keptEveryKey({ evictionPolicy, evictedKeys }: ServerState): boolean {
  return evictionPolicy === "noeviction" && evictedKeys === 0;
}

/** The part of a server's state that a reply to INFO tells about memory. */
export function memoryOf(info: string): RedisMemory {
  return {
    maxMemory: numberOf(fieldOf(info, "maxmemory")),
    usedMemory: numberOf(fieldOf(info, "used_memory")),
    evictedKeys: numberOf(fieldOf(info, "evicted_keys")),
  };
}

/** How many keys a database holds, and how many of them expire. */
export interface KeyCounts {
  readonly keys: number;
  readonly expiring: number;
}

/** Counts the keys of the client's database, `db`. If INFO does not say, all count as expiring. */
export async function askKeyCounts(client: Redis, db: number): Promise<KeyCounts> {
  const info = await allowed(() => client.info("keyspace"));
  const line = info && fieldOf(info, `db${db}`);
  const [, keys, expiring] = /keys=(\d+),expires=(\d+)/.exec(line ?? "") ?? [];
  if (keys !== undefined) return { keys: Number(keys), expiring: Number(expiring) };
  const size = (await allowed(() => client.dbsize())) ?? 0;
  return { keys: size, expiring: size };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** `total.allocated` is what INFO calls `used_memory`. */
async function askAllocated(client: Redis): Promise<string | undefined> {
  const stats = await allowed(() => client.memory("STATS"));
  if (!Array.isArray(stats)) return undefined;
  const at = stats.indexOf("total.allocated");
  return at === -1 ? undefined : String(stats[at + 1]);
}

/** Whether Redis saves its data to disk; `undefined` if it does not say. */
export async function askPersistence(client: Redis): Promise<boolean | undefined> {
  const info = await allowed(() => client.info("persistence"));
  const log = info === undefined ? await askSetting(client, "appendonly") : fieldOf(info, "aof_enabled");
  if (log === "1" || log === "yes") return true;
  const snapshots = await askSetting(client, "save");
  return log === undefined || snapshots === undefined ? undefined : snapshots !== "";
}

async function askSetting(client: Redis, name: string): Promise<string | undefined> {
  const reply = await allowed(() => client.config("GET", name));
  return Array.isArray(reply) && reply.length === 2 ? String(reply[1]) : undefined;
}

/**
 * Whether at least `count` replicas have everything that the server has written so far. WAIT makes
 * them report, and covers the writes of this connection; their offsets cover the rest. Waits up to
 * a second.
 */
export async function replicasAreInStep(client: Redis, count: number, untilOffset: number): Promise<boolean> {
  const acknowledged = await client.wait(count, waitMs);
  if (acknowledged < count) return false;
  const info = await allowed(() => client.info("replication"));
  return info !== undefined && replicaOffsets(info).filter((offset) => offset >= untilOffset).length >= count;
}

/** The server's position in its replication stream, in bytes; 0 if INFO is denied. */
export async function askReplicationOffset(client: Redis): Promise<number> {
  const info = await allowed(() => client.info("replication"));
  return Number((info && fieldOf(info, "master_repl_offset")) ?? 0);
}

const waitMs = 1000;

/** The offsets in lines such as `slave0:ip=127.0.0.1,port=6380,state=online,offset=42,lag=0`. */
function replicaOffsets(info: string): number[] {
  return [...info.matchAll(/^slave\d+:.*state=online,offset=(\d+)/gm)].map(([, offset]) => Number(offset));
}
