import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";
import type { StoredValue } from "../model/stored-value.js";
import { gapsOf, noteGaps, type ServerGaps, sendAsTaken } from "./commands/server-gaps.js";
import { sessionScripts } from "./commands/session-scripts.js";
import { encodeCommand, protocolText } from "./encode-command.js";
import { existingKeys, readKeys } from "./read-keys.js";
import { redisFault, replyText } from "./redis-fault.js";
import type { ResilientConnection } from "./resilient-connection.js";
import { sendEncoded } from "./send-batch.js";
import type { MemoryGuard } from "./server/memory-guard.js";
import {
  type Creation,
  type EncodedEntries,
  type EncodedReply,
  type KeyAsSeen,
  type Replaced,
  type Replacement,
  type SessionStore,
  unaccepted,
  type Write,
} from "./session-store.js";

const noExpiry = -1;

/** How the store names and dates keys, and what keeps Redis from filling up. */
export interface StoreOptions {
  /** The start of every key, before the sid. */
  readonly keyPrefix: string;
  /** By how much Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  readonly guard: MemoryGuard;
  /** Roughly how many bytes of Redis memory an entry takes. */
  readonly entryMemory: (key: string, value: string) => number;
}

/** Session keys in Redis, over a connection that reconnects. */
export class RedisSessionStore implements SessionStore {
  readonly #connection: ResilientConnection;
  readonly #options: StoreOptions;

