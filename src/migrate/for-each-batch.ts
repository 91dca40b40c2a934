import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionFile } from "../model/session-file.js";

/** How batches, of session files or of the sids of keys, are worked through. */
export interface BatchWork<Item = SessionFile, Batches = Iterable<readonly Item[]>> {
  /** Streamed. Throws `SourceError` if a directory cannot be read, `RedisError` if keys cannot. */
  readonly batches: Batches;
  /** Does everything for one batch. An error ends the work. */
  readonly work: (batch: readonly Item[]) => Promise<void>;
  /** Told of a batch that was listed but not started. */
  readonly skip?: (batch: readonly Item[]) => void;
  /** Batches in progress at a time. */
  readonly batchesInFlight: number;
  /** Resolves when that many more sessions may be started. */
  readonly pace: (sessions: number) => Promise<void>;
  /** Aborted when no further batch is to be started. Batches in progress are finished. */
  readonly stop: AbortSignal;
}

/**
 * Works through batches, several at a time. Throws the first error, once everything in progress is
 * done.
 */
export async function forEachBatch<Item = SessionFile>({
  batches,
  work,
  skip,
  batchesInFlight,
  pace,
  stop,
}: BatchWork<Item, Iterable<readonly Item[]> | AsyncIterable<readonly Item[]>>): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  const errors: unknown[] = [];
  try {
    for await (const batch of batches) {
      await pace(batch.length);
      if (stop.aborted || errors.length > 0) {
        skip?.(batch);
        break;
      }
      const task: Promise<void> = work(batch)
        .catch((error) => {
          errors.push(error);
        })
        .finally(() => inFlight.delete(task));
      inFlight.add(task);
      // Signals, timers and the display get their turn, even if nothing is waited for.
      await nextTurn();
      if (inFlight.size >= batchesInFlight) await Promise.race(inFlight);
    }
  } catch (error) {
    errors.push(error);
  }
  await Promise.all(inFlight);
  if (errors.length > 0) throw errors[0];
}
