import { compareHeld } from "../convert/compare-held.js";
import { explainMissing } from "../convert/missing-key.js";
import { laneResult } from "../migrate/lane-result.js";
import { batchSizeFor, makePace } from "../migrate/pace.js";
import type { Pass } from "../migrate/run-pass.js";
import { type VerifyParts, verifyBatch } from "../migrate/verify-lane.js";
import { pause } from "../redis/pause.js";
import { readSessionFile } from "../source/read-session-file.js";
import { isSuperseded } from "../source/session-places.js";
import type { CommandSettings } from "./command-settings.js";
import type { Marks } from "./marks.js";
import type { OpenRun, Surroundings } from "./open-run.js";
import { type ScanSettings, scanAll } from "./session-scan.js";

const sessionsOfBatch = 256;
const batchesInFlight = 3;
/** A live server's save is whole within this time. */
const changeMs = 250;
/** Where very much is amiss it is no passing change, and waiting again and again would take for ever. */
const mostWaits = 20;

/** Names the concrete parts of a verification and joins them. */
export function composeVerify(
  settings: CommandSettings,
  { record, warn, stop, onOutcome }: Surroundings,
  run: OpenRun,
  marks: Marks,
): { readonly pass: Pass; readonly scan: ScanSettings } {
  const { maxRate } = settings.run;
  const scan: ScanSettings = {
    directories: record.directories,
    batchSize: batchSizeFor(maxRate, sessionsOfBatch),
    sample: settings.source.sample,
    restores: false,
    warn,
  };
  let waits = 0;
  const parts: VerifyParts = {
    read: (file) => readSessionFile(file, run.maxFileSize),
    isSuperseded: (file, stamp) => isSuperseded(file, stamp, record.directories),
    convert: run.convert,
    look: run.look,
    compare: (candidate, held) => compareHeld(candidate, held, settings.conversion, Date.now()),
    explainMissing: (file, stamp, fullLifetimeMs) => {
      const nowMs = Date.now();
      const markMs = marks.of(file, stamp);
      if (markMs !== undefined) return explainMissing(markMs, fullLifetimeMs, nowMs);
      return stamp.mtimeMs + fullLifetimeMs <= nowMs ? "expired" : undefined;
    },
    waitForChanges: async () => {
      waits++;
      if (waits <= mostWaits) await pause(changeMs, stop);
    },
  };
  return {
    scan,
    pass: {
      batches: scanAll(scan, record.tally),
      lane: async (batch) =>
        laneResult(batch.length, { outcomes: await verifyBatch(batch, parts) }, settings.output.verbose),
      batchesInFlight,
      pace: makePace(maxRate, (time) => pause(time, stop)),
      ledger: record.ledger,
      onOutcome,
      stop,
    },
  };
}