  constructor(connection: ResilientConnection, options: StoreOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  keyOf(sid: string): string {
    return this.#options.keyPrefix + sid;
  }

  create(entries: readonly Entry[], sentBefore = false): Promise<Creation[]> {
    return this.#connection.runEach(entries, {
      nameOf: ({ key }) => `create ${key}`,
      unaccepted: failedFor,
      work: (client, part, tries) =>
        this.#admitted(client, part, "new", async () => {
          const sent = await sendLive(client, part, (entry, gaps) => this.#create(entry, gaps));
          // A full Redis refuses SET with NX even if the key exists and nothing needs writing.
          const isFull = sent.some(isOutOfMemory);
          const exist = isFull ? await existingKeys(client, part.map(keyOf)) : [];
          const allExist = isFull && exist.every((one, index) => one || sent[index] === undefined);
          return part.map((entry, index) => {
            if (sent[index] === undefined) return { kind: "expired" };
            return allExist ? { kind: "exists" } : creationOf(entry, sent[index], sentBefore || tries > 1);
          });
        }),
    });
  }

  createEncoded(entries: EncodedEntries, keys: () => readonly string[]): Promise<readonly EncodedReply[] | undefined> {
    const { memory, soonestMs } = entries;
    // Then a lost connection starts the copy over, and only `create` finds the entry that loses it.
    if (this.#connection.dataId === undefined) return Promise.resolve(keys().map(() => "refused"));
    return this.#connection.run(async (client, tries) => {
      if (tries > 1) return undefined;
      // Such a server takes no SET with PXAT; `create` writes in its own way.
      if (gapsOf(client).pxat) return keys().map(() => "refused");
      const release = await this.#options.guard.admit(client, memory, async () => {
        const exist = await existingKeys(client, keys());
        return exist.reduce((sum, exists, index) => sum + (exists ? 0 : entries.memoryAt(index)), 0);
      });
      if (soonestMs <= Date.now()) {
        release();
        return undefined;
      }
      const replies = await sendEncoded(client, entries).finally(release);
      noteGaps(client, replies);
      return replies.map((reply) => {
        if (!(reply instanceof Error)) return reply === null ? "exists" : "created";
        // `create` sorts errors about one entry; errors about the connection are thrown here.
        if (isOutOfMemory(reply) || redisFault(reply).kind === "single") return "refused";
        throw reply;
      });
    });
  }

  read(keys: readonly string[]): Promise<StoredValue[]> {
    return this.#connection.runEach(keys, {
      work: (client, part) => readKeys(client, part, this.#options.clockLeadMs),
      nameOf: (key) => key,
      unaccepted: () => ({
        kind: "unreadable",
        detail:
          "Redis closes the connection whenever its value is read " +
          "(client-output-buffer-limit, or a limit of a proxy)",
      }),
    });
  }

  replace(replacements: readonly Replacement[]): Promise<Replaced[]> {
    return this.#connection.runEach<Replacement, Replaced>(replacements, {
      nameOf: ({ entry }) => `replace ${entry.key}`,
      unaccepted: () => "unaccepted",
      work: (client, part) => {
        const growing = part.filter((one) => !keepsValue(one)).map(({ entry }) => entry);
        return this.#admitted(client, growing, "stored", () => this.#replaceStored(client, part));
      },
    });
  }

  overwrite(entries: readonly Entry[]): Promise<Write[]> {
    return this.#connection.runEach<Entry, Write>(entries, {
      nameOf: ({ key }) => `write ${key}`,
      unaccepted: failedFor,
      work: (client, part) =>
        this.#admitted(client, part, "stored", async () => {
          const sent = await sendLive(client, part, (entry, gaps) => this.#overwrite(entry, gaps));
          return part.map((entry, index): Write => {
            const reply = sent[index];
            if (reply === undefined) return { kind: "expired" };
            return reply instanceof Error ? failureOf(entry, reply) : { kind: "copied" };
          });
        }),
    });
  }

  exist(keys: readonly string[]): Promise<boolean[]> {
    return this.#connection.run((client) => existingKeys(client, keys));
  }

  retract(keys: readonly KeyAsSeen[], reconnects?: number): Promise<boolean[]> {
    return this.#connection.run(async (client) => {
      if (reconnects !== undefined && reconnects !== this.#connection.reconnects) return keys.map(() => false);
      return runScripts(client, (gaps) => {
        const { compareAndDelete } = sessionScripts(gaps);
        return keys.map(({ sid, digest, expiresAtMs }) =>
          encodeScript(compareAndDelete, this.keyOf(sid), digest, this.#redisTime(expiresAtMs)),
        );
      });
    });
  }

  async #replaceStored(client: Redis, replacements: readonly Replacement[]): Promise<boolean[]> {
    const nowMs = Date.now();
    // Redis would reply OK to an expiry in the past, and delete the key.
    const live = replacements.filter(({ entry }) => entry.expiresAtMs > nowMs);
    const scripts = (gaps: ServerGaps) => {
      const { compareAndRenew, compareAndSet } = sessionScripts(gaps);
      return live.map((one) => {
        const { entry, stored } = one;
        const value = stored.value.toString("latin1");
        const seen = stored.expiresAtMs === null ? noExpiry : this.#redisTime(stored.expiresAtMs);
        const expiry = this.#redisTime(entry.expiresAtMs);
        return keepsValue(one)
          ? encodeScript(compareAndRenew, entry.key, value, seen, expiry)
          : encodeScript(compareAndSet, entry.key, value, seen, entry.value, expiry);
      });
    };
    const replaced = (await runScripts(client, scripts)).values();
    return replacements.map(({ entry }) => entry.expiresAtMs > nowMs && replaced.next().value === true);
  }

  /**
   * Sends entries once Redis has room for them. For `new` keys, those that exist need no room. If
   * there is no room, the error says how much is missing.
   */
  async #admitted<Result>(
    client: Redis,
    entries: readonly Entry[],
    kind: "new" | "stored",
    send: () => Promise<Result>,
  ): Promise<Result> {
    const { guard } = this.#options;
    const bytes = this.#memoryOf(entries);
    const release = await guard.admit(client, bytes, async () => {
      if (kind === "stored") return bytes;
      const exist = await existingKeys(client, entries.map(keyOf));
      return this.#memoryOf(entries.filter((_, index) => exist[index] !== true));
    });
    try {
      return await send();
    } catch (error) {
      throw guard.explain(error);
    } finally {
      release();
    }
  }

  #memoryOf(entries: readonly Entry[]): number {
    return entries.reduce((sum, { key, value }) => sum + this.#options.entryMemory(key, value), 0);
  }

  #create({ key, value, expiresAtMs }: Entry, gaps: ServerGaps): string {
    const expiry = String(this.#redisTime(expiresAtMs));
    if (gaps.pxat) return encodeScript(sessionScripts(gaps).create, key, value, expiry);
    return encodeCommand("SET", protocolText(key), value, "NX", "PXAT", expiry);
  }

  #overwrite({ key, value, expiresAtMs }: Entry, gaps: ServerGaps): string {
    const expiry = String(this.#redisTime(expiresAtMs));
    if (gaps.pxat) return encodeScript(sessionScripts(gaps).overwrite, key, value, expiry);
    return encodeCommand("SET", protocolText(key), value, "PXAT", expiry);
  }

  #redisTime(ourMs: number): number {
    return ourMs + this.#options.clockLeadMs;
  }
}

