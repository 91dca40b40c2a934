import type { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { SessionFile } from "../model/session-file.js";
import { type BatchResult, BatchTally } from "./batch-result.js";
import { DeferredFiles } from "./deferred-files.js";
import { SeenDirectories } from "./earlier-runs/learn.js";
import { type BatchWork, forEachBatch } from "./for-each-batch.js";

/** Works on session files batch by batch: `CopyWriter` and `Verifier`. */
export interface BatchWorker {
  /** Does everything for one batch. */
  workOn(batch: readonly SessionFile[]): Promise<BatchResult>;
  /** Takes what the run knows once every session file was seen. */
  learn(survey: Survey): void;
}

/** What a pass over the session directories works with. */
export interface Pass extends Omit<BatchWork, "work" | "skip"> {
  readonly worker: Pick<BatchWorker, "workOn">;
  readonly ledger: Ledger;
  /** Told of every outcome once it is recorded. */
  readonly onOutcome: (outcome: SessionOutcome) => void;
}

/** What a pass leaves behind. */
export interface PassEnd {
  readonly seen: SeenDirectories;
  readonly deferred: DeferredFiles;
}

/**
 * One pass: works on every batch, and counts its outcomes in the ledger, even if the pass ends
 * early. Throws the first error, once everything in progress is done; deferred files count as
 * unvisited then.
 */
export async function runPass({ worker, ledger, onOutcome, ...rest }: Pass): Promise<PassEnd> {
  const seen = new SeenDirectories();
  const deferred = new DeferredFiles();
  try {
    await forEachBatch({
      ...rest,
      skip: (batch) => ledger.recordUnvisited(batch.length),
      work: async (batch) => {
        const result = await worker
          .workOn(batch)
          .catch((error: unknown) => new BatchTally(batch.length, false).result([], { error }));
        for (const one of result.seen) seen.add(one);
        deferred.add(result.deferred);
        ledger.add(result.page);
        ledger.recordUnvisited(result.unvisited);
        result.outcomes.forEach(onOutcome);
        if ("error" in result) throw result.error;
      },
    });
  } catch (error) {
    ledger.recordUnvisited(deferred.count);
    throw error;
  }
  return { seen, deferred };
}
