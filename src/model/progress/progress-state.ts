import type { OutcomeKind } from "../outcome.js";

/**
 * What a run does at a time. `settling`: a later pass over what changed meanwhile. `asking`: a
 * person is to answer a question.
 */
export type PhaseName =
  | "listing"
  | "asking"
  | "connecting"
  | "preparing"
  | "copying"
  | "reading"
  | "exporting"
  | "settling"
  | "comparing"
  | "proving"
  | "removing"
  | "finishing";

/** How far a run has come. */
export interface ProgressState {
  readonly phase: PhaseName;
  readonly pass: number | null;
  /** The session directories, as they are named in the file system. */
  readonly directories: readonly string[];
  /** `host:port/db`; null if the run asks no Redis, or has not chosen one yet. */
  readonly redis: string | null;
  readonly dryRun: boolean;
  /** Threads that read session files, the main one counted. */
  readonly threads: number;
  /** Session files that the phase has met; null if it counts none. */
  readonly done: number | null;
  /** Session files that the phase will meet; null if that is not known. */
  readonly total: number | null;
  /** Session files a second, over the last ten seconds. */
  readonly perSecond: number;
  /** Since the run began. */
  readonly seconds: number;
  /** Until the end of the phase, and of the whole purge; null if that is not known. */
  readonly secondsLeft: number | null;
  /** Of the pass. */
  readonly outcomes: Readonly<Partial<Record<OutcomeKind, number>>>;
  /** Of the pass, in bytes. */
  readonly bytesWritten: number;
  readonly purge: PurgeState | null;
  readonly memory: MemoryState | null;
  readonly wait: WaitState | null;
}

/** How far a purge has come. */
export interface PurgeState {
  readonly block: number;
  readonly blocks: number;
  /** Session files of this block. */
  readonly proved: number;
  readonly toProve: number;
  /** Session files of the whole purge. */
  readonly removed: number;
  readonly toRemove: number;
  /** Session files that were to be removed, and stay. */
  readonly left: number;
}

/** How full Redis is. */
export interface MemoryState {
  /** Bytes. */
  readonly used: number;
  /** Bytes; null: no limit, or none that is known. */
  readonly limit: number | null;
  /** Keys evicted since the run began; null if Redis does not say. */
  readonly evicted: number | null;
}

/** What a run waits for, as of now. */
export interface WaitState extends Pick<Wait, "target" | "why"> {
  readonly seconds: number;
  /** Until the run gives up. */
  readonly secondsLeft: number;
}

/** Something that a run waits for. */
export interface Wait {
  readonly target: "redis" | "other-run" | "replicas";
  /** Why, in a few words. */
  readonly why: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When the run gives up, milliseconds since the epoch. */
  readonly untilMs: number;
}
