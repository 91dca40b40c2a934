import type { Entry } from "../../model/entry.js";
import type { StoredValue } from "../../model/stored-value.js";
import type {
  Creation,
  EncodedEntries,
  EncodedReply,
  KeyAsSeen,
  Replaced,
  Replacement,
  SessionStore,
  Write,
} from "../session-store.js";
import { allDone, type RedisServer, type RedisServers } from "./redis-servers.js";

/** Session keys on the masters of a Cluster: splits each batch, and puts the results in order. */
export class SplitSessionStore implements SessionStore {
  readonly #servers: RedisServers;
  readonly #keyPrefix: string;
  readonly #open: (server: RedisServer) => SessionStore;
  readonly #stores = new WeakMap<RedisServer, SessionStore>();

  /** `open`: the store of one master. */
  constructor(servers: RedisServers, keyPrefix: string, open: (server: RedisServer) => SessionStore) {
    this.#servers = servers;
    this.#keyPrefix = keyPrefix;
    this.#open = open;
  }

  keyOf(sid: string): string {
    return this.#keyPrefix + sid;
  }

  create(entries: readonly Entry[], sentBefore?: boolean): Promise<Creation[]> {
    return this.#split(entries, keyOf, ({ store, items }) => store.create(items, sentBefore));
  }

  async createEncoded(
    entries: EncodedEntries,
    keys: () => readonly string[],
  ): Promise<readonly EncodedReply[] | undefined> {
    const all = keys();
    const rows = Array.from({ length: entries.count }, (_, row) => row);
    const keyAt = (row: number) => all[row] ?? "";
    const replies = await this.#split(rows, keyAt, async ({ store, items }) => {
      const sent = await store.createEncoded(entriesOf(entries, items), () => items.map(keyAt));
      return sent ?? items.map(() => undefined);
    });
    const known = replies.filter((reply) => reply !== undefined);
    // If one master was lost, `create` finds out what became of all.
    return known.length === replies.length ? known : undefined;
  }

  read(keys: readonly string[]): Promise<StoredValue[]> {
    return this.#split(keys, itself, ({ store, items }) => store.read(items));
  }

  replace(replacements: readonly Replacement[]): Promise<Replaced[]> {
    return this.#split(
      replacements,
      ({ entry }) => entry.key,
      ({ store, items }) => store.replace(items),
    );
  }

  overwrite(entries: readonly Entry[]): Promise<Write[]> {
    return this.#split(entries, keyOf, ({ store, items }) => store.overwrite(items));
  }

  exist(keys: readonly string[]): Promise<boolean[]> {
    return this.#split(keys, itself, ({ store, items }) => store.exist(items));
  }

  async retract(keys: readonly KeyAsSeen[], reconnects?: number): Promise<boolean[]> {
    if (reconnects !== undefined && reconnects !== this.#servers.reconnects) return keys.map(() => false);
    return this.#split(
      keys,
      ({ sid }) => this.keyOf(sid),
      ({ store, items, server }) =>
        store.retract(items, reconnects === undefined ? undefined : server.connection.reconnects),
    );
  }

  async #split<Item, Result>(
    items: readonly Item[],
    keyIn: (item: Item) => string,
    send: (part: Part<Item>) => Promise<readonly Result[]>,
  ): Promise<Result[]> {
    const parts = new Map<RedisServer, Part<Item>>();
    for (const [place, item] of items.entries()) {
      const server = this.#servers.serverOf(keyIn(item));
      const part = parts.get(server) ?? { server, store: this.#storeOn(server), places: [], items: [] };
      parts.set(server, part);
      part.places.push(place);
      part.items.push(item);
    }
    const results: Result[] = [];
    await allDone(
      [...parts.values()].map(async (part) => {
        const sent = (await send(part)).values();
        for (const place of part.places) {
          const { value, done } = sent.next();
          if (done !== true) results[place] = value;
        }
      }),
    );
    return results;
  }

  #storeOn(server: RedisServer): SessionStore {
    const store = this.#stores.get(server) ?? this.#open(server);
    this.#stores.set(server, store);
    return store;
  }
}

/** The items of one master, in order, and their places in the batch. */
interface Part<Item> {
  readonly server: RedisServer;
  readonly store: SessionStore;
  readonly places: number[];
  readonly items: Item[];
}

function keyOf({ key }: Entry): string {
  return key;
}

function itself(key: string): string {
  return key;
}

/** Some of the entries, in a buffer of their own. */
function entriesOf(all: EncodedEntries, rows: readonly number[]): EncodedEntries {
  if (rows.length === all.count) return all;
  const rowAt = (index: number) => rows[index] ?? 0;
  return {
    count: rows.length,
    commands: Buffer.concat(rows.map(all.commandAt)),
    commandAt: (index) => all.commandAt(rowAt(index)),
    memory: rows.reduce((sum, row) => sum + all.memoryAt(row), 0),
    memoryAt: (index) => all.memoryAt(rowAt(index)),
    soonestMs: all.soonestMs,
  };
}
