import { RedisForgotError } from "../model/errors.js";
import type { Ledger } from "../model/ledger.js";
import type { Plan } from "../model/progress.js";
import { type RunRecord, secondsOf } from "../model/run-record.js";
import type { UnconnectedRun } from "./run-context.js";

/** Shows a pass while it runs, and notes how many session files were listed. */
export async function showPass<T>(run: UnconnectedRun, doing: string, work: () => Promise<T>): Promise<T> {
  const { ledger } = run.record;
  return showProgress(run, { doing, total: run.listing.selected, ledger }, async () => {
    try {
      const result = await work();
      noteListed(run, !run.stop.aborted);
      return result;
    } catch (error) {
      if (!(error instanceof RedisForgotError)) noteListed(run, false);
      throw error;
    }
  });
}

/** What is shown of work. */
interface Shown extends Plan {
  readonly ledger: Ledger;
}

/** Shows work while it runs. */
export async function showProgress<T>(
  { record, out: { reporter } }: UnconnectedRun,
  { doing, total, ledger }: Shown,
  work: () => Promise<T>,
): Promise<T> {
  const startedSeconds = secondsOf(record);
  record.timeline.enter(doing, () => ledger.counts.found);
  record.timeline.mark("pass");
  reporter.begin({ doing, total }, () => {
    const { found, outcomes } = ledger.counts;
    return { done: found, failed: outcomes.failed, seconds: secondsOf(record) - startedSeconds };
  });
  try {
    return await work();
  } finally {
    reporter.end();
    record.timeline.enter("finishing");
  }
}

/** Names of session files that the run's listing saw. */
export function namesSeen({ tally: { layouts } }: Pick<RunRecord, "tally">): number {
  return layouts.flat + layouts.scattered;
}

/**
 * Notes how many session files there are. Those that a pass cut short did not reach count as
 * unvisited.
 */
function noteListed({ record, listing, options }: UnconnectedRun, isComplete: boolean): void {
  const seen = namesSeen(record);
  if (isComplete) record.listed = seen;
  else if (listing.isComplete) {
    record.listed = Math.max(listing.count, seen);
    if (options.source.sample === null) record.ledger.recordUnvisited(record.listed - seen);
  }
}
