import type { Redis } from "ioredis";
import type { HeldText } from "../model/held.js";
import { readKeys } from "./read-keys.js";
import { allowed } from "./server/server-info.js";
import { sessionKeys } from "./session-keys.js";

/** Under which layouts a server saves its sessions. */
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

/** How keys are told apart. */
export interface KeyTests {
  readonly isSid: (text: string) => boolean;
  readonly isServerSaved: (held: HeldText) => boolean;
  readonly clockLeadMs: number;
}

const maxScanMs = 10_000;
const keysAtATime = 100;
const minKeys = 5;

/**
 * Looks, by SCAN, for keys that a server saved under either prefix, until both were seen, the keyspace ends or ten seconds are over. Copies of our own
 * prove nothing. `undefined` if SCAN is denied. Throws what `redisFault` sorts.
 */
export async function lookForKeyLayouts(
  client: Redis,
  prefixes: KeyPrefixes,
  tests: KeyTests,
): Promise<KeyLayoutsSeen | undefined> {
  const endMs = Date.now() + maxScanMs;
  // First what the published applet reads: overlooking that logs everybody out.
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
  { isSid, isServerSaved, clockLeadMs }: KeyTests,
  endMs: number,
): Promise<{ readonly found: boolean; readonly cutShort: boolean }> {
  let cursor = "0";
  let seen = 0;
  let wholeSeconds = 0;
  let found = false;
  do {
    const page = await sessionKeys(client, cursor, keyPrefix, isSid);
    cursor = page.cursor;
    for (let at = 0; at < page.sids.length && Date.now() < endMs; at += keysAtATime) {
      const keys = page.sids.slice(at, at + keysAtATime).map((sid) => keyPrefix + sid);
      for (const held of await readKeys(client, keys, clockLeadMs)) {
        if (held.kind !== "text") continue;
        seen++;
        if (held.expiresAtMs !== null && (held.expiresAtMs + clockLeadMs) % 1000 === 0) wholeSeconds++;
        found ||= isServerSaved(held);
      }
    }
    // A store that keeps whole seconds only drops every sign: five keys tell.
  } while (cursor !== "0" && !(found && seen >= minKeys) && Date.now() < endMs);
  const signsCount = seen < minKeys || wholeSeconds < seen;
  return { found: found && signsCount, cutShort: cursor !== "0" && !found };
}
