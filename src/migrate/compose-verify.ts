import type { Survey } from "../model/mark.js";
import type { CommandSettings } from "../model/run-options.js";
import { pause } from "../redis/pause.js";
import type { OpenRun, Surroundings } from "./open-run.js";
import { batchSizeFor, makePace } from "./pace.js";
import { ReaderPool } from "./readers/reader-pool.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import type { Pass } from "./run-pass.js";
import { type ScanSettings, scanAll } from "./session-scan.js";
import { Verifier } from "./verifier.js";

const sessionsOfBatch = 128;

/** A verification that is ready to begin. */
export interface ComposedVerify {
  readonly pass: Pass;
  /** Takes what the run knows by now. */
  readonly learn: (survey: Survey) => void;
  /** How its files are found. */
  readonly scan: ScanSettings;
}

/** Names the concrete parts of a verification and joins them. */
export function composeVerify(
  settings: CommandSettings,
  { record, warn, stop, onOutcome }: Surroundings,
  run: OpenRun,
  survey: Survey,
  threads: readonly ReaderThread[],
): ComposedVerify {
  const { maxRate } = settings.run;
  const scan: ScanSettings = {
    directories: record.directories,
    batchSize: batchSizeFor(maxRate, sessionsOfBatch),
    sample: settings.source.sample,
    restores: false,
    warn,
  };
  const startedMs = Date.now();
  const readers = new ReaderPool(
    {
      directories: record.directories,
      maxFileSize: run.maxFileSize,
      conversion: run.conversion,
      runStartedMs: startedMs,
      passStartedMs: startedMs,
    },
    threads,
  );
  const wait = (milliseconds: number) => pause(milliseconds, stop);
  const verifier = new Verifier(
    {
      conversion: settings.conversion,
      conflicts: settings.conflicts,
      clockLeadMs: run.clockLeadMs,
      collectsOutcomes: settings.output.verbose,
    },
    survey,
    { store: run.store, readers, wait },
  );
  return {
    scan,
    learn: (known) => verifier.learn(known),
    pass: {
      batches: scanAll(scan, record.tally),
      lane: (batch) => verifier.verify(batch),
      batchesInFlight: 2 * threads.length + 2,
      pace: makePace(maxRate, wait),
      ledger: record.ledger,
      onOutcome,
      stop,
    },
  };
}
