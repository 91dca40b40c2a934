import type { Redis } from "ioredis";
import type { StoredText } from "../model/stored-value.js";
import { readKeys } from "./read-keys.js";
import { allowed } from "./server/server-info.js";
import { sessionKeys } from "./session-keys.js";

/** The layouts under which a server saves its sessions. */
export interface KeyLayoutsSeen {
  readonly documented: boolean;
  readonly applet: boolean;
  /** Whether time ran out before the keyspace was scanned. */
  readonly cutShort: boolean;
}

export interface KeyPrefixes {
  readonly documented: string;
  readonly applet: string;
}

/** How the search recognises a server's sessions. */
export interface KeyTests {
  readonly isServerSaved: (stored: StoredText) => boolean;
  readonly clockLeadMs: number;
}

const maxScanMs = 10_000;
const keysAtATime = 100;
const minKeys = 5;

/**
 * Searches with SCAN, for up to ten seconds, for keys that a server saved under either prefix. Our
 * own copies prove nothing. `undefined` if SCAN is denied.
 */
export async function findKeyLayouts(
  client: Redis,
  prefixes: KeyPrefixes,
  tests: KeyTests,
): Promise<KeyLayoutsSeen | undefined> {
  const endMs = Date.now() + maxScanMs;
  // The published applet's layout comes first, because missing it would log everyone out.
  const applet = await allowed(() => serverSaves(client, prefixes.applet, tests, endMs));
  const documented = applet && (await allowed(() => serverSaves(client, prefixes.documented, tests, endMs)));
  if (documented === undefined || applet === undefined) return undefined;
  return {
    documented: documented.found,
    applet: applet.found,
    cutShort: documented.cutShort || applet.cutShort,
  };
}

async function serverSaves(
  client: Redis,
  keyPrefix: string,
  { isServerSaved, clockLeadMs }: KeyTests,
  endMs: number,
): Promise<{ readonly found: boolean; readonly cutShort: boolean }> {
  let cursor = "0";
  let seen = 0;
  let wholeSeconds = 0;
  let found = false;
  do {
    const page = await sessionKeys(client, cursor, keyPrefix);
    cursor = page.cursor;
    for (let at = 0; at < page.sids.length && Date.now() < endMs; at += keysAtATime) {
      const keys = page.sids.slice(at, at + keysAtATime).map((sid) => keyPrefix + sid);
      for (const stored of await readKeys(client, keys, clockLeadMs)) {
        if (stored.kind !== "text") continue;
        seen++;
        if (stored.expiresAtMs !== null && (stored.expiresAtMs + clockLeadMs) % 1000 === 0) wholeSeconds++;
        found ||= isServerSaved(stored);
      }
    }
    // A store that keeps only whole seconds drops our sign from every key; five keys show it.
  } while (cursor !== "0" && !(found && seen >= minKeys) && Date.now() < endMs);
  const signsCount = seen < minKeys || wholeSeconds < seen;
  return { found: found && signsCount, cutShort: cursor !== "0" && !found };
}
