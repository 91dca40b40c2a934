import type { Survey } from "../model/mark.js";
import type { CommandSettings } from "../model/run-options.js";
import { pause } from "../redis/pause.js";
import { composeVerifyLane } from "./lanes/compose-verify-lane.js";
import { joinLanes } from "./lanes/join-lanes.js";
import type { LaneOrder } from "./lanes/lane-order.js";
import type { LaneThread } from "./lanes/lane-thread.js";
import type { OpenRun, Surroundings } from "./open-run.js";
import { batchSizeFor, makePace } from "./pace.js";
import type { Pass } from "./run-pass.js";
import { type ScanSettings, scanAll } from "./session-scan.js";

const sessionsOfBatch = 128;
const batchesInFlight = 3;

/** A verification that is ready to begin. */
export interface ComposedVerify {
  readonly pass: Pass;
  /** Has the lanes take what the run knows by now. */
  readonly learn: (survey: Survey) => Promise<void>;
  /** How its files are found. */
  readonly scan: ScanSettings;
  readonly close: () => Promise<void>;
}

/** Names the concrete parts of a verification and joins them. One lane is on this thread, and one on each of `threads`. */
export async function composeVerify(
  settings: CommandSettings,
  { record, warn, stop, onOutcome }: Surroundings,
  run: OpenRun,
  survey: Survey,
  threads: readonly LaneThread[],
): Promise<ComposedVerify> {
  const { maxRate, retryForMs } = settings.run;
  const { connection } = run;
  const lanes = threads.length + 1;
  const scan: ScanSettings = {
    directories: record.directories,
    batchSize: batchSizeFor(maxRate, lanes * sessionsOfBatch),
    sample: settings.source.sample,
    restores: false,
    warn,
  };
  const order: LaneOrder = {
    ...{ directories: record.directories, keyPrefix: run.keyPrefix, clockLeadMs: run.clockLeadMs },
    ...{ maxFileSize: run.maxFileSize, conversion: settings.conversion, conflicts: settings.conflicts },
    ...{ dryRun: true, collectsOutcomes: settings.output.verbose, startedMs: Date.now(), takesBack: false },
    ...{ memoryNeed: 0, lanes },
  };
  const surroundings = { warn, stop, historyId: () => connection.historyId };
  const target = { target: settings.target.redis, retryForMs };
  const own = composeVerifyLane(order, { connection, stop });
  const others = threads.map((thread) => thread.openVerify(order, target, surroundings));
  const lane = joinLanes([...others, own]);
  await lane.begin({ startedMs: order.startedMs, survey });
  return {
    scan,
    close: lane.close,
    learn: lane.learn,
    pass: {
      batches: scanAll(scan, record.tally),
      lane: lane.work,
      batchesInFlight,
      pace: makePace(maxRate, (time) => pause(time, stop)),
      ledger: record.ledger,
      onOutcome,
      stop,
    },
  };
}
