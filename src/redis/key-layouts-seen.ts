import type { Redis } from "ioredis";
import type { StoredText } from "../model/stored-value.js";
import { readKeys } from "./read-keys.js";
import { allowed } from "./server/server-info.js";
import { sessionKeys } from "./session-keys.js";
import { onEach, type RedisServers } from "./topology/redis-servers.js";

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

/** What a search saw of one layout. */
interface LayoutSearch {
  /** Whether a key that a server saved was among those that were read. */
  readonly found: boolean;
  /** Keys that were read, and of these, keys that expire on whole seconds. */
  readonly seen: number;
  readonly wholeSeconds: number;
  /** Whether time ran out before the keyspace was scanned. */
  readonly cutShort: boolean;
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
 * Searches every server with SCAN, for up to ten seconds, for keys that a server saved under either
 * prefix. Our own copies prove nothing. `undefined` if SCAN is denied.
 */
export async function findKeyLayouts(
  servers: Pick<RedisServers, "all">,
  prefixes: KeyPrefixes,
  tests: KeyTests,
): Promise<KeyLayoutsSeen | undefined> {
  const endMs = Date.now() + maxScanMs;
  const search = async (prefix: string) => {
    const searches = await onEach(servers, (client) => allowed(() => serverSaves(client, prefix, tests, endMs)));
    return summaryOf(searches);
  };
  // The published applet's layout comes first, because missing it would log everyone out.
  const applet = await search(prefixes.applet);
  const documented = applet && (await search(prefixes.documented));
  if (documented === undefined || applet === undefined) return undefined;
  return { documented: documented.found, applet: applet.found, cutShort: documented.cutShort || applet.cutShort };
}

/** What the searches of all servers say together; `undefined` if one was denied. */
function summaryOf(
  searches: readonly (LayoutSearch | undefined)[],
): Pick<LayoutSearch, "found" | "cutShort"> | undefined {
  const known = searches.filter((one) => one !== undefined);
  if (known.length < searches.length) return undefined;
  const found = known.some((one) => one.found);
  const seen = known.reduce((sum, one) => sum + one.seen, 0);
  const wholeSeconds = known.reduce((sum, one) => sum + one.wholeSeconds, 0);
  // A store that keeps only whole seconds drops our sign from every key; five keys show it.
  const signsCount = seen < minKeys || wholeSeconds < seen;
  return { found: found && signsCount, cutShort: !found && known.some((one) => one.cutShort) };
}

async function serverSaves(
  client: Redis,
  keyPrefix: string,
  { isServerSaved, clockLeadMs }: KeyTests,
  endMs: number,
): Promise<LayoutSearch> {
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
  } while (cursor !== "0" && !(found && seen >= minKeys) && Date.now() < endMs);
  return { found, seen, wholeSeconds, cutShort: cursor !== "0" && !found };
}
