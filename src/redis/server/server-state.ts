import type { Redis } from "ioredis";
import { historyOf, type ServerHistory } from "./server-facts.js";
import { allowed, fieldOf } from "./server-info.js";

/** What changes while a server works; each field is `undefined` if Redis does not tell it. */
export interface ServerState {
  /** Bytes; 0 means no limit. */
  readonly maxMemory: number | undefined;
  /** Bytes. */
  readonly usedMemory: number | undefined;
  /** `noeviction`, `allkeys-lru` and the like. */
  readonly evictionPolicy: string | undefined;
  /** Keys evicted since the server started, or since its counters were reset. */
  readonly evictedKeys: number | undefined;
  /** Replicas that are in step with the server. */
  readonly replicas: number | undefined;
  /** Whose data it holds. */
  readonly history: ServerHistory | undefined;
}

/** Asks for memory, evictions and replicas; what INFO leaves out, CONFIG and MEMORY STATS may tell. Throws what `redisFault` sorts. */
export async function askServerState(client: Redis): Promise<ServerState> {
  const info = await allowed(() => client.info());
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

/** How many keys a database holds, and how many of them have a lifetime. */
export interface KeyCounts {
  readonly keys: number;
  readonly expiring: number;
}

/** Counts the keys of the client's database; if INFO does not tell, all count as having a lifetime. Throws what `redisFault` sorts. */
export async function askKeyCounts(client: Redis): Promise<KeyCounts> {
  const info = await allowed(() => client.info("keyspace"));
  const line = info && fieldOf(info, `db${client.options.db ?? 0}`);
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

/** Whether Redis writes what it holds to a disk; `undefined` where it may not be asked. Throws what `redisFault` sorts. */
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
 * Whether so many replicas are seen to have all that the server has written by now: WAIT makes them say so, and covers what this connection wrote;
 * their offsets cover the rest. Waits up to a second. Throws what `redisFault` sorts.
 */
export async function replicasAreInStep(client: Redis, count: number, untilOffset: number): Promise<boolean> {
  const acknowledged = await client.wait(count, waitMs);
  if (acknowledged < count) return false;
  const info = await allowed(() => client.info("replication"));
  return info !== undefined && replicaOffsets(info).filter((offset) => offset >= untilOffset).length >= count;
}

/** How far the server's writes have come, in bytes of its replication stream; 0 where INFO is denied. Throws what `redisFault` sorts. */
export async function askReplicationOffset(client: Redis): Promise<number> {
  const info = await allowed(() => client.info("replication"));
  return Number((info && fieldOf(info, "master_repl_offset")) ?? 0);
}

const waitMs = 1000;

/** `slave0:ip=127.0.0.1,port=6380,state=online,offset=42,lag=0`. */
function replicaOffsets(info: string): number[] {
  return [...info.matchAll(/^slave\d+:.*state=online,offset=(\d+)/gm)].map(([, offset]) => Number(offset));
}
