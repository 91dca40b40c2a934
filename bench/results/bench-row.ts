import type { CaseKindName } from "../bench-case.js";
import type { ContestantName } from "../runs/contestants.js";

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What one contestant took in one case. */
export interface BenchRow {
  /** `floor`: the ready-made protocol and the C reader, one after the other. */
  readonly contestant: ContestantName | "floor";
  readonly title: string;
  readonly sessions: number;
  /** Fewer than `sessions` where it was too slow for them: times are then scaled, less the start, and memory is not. */
  readonly measuredOn: number;
  /** Session entries in Redis after it: `measuredOn`, or 0 for who writes none. */
  readonly entries: number;
  readonly rounds: number;
  readonly seconds: Spread;
  readonly processorSeconds: number;
  /** The largest of all rounds. */
  readonly peakBytes: number;
}

/** One case, measured. */
export interface CaseResult {
  readonly kind: CaseKindName;
  readonly title: string;
  readonly sessions: number;
  /** How it was brought about, or why it is not possible on this machine: then there are no rows. */
  readonly how: string;
  readonly rows: readonly BenchRow[];
}