/** Decides as the real store would, from read commands only. Writes nothing. */
export class DryRunStore extends RedisSessionStore {
  override async create(entries: readonly Entry[]): Promise<Creation[]> {
    const exist = await this.exist(entries.map(keyOf));
    const nowMs = Date.now();
    return entries.map(({ expiresAtMs }, index): Creation => {
      if (expiresAtMs <= nowMs) return { kind: "expired" };
      return { kind: exist[index] === true ? "exists" : "created" };
    });
  }

  override async createEncoded(
    { soonestMs }: EncodedEntries,
    keys: () => readonly string[],
  ): Promise<readonly EncodedReply[] | undefined> {
    if (soonestMs <= Date.now()) return undefined;
    return (await this.exist(keys())).map((exists) => (exists ? "exists" : "created"));
  }

  override async replace(replacements: readonly Replacement[]): Promise<Replaced[]> {
    return replacements.map(() => true);
  }

  override async overwrite(entries: readonly Entry[]): Promise<Write[]> {
    return entries.map(() => ({ kind: "copied" }));
  }

  override async retract(keys: readonly KeyAsSeen[]): Promise<boolean[]> {
    return keys.map(() => false);
  }
}

function keyOf({ key }: Entry): string {
  return key;
}

/** Whether Redis already holds the value, so that only the expiry changes. */
function keepsValue({ entry, stored }: Replacement): boolean {
  return entry.value.length === stored.value.length && entry.value === stored.value.toString("latin1");
}

/**
 * Sends the entries that have not expired, because Redis replies OK to an expiry in the past but
 * keeps nothing. Returns their replies, and `undefined` for the others.
 */
async function sendLive(
  client: Redis,
  entries: readonly Entry[],
  encode: (entry: Entry, gaps: ServerGaps) => string,
): Promise<unknown[]> {
  const nowMs = Date.now();
  const live = entries.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const replies = (await sendAsTaken(client, (gaps) => live.map((entry) => encode(entry, gaps)))).values();
  return entries.map(({ expiresAtMs }) => (expiresAtMs > nowMs ? replies.next().value : undefined));
}

function isOutOfMemory(reply: unknown): boolean {
  return reply instanceof Error && replyText(reply).startsWith("OOM ");
}

function creationOf(entry: Entry, reply: unknown, sentBefore: boolean): Creation {
  if (reply instanceof Error) return failureOf(entry, reply);
  if (reply !== null) return { kind: "created" };
  return sentBefore ? { kind: "exists", sentBefore } : { kind: "exists" };
}

/** Encodes a script with its one key. Each character of an argument is one byte. */
function encodeScript(script: string, key: string, ...args: readonly (string | number)[]): string {
  return encodeCommand("EVAL", script, "1", protocolText(key), ...args.map(String));
}

/** Whether each script did its work. `false` for a key that became another type. */
async function runScripts(client: Redis, encode: (gaps: ServerGaps) => readonly string[]): Promise<boolean[]> {
  const replies = await sendAsTaken(client, encode);
  return replies.map((reply) => {
    if (reply instanceof Error && !reply.message.includes("WRONGTYPE")) throw reply;
    return reply === 1;
  });
}

/** What an error about this entry alone means. Throws any other error. */
function failureOf(entry: Entry, error: Error): { readonly kind: "failed"; readonly detail: string } {
  const fault = redisFault(error);
  if (fault.kind !== "single") throw error;
  return { kind: "failed", detail: `${fault.message}. ${unaccepted(entry)}` };
}

function failedFor(entry: Entry): { readonly kind: "failed"; readonly detail: string } {
  return { kind: "failed", detail: unaccepted(entry) };
}
