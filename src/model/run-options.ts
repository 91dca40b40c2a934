import type { Explanation } from "./errors.js";
import type { Expirations } from "./mark.js";
import type { SessionFormat } from "./outcome.js";
import type { RedisTarget } from "./redis-target.js";
import type { Layout, ServerName } from "./session-file.js";
import type { Shard } from "./shard.js";

/** What a run is asked to do, checked. A command ignores what means nothing to it. */
export interface RunOptions {
  readonly source: {
    /** Paths or globs, as typed. */
    readonly names: readonly string[];
    /** Why this directory, as a sentence without its full stop; null if somebody named it. */
    readonly comesFrom: string | null;
    /** Whether a missing directory, or a glob that matches nothing, counts as empty. */
    readonly allowMissing: boolean;
    /** The sids to take; null: every session. */
    readonly shard: Shard | null;
    /** Percent of the sessions; null: every session. */
    readonly sample: number | null;
  };
  readonly target: {
    readonly redis: RedisTarget;
    readonly prefix: string | null;
    readonly keyLayout: "documented" | "applet" | "auto";
  };
  readonly conversion: Expirations & {
    readonly ttl: "full" | "remaining";
    /** Bytes. */
    readonly maxSessionSize: number;
  };
  readonly conflicts: {
    readonly policy: "newest" | "keep" | "overwrite";
    /** Whether to write sessions that an earlier run wrote and that have ended since. */
    readonly again: boolean;
    /** Percent of an earlier copy's keys that may be missing, or that the run may delete. */
    readonly maxEnded: number;
  };
  /** How session files are written; null: as the directory holds them, or as the server does. */
  readonly files: {
    readonly layout: Layout | null;
    readonly format: SessionFormat | null;
    readonly server: ServerName | null;
    /** Whether `verify` compares every key with its file, and not every file with its key. */
    readonly reverse: boolean;
  };
  readonly removal: {
    /** Whether a purge follows the copy. */
    readonly purge: boolean;
    /** Whether to remove files although a server uses the directory. */
    readonly inUse: boolean;
    /** Whether to remove files without asking Redis. */
    readonly unverified: boolean;
    /** Whether the operator has confirmed the removal already. */
    readonly yes: boolean;
    readonly waitReplicas: number;
    /** Whether the operator promises that no other run copies these directories. */
    readonly alone: boolean;
  };
  readonly run: {
    readonly dryRun: boolean;
    /** Whether to skip the checks that can only warn. */
    readonly skipCheck: boolean;
    /** Whether `check` may write one short-lived key. */
    readonly probe: boolean;
    readonly maxFailed: Allowance;
    readonly retryForMs: number;
    /** Sessions per second; null: no limit. */
    readonly maxRate: number | null;
    /** Null: no limit. */
    readonly maxDurationMs: number | null;
    /** Null: as many as processors and files make useful. */
    readonly lanes: number | null;
  };
  readonly output: {
    readonly json: boolean;
    /** The report's path, "-" for stdout; null: none. */
    readonly report: string | null;
    /** The path of the report as an HTML page; null: none. */
    readonly html: string | null;
    /** The path of the metrics for Prometheus; null: none. */
    readonly metricsFile: string | null;
    /** The path of the closing words for Kubernetes; null: none. */
    readonly terminationLog: string | null;
    readonly logFormat: "text" | "json";
    readonly quiet: boolean;
    /** Whether to print what the run decided, and why. */
    readonly verbose: boolean;
    /** Whether to print a line for each session. */
    readonly list: boolean;
    readonly progress: boolean;
    readonly showIds: boolean;
    readonly color: "auto" | "always" | "never";
    /** Whether a job runner says that nobody is watching. */
    readonly continuousIntegration: boolean;
  };
  /** Settings that the applet of an old server does not read. */
  readonly missedByOldApplets: readonly MissedSetting[];
  /** Every setting that has a value and means something to the command, in the table's order. */
  readonly shown: readonly ShownSetting[];
  /** Whole sentences about settings that deserve a second look. */
  readonly warnings: readonly string[];
  /** Warnings that `--quiet` does not hide. */
  readonly warningsEvenIfQuiet: readonly string[];
}

/** A setting that the server may not read. */
export interface MissedSetting extends Explanation {
  /** The flag or variable that gave it. */
  readonly name: string;
}

/** A setting as people may see it. */
export interface ShownSetting {
  /** The flag, or the variable if no flag sets it. */
  readonly name: string;
  /** As somebody gave it, or its default. A secret, and in a URL its login and options, is `***`. */
  readonly value: string;
  /** As a shell must have it, byte for byte; absent if the value is masked or a default. */
  readonly typed?: string;
  /** The flag, the variable or the file that gave it; "default" if nobody did. */
  readonly origin: string;
}

/** How many sessions may fail. */
export type Allowance = { readonly count: number } | { readonly percent: number };
