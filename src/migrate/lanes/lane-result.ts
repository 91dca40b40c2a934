import { Ledger, type LedgerPage } from "../../model/ledger.js";
import type { DirectorySeen } from "../../model/mark.js";
import type { SessionOutcome } from "../../model/outcome.js";
import type { SessionFile } from "../../model/session-file.js";

/** What a lane gives back for a batch: plain data, and counts in place of outcomes, so that it costs little to cross threads. */
export interface LaneResult {
  readonly page: LedgerPage;
  /** Session files of the batch that were not reached. */
  readonly unvisited: number;
  /** The outcomes one by one, where somebody wants to be told. */
  readonly outcomes: readonly SessionOutcome[];
  /** Session files whose outcome waits until the whole directory was seen. */
  readonly deferred: readonly SessionFile[];
  /** What the batch adds to what is known about each session directory. */
  readonly seen: readonly DirectorySeen[];
  /** What ends the run; absent where nothing does. */
  readonly error?: unknown;
}

/** What was done of a batch: its outcomes, and what ended it early. */
export interface BatchOutcomes {
  readonly outcomes: readonly SessionOutcome[];
  readonly deferred?: readonly SessionFile[];
  readonly error?: unknown;
}

/** Counts what was done of `taken` session files; `collectsOutcomes`: the result holds each of them too. */
export function laneResult(
  taken: number,
  done: BatchOutcomes,
  collectsOutcomes: boolean,
  seen: readonly DirectorySeen[] = [],
): LaneResult {
  const { outcomes, deferred = [] } = done;
  const ledger = new Ledger({}, Number.POSITIVE_INFINITY);
  for (const outcome of outcomes) ledger.record(outcome);
  return {
    page: ledger.page,
    unvisited: taken - outcomes.length - deferred.length,
    outcomes: collectsOutcomes ? outcomes : [],
    deferred,
    seen,
    ...("error" in done ? { error: done.error } : {}),
  };
}

/** What several lanes did of one batch; the first error counts. */
export function joinResults(results: readonly LaneResult[]): LaneResult {
  const [only] = results;
  if (results.length === 1 && only !== undefined) return only;
  const ledger = new Ledger({}, Number.POSITIVE_INFINITY);
  for (const { page } of results) ledger.add(page);
  const failed = results.find((result) => "error" in result);
  return {
    page: ledger.page,
    unvisited: results.reduce((sum, { unvisited }) => sum + unvisited, 0),
    outcomes: results.flatMap(({ outcomes }) => outcomes),
    deferred: results.flatMap(({ deferred }) => deferred),
    seen: results.flatMap(({ seen }) => seen),
    ...(failed === undefined ? {} : { error: failed.error }),
  };
}
