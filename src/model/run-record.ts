import { type FindingListeners, Ledger } from "./ledger.js";
import type { Difference, OutcomeKind } from "./outcome.js";
import { Timeline } from "./progress/timeline.js";
import type { RedisFacts } from "./redis-facts.js";
import type { Allowance } from "./run-options.js";
import type { KeyLayoutEvidence, ServerWorks } from "./server-evidence.js";
import { newScanTally, type ScanTally } from "./session-file.js";

/** Differences that a record keeps; a report file has every one. */
const maxDifferences = 100;

/** What a run learns step by step. Whatever it has not reached yet is empty. */
export interface RunRecord extends PassRecord {
  /** The outcomes that its sessions can have. */
  readonly kinds: readonly OutcomeKind[];
  readonly startedAt: Date;
  /** What happened when. */
  readonly timeline: Timeline;
  /** Originals removed; in a dry run, those that would be. */
  purged: number;
  /** Whether it found differences, left files that a purge should remove, or saw evictions. */
  partial: boolean;
  /** Everything that ended the run or kept it from being complete. */
  readonly errors: unknown[];
  readonly warnings: string[];
  /** Whole sentences for the end of the summary. */
  readonly notes: string[];
  directories: readonly string[];
  /** `host:port/db`. */
  redis: string | null;
  /** Null until Redis was asked. */
  redisFacts: RedisFacts | null;
  /** About how many bytes of Redis memory a copy needs; null if nobody estimated it. */
  memoryNeeded: number | null;
  keyLayout: "documented" | "applet" | null;
  keyLayoutEvidence: KeyLayoutEvidence | null;
  serverWorks: ServerWorks;
  /** Names of session files that the listing saw; null if they were not counted. */
  listed: number | null;
  /** Keys deleted, or in a dry run to be deleted, because their session files are gone. */
  retracted: number;
}

/** What a run counts, and drops if it has to start over. */
interface PassRecord {
  ledger: Ledger;
  tally: ScanTally;
  /** One ledger for each pass over what changed during the copy, in order. */
  laterPasses: Ledger[];
  /** Sessions that were still changing at the end of the last of these passes. */
  stillChanging: number;
  /** What differs or was left: the first ones, and how many there are. */
  differences: Difference[];
  differenceCount: number;
}

export function newRunRecord(kinds: readonly OutcomeKind[], listeners: FindingListeners = {}): RunRecord {
  return {
    ...newPassRecord(listeners),
    kinds,
    startedAt: new Date(),
    timeline: new Timeline(),
    purged: 0,
    partial: false,
    errors: [],
    warnings: [],
    notes: [],
    directories: [],
    redis: null,
    redisFacts: null,
    memoryNeeded: null,
    keyLayout: null,
    keyLayoutEvidence: null,
    serverWorks: "unknown",
    listed: null,
    retracted: 0,
  };
}

/** Drops what the passes counted, because the run starts over. */
export function forgetPass(record: RunRecord, listeners: FindingListeners): void {
  Object.assign(record, newPassRecord(listeners));
}

function newPassRecord(listeners: FindingListeners): PassRecord {
  return {
    ledger: new Ledger(listeners),
    tally: newScanTally(),
    laterPasses: [],
    stillChanging: 0,
    differences: [],
    differenceCount: 0,
  };
}

export function recordDifference(record: RunRecord, difference: Difference): void {
  record.differenceCount++;
  if (record.differences.length < maxDifferences) record.differences.push(difference);
}

/** The ledgers of the main pass and of the later passes, in order. */
export function ledgersOf({ ledger, laterPasses }: RunRecord): Ledger[] {
  return [ledger, ...laterPasses];
}

/**
 * Whether more sessions failed in any one pass than is allowed. A percentage is of the sessions
 * that the main pass found.
 */
export function tooManyFailed(record: RunRecord, allowance: Allowance): boolean {
  const { found } = record.ledger.counts;
  return ledgersOf(record).some(({ counts: { outcomes } }) =>
    "count" in allowance ? outcomes.failed > allowance.count : 100 * outcomes.failed > allowance.percent * found,
  );
}
