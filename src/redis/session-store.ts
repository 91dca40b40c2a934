import type { Entry } from "../model/entry.js";
import type { StoredText, StoredValue } from "../model/stored-value.js";

/** The result of creating an entry. */
export type Creation =
  | { readonly kind: "created" | "expired" }
  /** `sentBefore`: this run may have written it, because an earlier reply was lost. */
  | { readonly kind: "exists"; readonly sentBefore?: true }
  | { readonly kind: "failed"; readonly detail: string };

/** The result of writing an entry whatever the key holds. */
export type Write = { readonly kind: "copied" | "expired" } | { readonly kind: "failed"; readonly detail: string };

/** An entry to replace the value that was read under its key. */
export interface Replacement {
  readonly entry: Entry;
  readonly stored: StoredText;
}

/** Whether the value was replaced; `unaccepted`: Redis never accepts the entry. */
export type Replaced = boolean | "unaccepted";

/** A key, and its value and expiry when it was read or written. */
export interface KeyAsSeen {
  readonly sid: string;
  /** SHA-1 of the value, as 40 hex digits. */
  readonly digest: string;
  /** Milliseconds since the epoch, on our clock. */
  readonly expiresAtMs: number;
}

/** Entries as encoded SET commands with NX and PXAT, in one buffer. */
export interface EncodedEntries {
  readonly count: number;
  readonly commands: Buffer;
  /** Roughly how many bytes of Redis memory they take. */
  readonly memory: number;
  /** One of the commands. */
  readonly commandAt: (index: number) => Buffer;
  /** Bytes that one of them takes, about. */
  memoryAt(index: number): number;
  /** When the first of them expires, milliseconds since the epoch. */
  readonly soonestMs: number;
}

/** The result for each encoded entry, in order. */
export type EncodedReply = "created" | "exists" | "refused";

/**
 * The session keys of one prefix. Every method sends one batch, sends it again if the connection is
 * lost, and is safe to repeat. Results are in the order of the arguments. Times are on our clock;
 * the store converts them to Redis's.
 *
 * All methods throw `RedisError` if Redis refuses the run or stays away for too long, and
 * `RedisForgotError` if Redis no longer has the data with which the batch began.
 */
export interface SessionStore {
  keyOf(sid: string): string;
  /** Creates the keys that do not exist. `sentBefore`: they were sent, but the reply was lost. */
  create(entries: readonly Entry[], sentBefore?: boolean): Promise<Creation[]>;
  /**
   * Creates the keys that do not exist, from encoded commands. `undefined` if the connection was
   * lost or an entry expired before it could be sent: `create` then finds out what became of them.
   */
  createEncoded(entries: EncodedEntries, keys: () => readonly string[]): Promise<readonly EncodedReply[] | undefined>;
  /** Reads values and expiries. */
  read(keys: readonly string[]): Promise<StoredValue[]>;
  /** Replaces values that are still as they were read. `false`: changed, or the entry expired. */
  replace(replacements: readonly Replacement[]): Promise<Replaced[]>;
  /** Writes the entries, whatever the keys hold. */
  overwrite(entries: readonly Entry[]): Promise<Write[]>;
  exist(keys: readonly string[]): Promise<boolean[]>;
  /**
   * Deletes the keys that still hold exactly what was seen. Returns which were deleted.
   * `reconnects`: the connection's count so far; if it changes first, no key is deleted.
   */
  retract(keys: readonly KeyAsSeen[], reconnects?: number): Promise<boolean[]>;
}

/** Why an entry failed that Redis never accepts. */
export function unaccepted({ value }: Pick<Entry, "value">): string {
  return (
    `Redis does not accept this entry of ${value.length} bytes: see proto-max-bulk-len and ` +
    "client-query-buffer-limit, or the limits of a proxy in between"
  );
}
