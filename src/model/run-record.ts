import { Ledger } from "./ledger.js";
import type { Difference, Failure, OutcomeKind } from "./outcome.js";
import type { KeyLayoutEvidence, ServerWorks } from "./report.js";
import { newScanTally, type ScanTally } from "./session-file.js";

/** What a run comes to know, step by step; what it has not reached is empty. */
export interface RunRecord {
  /** The outcomes that its sessions can have. */
  readonly kinds: readonly OutcomeKind[];
  readonly startedMs: number;
  ledger: Ledger;
  tally: ScanTally;
  /** One for each pass over what changed while the copy ran, in their order. */
  laterPasses: Ledger[];
  /** Sessions that were still being changed when the last of these passes was done. */
  stillChanging: number;
  /** Originals removed; in a dry run, those that would be. */
  purged: number;
  /** Whether differences were found, files were left that a purge was to remove, or keys evicted meanwhile. */
  partial: boolean;
  /** Everything that ended the run or kept it from being whole. */
  readonly errors: unknown[];
  readonly warnings: string[];
  /** Whole sentences that a summary ends with. */
  readonly notes: string[];
  /** What differs or was left: the first of them, and how many there are. */
  differences: Difference[];
  differenceCount: number;
  directories: readonly string[];
  /** `host:port/db`. */
  redis: string | null;
  keyLayout: "documented" | "applet" | null;
  keyLayoutEvidence: KeyLayoutEvidence | null;
  serverWorks: ServerWorks;
  /** Names of session files that the listing saw; null if they were not counted. */
  listed: number | null;
  /** Keys deleted, or in a dry run to be deleted, because their session files are gone. */
  retracted: number;
}

/** Who is told of each failure and difference. */
export interface FindingSinks {
  readonly onFailure: (failure: Failure) => void;
  readonly onDifference: (difference: Difference) => void;
}

/** A ledger that tells of everything it finds. */
export function ledgerFor({ onFailure, onDifference }: FindingSinks): Ledger {
  return new Ledger(onFailure, undefined, onDifference);
}

export function newRunRecord(
  kinds: readonly OutcomeKind[],
  { onFailure, onDifference }: FindingSinks,
): RunRecord {
  return {
    kinds,
    startedMs: performance.now(),
    ledger: ledgerFor({ onFailure, onDifference }),
    tally: newScanTally(),
    laterPasses: [],
    stillChanging: 0,
    purged: 0,
    partial: false,
    errors: [],
    warnings: [],
    notes: [],
    differences: [],
    differenceCount: 0,
    directories: [],
    redis: null,
    keyLayout: null,
    keyLayoutEvidence: null,
    serverWorks: "unknown",
    listed: null,
    retracted: 0,
  };
}

/** Takes back what the main pass counted, for it begins again. */
export function forgetPass(record: RunRecord, sinks: FindingSinks): void {
  record.ledger = ledgerFor(sinks);
  record.differences = [];
  record.differenceCount = 0;
  record.tally = newScanTally();
  record.laterPasses = [];
  record.stillChanging = 0;
}

/** Everything that a run counted, pass by pass. */
export function ledgersOf({
  ledger,
  laterPasses,
}: {
  readonly ledger: Ledger;
  readonly laterPasses: readonly Ledger[];
}): Ledger[] {
  return [ledger, ...laterPasses];
}

export function secondsOf(record: RunRecord): number {
  return (performance.now() - record.startedMs) / 1000;
}
