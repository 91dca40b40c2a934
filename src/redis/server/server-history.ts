import type { Redis } from "ioredis";
import { allowed, fieldOf } from "./server-info.js";

/** Which data a server holds. */
export interface ServerHistory {
  /**
   * Its `run_id`, which changes with every start, and its `master_replid2`, which changes if it has
   * followed another server [redis/src/replication.c, `shiftReplicationId`].
   */
  readonly id: string;
  /** Whether it follows another server now, whose data replaces its own data. */
  readonly isReplica: boolean;
}

/** `master_replid2` of a server that has followed no other, or did so long ago. */
const noReplicationId = "0".repeat(40);

/**
 * Whether a server still holds the data that it held under this id. A master that has had no
 * replica for an hour (`repl-backlog-ttl`), or recreates its backlog, forgets whom it followed
 * [redis/src/replication.c, `clearReplicationId2`].
 */
export function continues(history: ServerHistory, id: string | undefined): boolean {
  return history.id === id || history.id === id?.replace(/ .*$/, ` ${noReplicationId}`);
}

/**
 * Whether a server with this id followed another one before, as a replica that was promoted did, or
 * does not say.
 */
export function hasFollowed(id: string | undefined): boolean {
  return id?.endsWith(` ${noReplicationId}`) !== true;
}

/** `undefined` if INFO is denied or does not say. */
export async function askHistory(client: Redis): Promise<ServerHistory | undefined> {
  return historyOf(await allowed(() => client.info()));
}

/** Reads it from a reply to INFO; `undefined` if that was denied or does not say. */
export function historyOf(info: string | undefined): ServerHistory | undefined {
  const runId = info && fieldOf(info, "run_id");
  if (info === undefined || runId === undefined) return undefined;
  const followed = fieldOf(info, "master_replid2") ?? "";
  return { id: `${runId} ${followed}`, isReplica: fieldOf(info, "role") === "slave" };
}

/** A transient error (`EREPLICA`): a failover ends, or the address soon leads to the new master. */
export function becameReplica(): Error {
  return Object.assign(new Error("a replica"), { code: "EREPLICA" });
}
