import type { Entry } from "../model/entry.js";
import type { Held, HeldText } from "../model/held.js";

/** What became of an entry that was to be created. */
export type Creation =
  | { readonly kind: "created" | "expired" }
  /** With `sentBefore` this run may have written it itself: an earlier reply was lost. */
  | { readonly kind: "exists"; readonly sentBefore?: true }
  | { readonly kind: "failed"; readonly detail: string };

/** What became of an entry that was written over whatever the key held. */
export type Write =
  | { readonly kind: "copied" | "expired" }
  | { readonly kind: "failed"; readonly detail: string };

/** An entry that may replace what was read under its key. */
export interface Replacement {
  readonly entry: Entry;
  readonly held: HeldText;
}

/** What became of a replacement; `unaccepted`: Redis never takes this entry, however often it is sent. */
export type Replaced = boolean | "unaccepted";

/** A key, and what it held when it was read or written. */
export interface KeyAsSeen {
  readonly sid: string;
  /** SHA-1 of the value, as 40 hex digits. */
  readonly digest: string;
  /** Milliseconds since the epoch, on our clock. */
  readonly expiresAtMs: number;
}

/** Entries as finished SET commands with NX and PXAT, in one buffer. */
export interface EncodedEntries {
  readonly count: number;
  readonly commands: Buffer;
  readonly keys: () => readonly string[];
  /** Bytes of Redis memory that they take, about. */
  readonly memory: number;
  /** When the first of them expires, milliseconds since the epoch. */
  readonly soonestMs: number;
}

/** What Redis answered to each encoded entry, in their order. */
export type EncodedReply = "created" | "exists" | "refused";

/**
 * The session keys of one prefix. Every method sends one batch, sends it again over a new
 * connection if the first is lost, and is safe to repeat. Results come in the order of what was
 * given. Instants are on our clock; the store moves them to Redis's.
 *
 * All throw `RedisError` if Redis refuses the run or stays away for too long, and
 * `RedisForgotError` if another server's data answers.
 */
export interface SessionStore {
  keyOf(sid: string): string;
  /** Creates the keys that do not exist. `sentBefore`: they were sent, and the reply was lost. */
  create(entries: readonly Entry[], sentBefore?: boolean): Promise<Creation[]>;
  /**
   * Creates the keys that do not exist, from finished commands. `undefined` if the connection was
   * lost, or if one of them expired before it could be sent: `create` finds out what became of them.
   */
  createEncoded(entries: EncodedEntries): Promise<readonly EncodedReply[] | undefined>;
  read(keys: readonly string[]): Promise<Held[]>;
  /** Replaces values that are still exactly as they were read. `false`: changed, or the entry expired. */
  replace(replacements: readonly Replacement[]): Promise<Replaced[]>;
  /** Writes over whatever the keys hold. */
  overwrite(entries: readonly Entry[]): Promise<Write[]>;
  exist(keys: readonly string[]): Promise<boolean[]>;
  /**
   * Deletes the keys that still hold exactly what was seen. Returns which were deleted.
   * `reconnects`: how often the connection was lost by now; if it is lost again, none is deleted.
   */
  retract(keys: readonly KeyAsSeen[], reconnects?: number): Promise<boolean[]>;
}

/** Why an entry fails that Redis does not take, however often it is sent. */
export function unaccepted({ value }: Pick<Entry, "value">): string {
  return `Redis does not accept this entry of ${value.length} bytes: see proto-max-bulk-len and client-query-buffer-limit, or the limits of a proxy in between`;
}
