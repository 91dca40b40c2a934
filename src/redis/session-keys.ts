import type { Redis } from "ioredis";

/** Part of the session keys of one prefix. */
export interface SessionKeys {
  /** Where the next part begins; `0` after the last. */
  readonly cursor: string;
  readonly sids: readonly string[];
}

const keysOfScan = 1000;

/** Session keys of a prefix, from a cursor on, by SCAN: a key may come twice. Throws what `redisFault` sorts. */
export async function sessionKeys(
  client: Redis,
  cursor: string,
  keyPrefix: string,
  isSid: (text: string) => boolean,
): Promise<SessionKeys> {
  const pattern = `${escapeGlob(keyPrefix)}*`;
  const [next, keys] = await client.scan(cursor, "MATCH", pattern, "COUNT", keysOfScan);
  const sids = keys.filter((key) => key.startsWith(keyPrefix)).map((key) => key.slice(keyPrefix.length));
  return { cursor: next, sids: sids.filter(isSid) };
}

/** The text as a pattern of SCAN that matches nothing else. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}
