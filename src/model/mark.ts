import type { ServerWorks } from "./server-evidence.js";
import type { Shard } from "./shard.js";

/** Seconds that a session lives after its last save: logged in, or anonymous. */
export interface Expirations {
  readonly expiration: number;
  readonly expirationAnonymous: number;
}

/** What complete runs over a shard of a session directory leave behind. Times are ms since the epoch. */
export interface DirectoryMark {
  /** When the main pass of the last complete run started. */
  readonly startedMs: number;
  /** When the last complete run without `--on-conflict keep` started; absent if there was none. */
  readonly startedWithoutKeepMs?: number;
  /** When the last complete run that renewed lifetimes started. */
  readonly renewedMs: number;
  /** The shortest and longest expirations since `renewedMs`; absent in marks of old versions. */
  readonly shortest?: Expirations;
  readonly longest?: Expirations;
  readonly ttl?: "full" | "remaining";
}

/** A mark, and whose sessions it counts for. */
export interface ShardMark {
  readonly shard: Shard;
  readonly mark: DirectoryMark;
}

/** What a run knows about a session directory. */
export interface DirectoryFacts {
  readonly directory: string;
  /** The latest that counts for sessions of the run; absent if no complete run is known. */
  readonly mark?: DirectoryMark;
  /**
   * The marks of shards, the latest first: of those whose shard holds a session, the first counts
   * for it. Absent if `mark` counts for every session.
   */
  readonly shardMarks?: readonly (ShardMark & Pick<DirectoryFacts, "changeTimesCount">)[];
  /** Where its server works, as far as the run knows yet. */
  readonly serverWorks: ServerWorks;
  /** Whether a missing key may mean that its session ended: Redis says that it evicts nothing. */
  readonly endedCounts: boolean;
  /** Whether change times show modifications: nothing has touched every file. */
  readonly changeTimesCount: boolean;
  /** The latest modification of any session file seen so far, milliseconds since the epoch. */
  readonly latestMtimeMs: number;
  /**
   * When a session file of any shard was saved last, by both its times, milliseconds since the
   * epoch; absent or 0 if no file was looked at.
   */
  readonly latestSaveMs?: number;
  /** Whether every session file has been seen. */
  readonly whole: boolean;
}

/** What a batch of session files shows about their directory. */
export interface DirectorySeen {
  readonly directory: string;
  readonly latestMtimeMs: number;
  /** Sessions that the directory's mark applies to. */
  readonly covered: number;
  /** How many of these ended in Redis. */
  readonly ended: number;
}

/** What the sample of session keys shows: that a server saved some, that none did, or neither. */
export type KeyEvidence = "server-saved" | "none" | "unknown";

/** What a run finds out before it begins, and goes on learning. */
export interface Survey {
  readonly keys: KeyEvidence;
  readonly directories: readonly DirectoryFacts[];
  /** Whether expiry times can carry a copy's sign in this Redis; some stores keep whole seconds. */
  readonly signsCount: boolean;
  /** Where the server works, judged over all directories. */
  readonly serverWorks: ServerWorks;
  /** The longest expirations that copies used. */
  readonly longest: Expirations;
}
