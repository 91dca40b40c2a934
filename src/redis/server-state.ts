import type { Redis } from "ioredis";
import { allowed, fieldOf } from "./server-info.js";

/** What changes while a server works; absent as a whole where INFO is denied. */
export interface ServerState {
  /** Bytes; 0 where there is no limit. */
  readonly maxMemory: number;
  /** Bytes. */
  readonly usedMemory: number;
  /** `noeviction`, `allkeys-lru` and the like. */
  readonly evictionPolicy: string;
  /** Keys evicted since the server started, or since its counters were reset. */
  readonly evictedKeys: number;
  /** Replicas that are in step with the server. */
  readonly replicas: number;
}

/** Asks for memory, evictions and replicas. `undefined` where INFO is denied. Throws what `redisFault` sorts. */
export async function askServerState(client: Redis): Promise<ServerState | undefined> {
  const info = await allowed(() => client.info());
  if (info === undefined) return undefined;
  const numberOf = (name: string) => Number(fieldOf(info, name) ?? 0);
  return {
    maxMemory: numberOf("maxmemory"),
    usedMemory: numberOf("used_memory"),
    evictionPolicy: fieldOf(info, "maxmemory_policy") ?? "noeviction",
    evictedKeys: numberOf("evicted_keys"),
    replicas: replicaOffsets(info).length,
  };
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
