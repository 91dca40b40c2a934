import { RedisForgotError } from "../model/errors.js";
import type { Ledger } from "../model/ledger.js";
import type { PhaseName } from "../model/progress/progress-state.js";
import type { RunRecord } from "../model/run-record.js";
import type { UnconnectedRun } from "./run-context.js";

/** Shows the main pass while it runs, and notes how many session files were listed. */
export async function showPass<T>(run: UnconnectedRun, name: PhaseName, work: () => Promise<T>): Promise<T> {
  const { ledger } = run.record;
  run.out.progress.enter({ name, pass: 1, total: run.listing.selected, ledger, done: () => namesIn(ledger) });
  return notingListed(run, work);
}

/** Does work on every session file of the run, and notes how many were listed. */
export async function notingListed<T>(run: UnconnectedRun, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    noteListed(run, !run.stop.aborted);
    return result;
  } catch (error) {
    if (!(error instanceof RedisForgotError)) noteListed(run, false);
    throw error;
  }
}

/** Names of session files with an outcome, or that turned out to be none. */
function namesIn({ counts: { found, empty, ignored } }: Ledger): number {
  return found + empty + ignored;
}

/** Names of session files that the run's listing saw. */
export function namesSeen({ tally: { layouts } }: Pick<RunRecord, "tally">): number {
  return layouts.flat + layouts.scattered;
}

/**
 * Notes how many session files there are, if they were listed to the end. Those that a pass cut
 * short did not reach count as unvisited.
 */
function noteListed({ record, listing, options }: UnconnectedRun, isComplete: boolean): void {
  const seen = namesSeen(record);
  if (isComplete) {
    record.listed = seen;
    return;
  }
  const known = Math.max(listing.count, seen);
  if (listing.isComplete) record.listed = known;
  if (options.source.sample === null) record.ledger.recordUnvisited(known - seen);
}
