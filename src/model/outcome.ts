/** Why a session failed: the whole set; `docs/outcomes.md` explains each. */
export const failureReasons = [
  "corrupt",
  "not-a-session",
  "unsupported-type",
  "circular",
  "too-deep",
  "too-large",
  "unreadable",
  "changed-repeatedly",
  "wrong-redis-type",
  "redis-error",
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** What can become of a session file, by command; every one found gets exactly one. */
export const outcomesOf = {
  copy: ["copied", "identical", "kept", "expired", "ended", "superseded", "vanished", "failed"],
  purge: ["removed", "absent", "ended", "kept", "denied", "vanished", "failed"],
  verify: [
    "equal",
    "newer",
    "expired",
    "ended",
    "superseded",
    "missing",
    "different",
    "wrong-lifetime",
    "vanished",
    "failed",
  ],
} as const;
export type CopyOutcome = (typeof outcomesOf.copy)[number];
export type PurgeOutcome = (typeof outcomesOf.purge)[number];
export type VerifyOutcome = (typeof outcomesOf.verify)[number];
export type OutcomeKind = CopyOutcome | PurgeOutcome | VerifyOutcome;

/** Every outcome there is, each once. */
export const outcomeKinds: readonly OutcomeKind[] = [...new Set(Object.values(outcomesOf).flat())];

/** How a session's bytes are written in its file. */
export type SessionFormat = "pickle" | "json";

/** What is known of a session once it was decoded. */
export interface SessionFacts {
  /** Whether `uid` is truthy as Python sees it. */
  readonly authenticated: boolean;
  /** Whether JSON cannot hold it quite as Python had it. */
  readonly lossy: boolean;
  /** Present if the session holds only one of the keys that every server saves: its file is copied, but never removed. */
  readonly hasOneKey?: true;
}

/** What a person is told about one by one, besides failures: what `verify` finds, and what a purge leaves. */
export type DifferenceKind = "missing" | "different" | "wrong-lifetime" | "absent" | "kept" | "denied";

/** One session that differs from what Redis holds, or whose file a purge left, for the report. */
export interface Difference {
  readonly sid: string;
  /** The path of its file. */
  readonly path: string;
  readonly kind: DifferenceKind;
  /** Never quotes a value. */
  readonly detail: string;
}

/** One session that failed, for the report. */
export interface Failure {
  readonly sid: string;
  /** The path of its file; absent if it is not known any more. */
  readonly path?: string;
  readonly reason: FailureReason;
  /** Never quotes a value. */
  readonly detail: string;
}

/** What became of one session file. `empty` and `ignored` show only when it is opened; neither counts as a session. */
export interface SessionOutcome {
  readonly sid: string;
  readonly kind: OutcomeKind | "empty" | "ignored";
  /** Absent where the file was not decoded. */
  readonly format?: SessionFormat;
  readonly facts?: SessionFacts;
  readonly failure?: Failure;
  readonly warning?: string;
  /** Why a file stays that a purge was to remove, if its kind does not say it. Never quotes a value. */
  readonly detail?: string;
  /** Why a session differs or a file was left, if a person is to be told of it. */
  readonly difference?: Difference;
  /** Whether nothing tells if the file's value or Redis's is newer. */
  readonly inDoubt?: true;
  readonly bytesRead: number;
  /** Bytes of the value; 0 where nothing was written. */
  readonly bytesWritten: number;
}
