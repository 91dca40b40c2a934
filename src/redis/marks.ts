import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { witnessKey } from "./witness.js";

/** What a mark is of. */
export interface MarkScope {
  /** What stands before the sid in every key: the layout's and the applet's prefix. */
  readonly keyPrefix: string;
  /** The session directory, resolved. */
  readonly directory: string;
  /** The directory's own: another one at the same path was never copied. */
  readonly identity: string;
  readonly shard: { readonly index: number; readonly count: number } | null;
}

/** The key that a complete run leaves the start of its main pass in. */
export function markKey({ keyPrefix, directory, identity, shard }: MarkScope): string {
  const text = JSON.stringify([keyPrefix, directory, identity, shard && [shard.index, shard.count]]);
  return `tele-sessions:mark:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** When the main pass began that a mark is of, milliseconds since the epoch; `undefined` where there is no mark. Throws what `redisFault` sorts. */
export async function readMark(client: Redis, key: string): Promise<number | undefined> {
  const text = await client.get(key);
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** In one step, for a server may be emptied at any moment. */
const setWhileWitnessed = `
if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
return 1`;

/** What is left for later runs. */
export interface Mark {
  /** When the main pass began, milliseconds since the epoch. */
  readonly startedMs: number;
  /** Until when it lasts, on our clock. */
  readonly expiresAtMs: number;
}

/**
 * Leaves a mark, unless a run that began later left one. One that lies in the future was left by a clock that was wrong. `false` where the
 * witness of this value is gone, and nothing was left. Sent again it changes nothing. Throws what `redisFault` sorts.
 */
export async function leaveMark(
  client: Redis,
  key: string,
  witness: string,
  { startedMs, expiresAtMs }: Mark,
  clockLeadMs: number,
): Promise<boolean> {
  const standing = await readMark(client, key);
  if (standing !== undefined && standing > startedMs && standing <= Date.now()) return true;
  const redisMs = Math.floor(expiresAtMs + clockLeadMs);
  return (await client.eval(setWhileWitnessed, 2, key, witnessKey, startedMs, redisMs, witness)) === 1;
}
