/** Every reason why a session can fail; `docs/outcomes.md` explains them. */
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
  "invalid-sid",
  "not-written",
] as const;
export type FailureReason = (typeof failureReasons)[number];

/**
 * What can become of a session file, or of a key that is exported or compared with its file, by
 * command. Each that is found gets exactly one outcome.
 */
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
  export: ["exported", "identical", "kept", "expired", "vanished", "failed"],
  "verify --reverse": ["equal", "newer", "expired", "missing", "different", "wrong-lifetime", "vanished", "failed"],
} as const;

/** A command that gives every session file an outcome. */
export type SessionCommand = keyof typeof outcomesOf;
export type OutcomeKind = (typeof outcomesOf)[SessionCommand][number];

/** Every outcome of any command, each once. */
export const outcomeKinds: readonly OutcomeKind[] = [...new Set(Object.values(outcomesOf).flat())];

/** How a session's bytes are written in its file. */
export type SessionFormat = "pickle" | "json";

/** What decoding a session tells about it. */
export interface SessionFacts {
  /** Whether `uid` is truthy as Python sees it. */
  readonly authenticated: boolean;
  /** Whether JSON cannot hold it exactly as Python did. */
  readonly lossy: boolean;
  /**
   * Present if the session holds only one of the keys that every server saves. Its file is copied,
   * but never removed.
   */
  readonly hasOneKey?: true;
  /** The database that it belongs to; absent if it names none, or if nobody asked. */
  readonly database?: string;
}

/** What reports list one by one besides failures: what `verify` finds, and what a purge leaves. */
export type DifferenceKind = "missing" | "different" | "wrong-lifetime" | "absent" | "kept" | "denied";

/** For the report: a session that differs from what Redis holds, or whose file a purge left. */
export interface Difference {
  readonly sid: string;
  /** The path of its file. */
  readonly path: string;
  readonly kind: DifferenceKind;
  /** Never quotes a value of the session. */
  readonly detail: string;
}

/** For the report: a session that failed. */
export interface Failure {
  readonly sid: string;
  /** The path of its file; absent if no longer known. */
  readonly path?: string;
  readonly reason: FailureReason;
  /** Never quotes a value of the session. */
  readonly detail: string;
  /** Present if the file names something that no server writes: somebody may have planted it. */
  readonly suspicious?: true;
}

/**
 * What became of one session file. `empty` and `ignored` show only when it is opened, and neither
 * counts as a session.
 */
export interface SessionOutcome {
  readonly sid: string;
  readonly kind: OutcomeKind | "empty" | "ignored";
  /** Absent if the file was not decoded. */
  readonly format?: SessionFormat;
  readonly facts?: SessionFacts;
  readonly failure?: Failure;
  readonly warning?: string;
  /** Why a purge left the file, if the kind does not say. Never quotes a value of the session. */
  readonly detail?: string;
  /** Why the session differs or its file was left, if the report lists it. */
  readonly difference?: Difference;
  /** Present if it is unclear whether the file's value or Redis's is newer. */
  readonly inDoubt?: true;
  /** When the file was last modified, milliseconds since the epoch; absent if it was not decoded. */
  readonly mtimeMs?: number;
  /**
   * When the key expires, milliseconds since the epoch. It counts if the session was copied, or
   * identical and its lifetime renewed.
   */
  readonly expiresAtMs?: number;
  readonly bytesRead: number;
  /** Bytes of the value; 0 if nothing was written. */
  readonly bytesWritten: number;
}
