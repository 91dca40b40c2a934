import type { RedisTarget } from "./redis-target.js";

/** What a command needs to know, checked; a command passes over what means nothing to it. */
export interface RunOptions {
  readonly source: SourceSettings;
  readonly target: TargetSettings;
  readonly conversion: ConversionOptions;
  readonly conflicts: ConflictSettings;
  readonly removal: RemovalSettings;
  readonly run: RunSettings;
  readonly output: OutputSettings;
  /** Whole sentences for people, about settings that deserve a second look. */
  readonly warnings: readonly string[];
  /** Warnings that `--quiet` does not hide. */
  readonly lastingWarnings: readonly string[];
}

export interface SourceSettings {
  /** Paths or globs, as typed. */
  readonly names: readonly string[];
  /**
   * Where the directory comes from if nobody named it: a sentence without its full stop; null if
   * somebody did.
   */
  readonly comesFrom: string | null;
  /** Whether a directory that is missing, or a glob without a match, is an empty one. */
  readonly allowMissing: boolean;
  /** Null: every session. */
  readonly shard: Shard | null;
  /** Percent of the sessions; null: every session. */
  readonly sample: number | null;
}

export interface TargetSettings {
  readonly redis: RedisTarget;
  readonly prefix: string | null;
  readonly keyLayout: "documented" | "applet" | "auto";
}

export interface ConversionOptions {
  readonly ttl: "full" | "remaining";
  /** Seconds. */
  readonly expiration: number;
  /** Seconds. */
  readonly expirationAnonymous: number;
  /** Bytes. */
  readonly maxSessionSize: number;
}

export interface ConflictSettings {
  readonly policy: "newest" | "keep" | "overwrite";
  /** Whether sessions are written that an earlier run wrote and that have ended since. */
  readonly again: boolean;
  /**
   * Percent of an earlier copy's keys that may be missing, or be retracted, before the run doubts
   * it.
   */
  readonly maxEnded: number;
}

export interface RemovalSettings {
  /** Whether a copy is followed by a purge. */
  readonly purge: boolean;
  /** Whether files go that a server still uses. */
  readonly inUse: boolean;
  /** Whether files go without Redis being asked. */
  readonly unverified: boolean;
  /** Whether the confirmation was given beforehand. */
  readonly yes: boolean;
  readonly waitReplicas: number;
  /** Whether the operator promises that no other run copies these directories. */
  readonly alone: boolean;
}

export interface RunSettings {
  readonly dryRun: boolean;
  readonly skipCheck: boolean;
  readonly maxFailed: Allowance;
  readonly retryForMs: number;
  /** Sessions a second; null: no limit. */
  readonly maxRate: number | null;
  readonly maxDurationMs: number | null;
  /** Null: measured. */
  readonly lanes: number | null;
}

export interface OutputSettings {
  readonly json: boolean;
  /** The report's path; null: none. */
  readonly report: string | null;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly progress: boolean;
  readonly showIds: boolean;
  readonly color: "auto" | "always" | "never";
  /** Whether a job runner says that no person watches. */
  readonly continuousIntegration: boolean;
}

/** How many failures are allowed. */
export type Allowance = { readonly count: number } | { readonly percent: number };

/** Part `index` (from 0) of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}
