import type { Ledger } from "../model/ledger.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { SessionFile } from "../model/session-file.js";
import { type BatchResult, BatchTally } from "./batch-result.js";
import { type BatchWork, forEachBatch } from "./for-each-batch.js";

/** What a pass over the session directories works with. */
export interface Pass extends Omit<BatchWork, "work" | "skip"> {
  /** Does everything for one batch. */
  readonly work: (batch: readonly SessionFile[]) => Promise<BatchResult>;
  readonly ledger: Ledger;
  /** Told of every outcome once it is recorded. */
  readonly onOutcome: (outcome: SessionOutcome) => void;
}

/**
 * One pass: works on every batch, and counts its outcomes in the ledger, even if the pass ends
 * early. Throws the first error, once everything in progress is done.
 */
export async function runPass({ work, ledger, onOutcome, ...rest }: Pass): Promise<void> {
  await forEachBatch({
    ...rest,
    skip: (batch) => ledger.recordUnvisited(batch.length),
    work: async (batch) => {
      const result = await work(batch).catch((error: unknown) =>
        new BatchTally(batch.length, false).result([], { error }),
      );
      ledger.add(result.page);
      ledger.recordUnvisited(result.unvisited);
      result.outcomes.forEach(onOutcome);
      if ("error" in result) throw result.error;
    },
  });
}
