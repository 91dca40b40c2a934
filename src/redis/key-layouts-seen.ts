import type { Redis } from "ioredis";

/** Which layouts valid session keys stand under. */
export interface KeyLayoutsSeen {
  readonly documented: boolean;
  readonly applet: boolean;
  /** Whether the look ended before the keyspace did. */
  readonly cutShort: boolean;
}

export interface KeyPrefixes {
  readonly documented: string;
  readonly applet: string;
}

const longestLookMs = 10_000;
const keysAtATime = "1000";

/** Looks, by SCAN, for keys of valid sids under either prefix, until both were seen, the keyspace ends or ten seconds are over. */
export async function lookForKeyLayouts(
  client: Redis,
  prefix: string,
  prefixes: KeyPrefixes,
  isSid: (text: string) => boolean,
): Promise<KeyLayoutsSeen> {
  const pattern = `session:*${escapeGlob(prefix)}:*`;
  const endMs = Date.now() + longestLookMs;
  let documented = false;
  let applet = false;
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", pattern, "COUNT", keysAtATime);
    for (const key of keys) {
      documented ||= key.startsWith(prefixes.documented) && isSid(key.slice(prefixes.documented.length));
      applet ||= key.startsWith(prefixes.applet) && isSid(key.slice(prefixes.applet.length));
    }
    cursor = next;
  } while (cursor !== "0" && !(documented && applet) && Date.now() < endMs);
  return { documented, applet, cutShort: cursor !== "0" && !(documented && applet) };
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}
