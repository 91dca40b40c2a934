import { RedisForgotError, SourceError } from "../model/errors.js";
import type { Ledger } from "../model/ledger.js";
import { type RunRecord, secondsOf } from "../model/run-record.js";
import type { UnconnectedRun } from "./run-context.js";
import { countSessionFiles, type ScanOptions } from "./session-scan.js";

/** A stopped run has ten seconds to end. */
const maxCountMs = 2000;

/** Shows a pass while it runs, and notes how many session files were listed. */
export async function showPass<T>(
  run: UnconnectedRun,
  doing: string,
  scan: ScanOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { record, out, stop } = run;
  const total = out.reporter.wantsTotal ? await countSessionFiles(scan, stop) : undefined;
  return showProgress(run, { doing, total, ledger: record.ledger }, async () => {
    try {
      const result = await work();
      await noteListed(record, scan, !stop.aborted);
      return result;
    } catch (error) {
      if (!(error instanceof RedisForgotError)) await noteListed(record, scan, false);
      throw error;
    }
  });
}

/** What is shown of work. */
interface Shown {
  readonly doing: string;
  /** Absent if the session files were not counted beforehand. */
  readonly total: number | undefined;
  readonly ledger: Ledger;
}

/** Shows work while it runs. */
export async function showProgress<T>(
  { record, out: { reporter } }: UnconnectedRun,
  { doing, total, ledger }: Shown,
  work: () => Promise<T>,
): Promise<T> {
  const startedSeconds = secondsOf(record);
  reporter.begin({ doing, total }, () => {
    const { found, outcomes } = ledger.counts;
    return { done: found, failed: outcomes.failed, seconds: secondsOf(record) - startedSeconds };
  });
  try {
    return await work();
  } finally {
    reporter.end();
  }
}

/** Names of session files that the run's listing saw. */
export function namesSeen({ tally: { layouts } }: Pick<RunRecord, "tally">): number {
  return layouts.flat + layouts.scattered;
}

/**
 * Notes how many session files there are. If the listing was cut short, lists them again; those
 * that were not reached count as unvisited.
 */
async function noteListed(record: RunRecord, scan: ScanOptions, isComplete: boolean): Promise<void> {
  const seen = namesSeen(record);
  if (isComplete) {
    record.listed = seen;
    return;
  }
  const listed = await listedNow({ ...scan, sample: null }, AbortSignal.timeout(maxCountMs));
  if (listed === undefined) return;
  record.listed = Math.max(listed, seen);
  record.ledger.recordUnvisited(scan.sample === null ? record.listed - seen : 0);
}

/** `undefined` if the directories cannot be listed, or not in time. */
async function listedNow(scan: ScanOptions, late: AbortSignal): Promise<number | undefined> {
  try {
    const listed = await countSessionFiles(scan, late);
    return late.aborted ? undefined : listed;
  } catch (error) {
    // What ended the run says more.
    if (!(error instanceof SourceError)) throw error;
    return undefined;
  }
}
