import type { DifferenceKind, FailureReason, OutcomeKind, SessionFormat } from "./outcome.js";
import type { Layout } from "./session-file.js";

export type RunOutcome = "complete" | "partial" | "refused" | "interrupted" | "failed";

/**
 * Why a key layout was chosen: a setting `named` it, or server-saved keys were `found` under one
 * layout only, under `both`, or under `none`.
 */
export type KeyLayoutEvidence = "named" | "found" | "both" | "none";

/** Where the server saves its sessions; `unknown` if neither the files nor Redis show it. */
export type ServerWorks = "files" | "redis" | "unknown";

/**
 * Counts of one pass over the session directories. It has the outcomes of the command and no
 * others; `found` is their sum.
 */
export type PassCounts = Readonly<{ found: number } & Partial<Record<OutcomeKind, number>>>;

/** What `--json` prints and `--report` keeps. */
export interface Report {
  readonly tool: "tele-sessions";
  readonly version: string;
  readonly command: string;
  readonly dryRun: boolean;
  readonly outcome: RunOutcome;
  readonly exitCode: number;
  readonly source: {
    readonly directories: readonly string[];
    readonly layouts: Readonly<Record<Layout, number>>;
    readonly formats: Readonly<Record<SessionFormat, number>>;
    readonly ignored: number;
    readonly empty: number;
  };
  readonly target: {
    /** `host:port/db`; null if the run ended before it was known. */
    readonly redis: string | null;
    readonly keyLayout: "documented" | "applet" | null;
    readonly keyLayoutEvidence: KeyLayoutEvidence | null;
    readonly prefix: string | null;
    readonly serverWorks: ServerWorks;
  };
  /** Names of session files that the listing saw; null if they were not counted. */
  readonly listed: number | null;
  /**
   * `purged`: originals removed; `retracted`: keys deleted because their files are gone;
   * `unvisited`: files listed but not reached.
   */
  readonly sessions: PassCounts &
    Readonly<Record<"purged" | "retracted" | "authenticated" | "anonymous" | "lossy" | "unvisited", number>>;
  readonly passes: readonly PassCounts[];
  readonly stillChanging: number;
  readonly failures: readonly ReportedFailure[];
  readonly failuresOmitted: number;
  /** What `verify` found or a purge left: the first 100. A report file has every one. */
  readonly differences: readonly ReportedDifference[];
  readonly differencesOmitted: number;
  readonly warnings: readonly string[];
  readonly bytes: { readonly read: number; readonly written: number };
  readonly seconds: number;
  readonly sessionsPerSecond: number;
  readonly peakMemoryBytes: number;
}

interface ReportedFile {
  /** The first 6 characters of the sid, or the whole sid with `--show-ids`. */
  readonly session: string;
  /** The path of its file, with the sid cut in the same way. */
  readonly file: string;
}

export interface ReportedDifference extends ReportedFile {
  readonly kind: DifferenceKind;
  readonly detail: string;
}

export interface ReportedFailure extends ReportedFile {
  readonly reason: FailureReason;
  readonly detail: string;
  /** Present if the file names something that no server writes: somebody may have planted it. */
  readonly suspicious?: true;
}
