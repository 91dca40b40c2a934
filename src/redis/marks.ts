import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** What a mark is of. */
export interface MarkScope {
  /** What stands before the sid in every key: the layout's and the applet's prefix. */
  readonly keyPrefix: string;
  /** The session directory, resolved. */
  readonly directory: string;
  /** The directory's own: another one at the same path was never copied. */
  readonly inode: string;
  readonly shard: { readonly index: number; readonly count: number } | null;
}

/** The key that a complete run leaves the start of its main pass in. */
export function markKey({ keyPrefix, directory, inode, shard }: MarkScope): string {
  const text = JSON.stringify([keyPrefix, directory, inode, shard && [shard.index, shard.count]]);
  return `tele-sessions:mark:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** When the main pass began that a mark is of, milliseconds since the epoch; `undefined` where there is no mark. Throws what `redisFault` sorts. */
export async function readMark(client: Redis, key: string): Promise<number | undefined> {
  const text = await client.get(key);
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * Leaves a mark until `expiresAtMs`, on our clock, unless a run that began later left one. One that lies in the future was left by a
 * clock that was wrong. Sent again it changes nothing. Throws what `redisFault` sorts.
 */
export async function leaveMark(
  client: Redis,
  key: string,
  startedMs: number,
  expiresAtMs: number,
  clockLeadMs: number,
): Promise<void> {
  const standing = await readMark(client, key);
  if (standing !== undefined && standing > startedMs && standing <= Date.now()) return;
  await client.set(key, String(startedMs), "PXAT", Math.floor(expiresAtMs + clockLeadMs));
}
