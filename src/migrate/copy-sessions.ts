import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionOutcome } from "../model/outcome.js";
import type { SessionFile } from "../model/session-file.js";
import type { LaneResult } from "./lane.js";
import type { Ledger } from "./ledger.js";

/** What a pass over the session directories works with. */
export interface CopyPass {
  /** Batches of session files, streamed. Throws where a directory cannot be read. */
  readonly batches: Iterable<readonly SessionFile[]>;
  /** Does everything for one batch. */
  readonly lane: (batch: readonly SessionFile[]) => Promise<LaneResult>;
  /** Batches under way at a time. */
  readonly batchesInFlight: number;
  readonly ledger: Ledger;
  /** Told of every outcome once it is recorded. */
  readonly onOutcome: (outcome: SessionOutcome) => void;
  /** Aborted when no further batch is to be begun; what is in flight is finished. */
  readonly stop: AbortSignal;
}

/**
 * One pass: every batch goes through the lane, and its outcomes into the ledger, also where the pass ends early. Throws the first
 * error that ended it, once what was in flight has settled.
 */
export async function copySessions(pass: CopyPass): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  const errors: unknown[] = [];
  const work = async (batch: readonly SessionFile[]): Promise<void> => {
    const result: LaneResult = await pass.lane(batch).catch((error) => ({ outcomes: [], error }));
    if ("error" in result) errors.push(result.error);
    for (const outcome of result.outcomes) pass.ledger.record(outcome);
    pass.ledger.recordUnvisited(batch.length - result.outcomes.length);
    result.outcomes.forEach(pass.onOutcome);
  };
  try {
    for (const batch of pass.batches) {
      if (pass.stop.aborted || errors.length > 0) {
        pass.ledger.recordUnvisited(batch.length);
        break;
      }
      const task: Promise<void> = work(batch)
        .catch((error) => {
          errors.push(error);
        })
        .finally(() => inFlight.delete(task));
      inFlight.add(task);
      // Signals, timers and the display get their turn, also where nothing is waited for.
      await nextTurn();
      if (inFlight.size >= pass.batchesInFlight) await Promise.race(inFlight);
    }
  } catch (error) {
    errors.push(error);
  }
  await Promise.all(inFlight);
  if (errors.length > 0) throw errors[0];
}
