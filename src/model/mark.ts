import type { ServerWorks } from "./report.js";

/** Seconds that a session lives after its last save, by kind. */
export interface Expirations {
  readonly expiration: number;
  readonly expirationAnonymous: number;
}

/** What complete runs over a session directory left for later ones. Instants are milliseconds since the epoch. */
export interface DirectoryMark {
  /** The start of the last complete run's main pass. */
  readonly startedMs: number;
  /** The start of the last complete run without `--on-conflict keep`; absent if there was none. */
  readonly startedWithoutKeepMs?: number;
  /** The start of the last complete run that renewed lifetimes. */
  readonly renewedMs: number;
  /** The shortest and the longest expirations used since that one; absent in marks of versions that did not note them. */
  readonly shortest?: Expirations;
  readonly longest?: Expirations;
  readonly ttl?: "full" | "remaining";
}

/** What a run knows about a session directory. */
export interface DirectoryFacts {
  readonly directory: string;
  /** Absent if no complete run over it is known. */
  readonly mark?: DirectoryMark;
  /** Where its server works, as far as is known by now. */
  readonly serverWorks: ServerWorks;
  /** Whether a missing key may mean that its session ended: Redis evicts nothing, and says so. */
  readonly endedCounts: boolean;
  /** Whether change times tell of modifications: nothing touched every file. */
  readonly changeTimesCount: boolean;
  /** The latest modification of any session file seen by now, milliseconds since the epoch. */
  readonly latestMtimeMs: number;
  /** Whether every session file was seen. */
  readonly whole: boolean;
}

/** What a batch adds to what is known about a session directory. */
export interface DirectorySeen {
  readonly directory: string;
  readonly latestMtimeMs: number;
  /** Sessions that the directory's mark counts for. */
  readonly covered: number;
  /** Of these, sessions that ended in Redis. */
  readonly ended: number;
}

/** What the look at the session keys found: keys that a server saved, none, or nothing that can be relied on. */
export type KeyEvidence = "server-saved" | "none" | "unknown";

/** What a run finds out before it begins, and learns while it goes on. */
export interface Survey {
  readonly keys: KeyEvidence;
  readonly directories: readonly DirectoryFacts[];
  /** Whether expiry instants can carry a sign in this Redis; some stores keep whole seconds. */
  readonly signsCount: boolean;
  /** Where the server works, over all directories. */
  readonly serverWorks: ServerWorks;
  /** The longest expirations that copies used. */
  readonly longest: Expirations;
}
