import type { CopyOutcome, DifferenceKind, FailureReason, OutcomeKind, SessionFormat } from "./outcome.js";
import type { Layout } from "./session-file.js";

export type RunOutcome = "complete" | "partial" | "refused" | "interrupted" | "failed";

/** Why a key layout was chosen: `named` by a setting, keys `found` under one layout only, under `both`, under `none`. */
export type KeyLayoutEvidence = "named" | "found" | "both" | "none";

/** Where the server saves its sessions: in session files, in Redis, or nothing tells. */
export type ServerWorks = "files" | "redis" | "unknown";

/** Counts of one pass over the session directories, by the outcomes of a command; `found` is their sum. */
export type PassCounts<Kind extends OutcomeKind = CopyOutcome> = Readonly<Record<"found" | Kind, number>>;

/** What `--json` prints and `--report` keeps. */
export interface Report<Kind extends OutcomeKind = CopyOutcome> {
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
    /** `host:port/db`; null where the run ended before it was known. */
    readonly redis: string | null;
    readonly keyLayout: "documented" | "applet" | null;
    readonly keyLayoutEvidence: KeyLayoutEvidence | null;
    readonly prefix: string | null;
    /** Where the server saves its sessions, as far as the run found out. */
    readonly serverWorks: ServerWorks;
  };
  /** Names of session files that the listing saw; null if they were not counted. */
  readonly listed: number | null;
  /** `purged`: originals removed by `copy --purge`; `retracted`: keys deleted because their files are gone. */
  readonly sessions: PassCounts<Kind> &
    Readonly<Record<"purged" | "retracted" | "authenticated" | "anonymous" | "lossy" | "unvisited", number>>;
  readonly passes: readonly PassCounts<Kind>[];
  readonly stillChanging: number;
  readonly failures: readonly ReportedFailure[];
  readonly failuresOmitted: number;
  /** What `verify` found and what a purge left, the first 100; a report file has every one. */
  readonly differences: readonly ReportedDifference[];
  readonly differencesOmitted: number;
  readonly warnings: readonly string[];
  readonly bytes: { readonly read: number; readonly written: number };
  readonly seconds: number;
  readonly sessionsPerSecond: number;
  readonly peakMemoryBytes: number;
}

export interface ReportedDifference {
  /** The first 6 characters of the sid, or all of it if the operator asked for that. */
  readonly session: string;
  /** The path of its file; a sid in it is cut likewise. */
  readonly file: string;
  readonly kind: DifferenceKind;
  readonly detail: string;
}

export interface ReportedFailure {
  /** The first 6 characters of the sid, or all of it if the operator asked for that. */
  readonly session: string;
  /** The path of its file; a sid in it is cut likewise. */
  readonly file: string;
  readonly reason: FailureReason;
  readonly detail: string;
}
