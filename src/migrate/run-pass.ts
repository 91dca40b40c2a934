import type { SessionOutcome } from "../model/outcome.js";
import type { SessionFile } from "../model/session-file.js";
import { type BatchWork, forEachBatch } from "./for-each-batch.js";
import type { Ledger } from "./ledger.js";

/** What a lane gives back. */
export interface LaneResult {
  /** One for each session file of the batch; where the run must end, for those that were done before. */
  readonly outcomes: readonly SessionOutcome[];
  /** What ends the run; absent where nothing does. */
  readonly error?: unknown;
}

/** What a pass over the session directories works with. */
export interface Pass extends Omit<BatchWork, "work" | "skip"> {
  /** Does everything for one batch. */
  readonly lane: (batch: readonly SessionFile[]) => Promise<LaneResult>;
  readonly ledger: Ledger;
  /** Told of every outcome once it is recorded. */
  readonly onOutcome: (outcome: SessionOutcome) => void;
}

/**
 * One pass: every batch goes through the lane, and its outcomes into the ledger, also where the pass ends early. Throws the first
 * error that ended it, once what was in flight has settled.
 */
export async function runPass({ lane, ledger, onOutcome, ...rest }: Pass): Promise<void> {
  await forEachBatch({
    ...rest,
    skip: (batch) => ledger.recordUnvisited(batch.length),
    work: async (batch) => {
      const result: LaneResult = await lane(batch).catch((error) => ({ outcomes: [], error }));
      for (const outcome of result.outcomes) ledger.record(outcome);
      ledger.recordUnvisited(batch.length - result.outcomes.length);
      result.outcomes.forEach(onOutcome);
      if ("error" in result) throw result.error;
    },
  });
}
