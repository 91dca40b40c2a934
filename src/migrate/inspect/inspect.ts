import { fileSizeFactor } from "../../convert/convert-session.js";
import { keyPrefix } from "../../convert/session-key.js";
import { addInspection, type Inspection } from "../../model/inspection.js";
import type { RunOptions } from "../../model/run-options.js";
import type { ScanTally } from "../../model/session-file.js";
import type { Warn } from "../../model/warn.js";
import { forEachBatch } from "../for-each-batch.js";
import { batchesFor, ReaderPool } from "../readers/reader-pool.js";
import type { ReaderThread } from "../readers/reader-thread.js";
import { scanAll } from "../session-scan.js";
import { refuseUnreadable } from "../tell.js";

/** Session files in a batch: many, because what comes back is as large for few. */
const maxBatch = 512;

/** What is inspected, and what it adds up to so far. */
export interface Inspecting {
  readonly options: RunOptions;
  readonly directories: readonly string[];
  readonly warn: Warn;
  /** Aborted when no further file is to be read. */
  readonly stop: AbortSignal;
  readonly tally: ScanTally;
  readonly inspection: Inspection;
}

/**
 * Reads the session files of all directories and adds up what is in them. Throws `SourceError` if a
 * directory cannot be read; what was seen until then counts.
 */
export async function inspect(
  { options, directories, warn, stop, tally, inspection }: Inspecting,
  threads: readonly ReaderThread[],
): Promise<void> {
  const { conversion, target } = options;
  const startedMs = Date.now();
  // The applet's layout takes a byte more for each key.
  const layout = target.keyLayout === "auto" ? "documented" : target.keyLayout;
  const naming = { keyPrefix: keyPrefix(layout, target.prefix), clockLeadMs: 0 };
  const readers = new ReaderPool(
    {
      directories,
      maxFileSize: fileSizeFactor * conversion.maxSessionSize,
      conversion: { ...conversion, ...naming, tellsDatabase: true },
      runStartedMs: startedMs,
      passStartedMs: startedMs,
      hashes: false,
    },
    threads,
  );
  const scanning = { record: { directories }, options, out: { warn } };
  await forEachBatch({
    batches: scanAll(scanning, tally, { maxBatch, restores: false }),
    work: async (batch) => addInspection(inspection, await readers.inspect(batch)),
    batchesInFlight: batchesFor(threads),
    pace: async () => undefined,
    stop,
  });
  if (!stop.aborted) refuseUnreadable(tally);
}
