import type { Redis } from "ioredis";
import { isSid } from "../model/session-file.js";

/** A page of the session keys of one prefix. */
export interface SessionKeys {
  /** Where the next page begins; `0` after the last. */
  readonly cursor: string;
  readonly sids: readonly string[];
  /** What follows the prefix if it is no sid. What holds a colon is another prefix's key, and in neither. */
  readonly invalid: readonly string[];
}

const keysPerScan = 1000;

/** Session keys of a prefix from a cursor on, found with SCAN: a key may come twice. */
export async function sessionKeys(client: Redis, cursor: string, keyPrefix: string): Promise<SessionKeys> {
  const pattern = `${escapeGlob(keyPrefix)}*`;
  const [next, keys] = await client.scan(cursor, "MATCH", pattern, "COUNT", keysPerScan);
  const ends = keys.filter((key) => key.startsWith(keyPrefix)).map((key) => key.slice(keyPrefix.length));
  const invalid = ends.filter((end) => !isSid(end) && !end.includes(":"));
  return { cursor: next, sids: ends.filter(isSid), invalid };
}

/** A SCAN pattern that matches this text only. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}
