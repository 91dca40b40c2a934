import type { Entry } from "../../src/model/entry.js";
import type { StoredValue } from "../../src/model/stored-value.js";
import type {
  Creation,
  EncodedEntries,
  EncodedReply,
  KeyAsSeen,
  Replaced,
  Replacement,
  SessionStore,
  Write,
} from "../../src/redis/session-store.js";
import { sha1 } from "../../src/redis/sha1.js";
import { makeMessageSplitter } from "./proxies/resp-messages.js";

/** What a key holds. */
export interface StoredKey {
  /** One character for each byte; null if the key holds no string. */
  readonly value: string | null;
  /** Milliseconds since the epoch, on the store's clock; null if the key never expires. */
  readonly expiresAtMs: number | null;
}

/** What a store holds, by key. */
export type Contents = Readonly<Record<string, StoredKey>>;

/** A store in memory, for tests of what uses a store. */
export class MemoryStore implements SessionStore {
  readonly keys = new Map<string, StoredKey>();
  readonly #keyPrefix: string;
  readonly #clockLeadMs: number;

  constructor(keyPrefix = "session:", clockLeadMs = 0) {
    this.#keyPrefix = keyPrefix;
    this.#clockLeadMs = clockLeadMs;
  }

  keyOf(sid: string): string {
    return this.#keyPrefix + sid;
  }

  async create(entries: readonly Entry[], sentBefore = false): Promise<Creation[]> {
    return entries.map((entry) => {
      if (entry.expiresAtMs <= Date.now()) return { kind: "expired" };
      if (this.#at(entry.key) !== undefined) return sentBefore ? { kind: "exists", sentBefore } : { kind: "exists" };
      this.#write(entry);
      return { kind: "created" };
    });
  }

  async createEncoded(
    entries: EncodedEntries,
    keys: () => readonly string[],
  ): Promise<readonly EncodedReply[] | undefined> {
    if (entries.soonestMs <= Date.now()) return undefined;
    const commands: string[][] = [];
    const split = makeMessageSplitter((message) => commands.push(message.toString("latin1").split("\r\n")));
    split(entries.commands);
    return keys().map((key, index) => {
      if (this.#at(key) !== undefined) return "exists";
      // A command ends in its value, NX, PXAT and the expiry, each after its length.
      const [value = "", , , , , , expiresAtMs] = commands[index]?.slice(-8) ?? [];
      this.keys.set(key, { value, expiresAtMs: Number(expiresAtMs) });
      return "created";
    });
  }

  async read(keys: readonly string[]): Promise<StoredValue[]> {
    return keys.map((key) => {
      const { value, expiresAtMs } = this.#at(key) ?? {};
      if (value === undefined || expiresAtMs === undefined) return { kind: "nothing" };
      if (value === null) return { kind: "other-type" };
      const ourMs = expiresAtMs === null ? null : expiresAtMs - this.#clockLeadMs;
      return { kind: "text", value: Buffer.from(value, "latin1"), expiresAtMs: ourMs };
    });
  }

  async replace(replacements: readonly Replacement[]): Promise<Replaced[]> {
    return replacements.map(({ entry, stored }) => {
      const now = this.#at(entry.key);
      const isSame = now?.value === stored.value.toString("latin1");
      const isDue = isSame && now.expiresAtMs === this.#time(stored.expiresAtMs);
      if (!isDue || entry.expiresAtMs <= Date.now()) return false;
      this.#write(entry);
      return true;
    });
  }

  async overwrite(entries: readonly Entry[]): Promise<Write[]> {
    return entries.map((entry) => {
      if (entry.expiresAtMs <= Date.now()) return { kind: "expired" };
      this.#write(entry);
      return { kind: "copied" };
    });
  }

  async exist(keys: readonly string[]): Promise<boolean[]> {
    return keys.map((key) => this.#at(key) !== undefined);
  }

  async retract(keys: readonly KeyAsSeen[]): Promise<boolean[]> {
    return keys.map(({ sid, digest, expiresAtMs }) => {
      const { value, expiresAtMs: storedMs } = this.#at(this.keyOf(sid)) ?? {};
      if (typeof value !== "string" || sha1(value) !== digest) return false;
      return storedMs === this.#time(expiresAtMs) && this.keys.delete(this.keyOf(sid));
    });
  }

  #at(key: string): StoredKey | undefined {
    const stored = this.keys.get(key);
    const isOver = typeof stored?.expiresAtMs === "number" && stored.expiresAtMs <= Date.now();
    return isOver ? undefined : stored;
  }

  #write({ key, value, expiresAtMs }: Entry): void {
    this.keys.set(key, { value, expiresAtMs: this.#time(expiresAtMs) });
  }

  #time(ourMs: number | null): number | null {
    return ourMs === null ? null : ourMs + this.#clockLeadMs;
  }
}
