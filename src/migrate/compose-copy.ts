import { setImmediate as nextTurn } from "node:timers/promises";
import { explainMissing } from "../convert/missing-key.js";
import { SourceError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { CommandSettings } from "../model/run-options.js";
import { tooManyFailed } from "../model/run-record.js";
import { newScanTally } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { existingKeys } from "../redis/existing-keys.js";
import { pause } from "../redis/pause.js";
import { countOthersCopying, presenceName } from "../redis/server/presence.js";
import { askKeyCounts } from "../redis/server/server-state.js";
import { inodeOf } from "../source/directory-places.js";
import { ReadAhead } from "../source/read-ahead.js";
import { SessionFolders } from "../source/session-folders.js";
import { checkMemory } from "./check-memory.js";
import type { Copy } from "./copy-sessions.js";
import type { Marks } from "./earlier-runs/marks.js";
import { retractKeys } from "./earlier-runs/retract.js";
import { surveyOrder, surveyRun } from "./earlier-runs/survey.js";
import { composeCopyLane, staysInRedis } from "./lanes/compose-copy-lane.js";
import type { CopyLane } from "./lanes/copy-lane.js";
import { joinCopyLanes } from "./lanes/join-lanes.js";
import type { LaneConnection, LaneOrder } from "./lanes/lane-order.js";
import type { LaneThread } from "./lanes/lane-thread.js";
import { estimateMemoryNeed } from "./memory-need.js";
import type { OpenRun, Surroundings } from "./open-run.js";
import { batchSizeFor, makePace } from "./pace.js";
import type { RedisWatch } from "./redis-watch.js";
import { type ScanSettings, scanAll } from "./session-scan.js";

const sessionsOfBatch = 128;
const batchesInFlight = 4;
const batchesBetweenTurns = 16;

/** What a copy is made of, joined. */
export interface ComposedCopy {
  readonly copy: Copy;
  /** Whether a file was read that was modified since the run began: a server still uses the directory. */
  readonly isInUse: () => boolean;
  /** How its files are found. */
  readonly scan: ScanSettings;
  /** Nothing is copied until it begins again: other runs see it so. */
  readonly rest: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Names the concrete parts of a copy and joins them. One lane is on this thread, and one on each of `threads`. Throws
 * `RedisError` where Redis has no room.
 */
export async function composeCopy(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Marks,
  watch: RedisWatch,
  threads: readonly LaneThread[],
): Promise<ComposedCopy> {
  const { record, warn, stop, onOutcome, onFailure } = surroundings;
  const { dryRun, maxRate } = settings.run;
  const lanes = threads.length + 1;
  const scan: ScanSettings = {
    directories: record.directories,
    batchSize: batchSizeFor(maxRate, lanes * sessionsOfBatch),
    sample: null,
    restores: !dryRun,
    warn,
  };
  const memoryNeed = await checkRoom(settings, run, marks, scan, { warn, stop });
  const othersAreSeen = await canSeeOthers(run);
  if (!dryRun && !othersAreSeen) {
    warn(
      `other runs cannot be seen (CLIENT SETNAME or CLIENT LIST is denied, or does not list our own connection): ${staysInRedis}`,
    );
  }
  const takesBack = !dryRun && othersAreSeen;
  const order: LaneOrder = {
    ...{ directories: record.directories, keyPrefix: run.keyPrefix, clockLeadMs: run.clockLeadMs },
    ...{ maxFileSize: run.maxFileSize, conversion: settings.conversion, conflicts: settings.conflicts },
    ...{
      dryRun,
      collectsOutcomes: settings.output.verbose,
      startedMs: Date.now(),
      takesBack,
      memoryNeed,
      lanes,
    },
  };
  const { connection } = run;
  const own = composeCopyLane(order, { connection, warn, stop });
  const others = threads.map((thread) =>
    thread.openCopy(order, laneConnection(settings, run), {
      warn,
      stop,
      historyId: () => connection.historyId,
    }),
  );
  const lane = joinCopyLanes([...others, own]);
  let largestLeadMs = 0;
  let inUse = false;
  let inodes: readonly string[] = [];
  let folders = new SessionFolders(record.directories);
  return {
    scan,
    isInUse: () => inUse,
    rest: lane.rest,
    close: lane.close,
    copy: {
      record,
      scan: (tally) => scanAll(scan, tally),
      lanes: {
        begin: (startedMs, survey) => lane.begin({ startedMs, survey }),
        learn: lane.learn,
        beginPass: (pass, startedMs) => lane.beginPass({ pass, startedMs, largestLeadMs }),
        changedOf: lane.changedOf,
        work: async (batch) => {
          const result = await lane.work(batch);
          largestLeadMs = Math.max(largestLeadMs, result.largestLeadMs);
          inUse ||= result.inUse;
          return result;
        },
        takeBackEnded: lane.takeBackEnded,
      },
      survey: async () => {
        await marks.read();
        return surveyRun(run, { ...surveyOrder(settings, marks, { warn, stop }), whole: false });
      },
      marks: {
        noteStart: marks.noteStart,
        leave: (startedMs, renewed) => {
          const keeps = settings.conflicts.policy === "keep";
          return marks.leave({ startedMs, keeps, renewed, lifetimes: settings.conversion });
        },
      },
      retract: async (survey) => {
        const { maxEnded } = settings.conflicts;
        const note = (sentence: string) => record.notes.push(sentence);
        const retraction = { run, marks, folders, othersAreSeen, maxEnded, dryRun, warn, note, stop };
        record.retracted = await retractKeys(retraction, survey);
      },
      warn,
      maxEnded: settings.conflicts.maxEnded,
      beginWatch: async () => {
        inodes = record.directories.map(inodeOf);
        folders = new SessionFolders(record.directories);
        await watch.begin();
      },
      endWatch: async () => {
        refuseReplaced(record.directories, inodes);
        if (await watch.end()) return true;
        return watch.isBlind() && (await hasLost(lane, warn));
      },
      dryRun,
      tooManyFailed: () => tooManyFailed(record, settings.run.maxFailed),
      pass: { batchesInFlight, pace: makePace(maxRate, (time) => pause(time, stop)), stop },
      onOutcome,
      onFailure,
    },
  };
}

/** Another directory at the path was not copied, whatever lies in it. Throws `SourceError`. */
function refuseReplaced(directories: readonly string[], inodes: readonly string[]): void {
  const replaced = directories.find((directory, index) => inodeOf(directory) !== inodes[index]);
  if (replaced !== undefined) {
    throw new SourceError(
      `the directory ${showablePath(replaced)} was replaced by another one while it was copied`,
    );
  }
}

function laneConnection(
  { target, run: { dryRun, retryForMs } }: CommandSettings,
  run: OpenRun,
): LaneConnection {
  return {
    target: target.redis,
    retryForMs,
    ...(dryRun
      ? {}
      : {
          names: {
            copying: presenceName("copying", run.presence),
            resting: presenceName("removing", run.presence),
          },
        }),
  };
}

/**
 * Whether other runs can be seen. If not, no key is deleted: a file may be gone because another run purged it, and that run waits only for copies
 * that it can see. A dry run has no name of its own.
 */
async function canSeeOthers({ connection, presence, isNamed }: OpenRun): Promise<boolean> {
  const others = await connection.run((client) => countOthersCopying(client, presence));
  return others !== undefined && (connection.announced || !isNamed);
}

/** Whether Redis no longer holds all that this run wrote: what is evicted unseen is missing. */
async function hasLost(lane: CopyLane, warn: Surroundings["warn"]): Promise<boolean> {
  const missing = await lane.countMissing();
  if (missing === 0) return false;
  warn(
    missing === undefined
      ? "this run could not look once more for the sessions that it wrote: nothing is removed"
      : `${countOf(missing, "session")} that this run wrote ${missing === 1 ? "is" : "are"} no longer in Redis, so it may evict keys: nothing is removed. Give it more memory, then run this again`,
    { evenIfQuiet: true },
  );
  return true;
}

/** Bytes of memory that the sessions need, about; 0 if Redis has no limit. Throws `RedisError` if they cannot fit. */
async function checkRoom(
  settings: CommandSettings,
  run: OpenRun,
  marks: Marks,
  scan: ScanSettings,
  { warn, stop }: Pick<Surroundings, "warn" | "stop">,
): Promise<number> {
  const { connection, convert, maxFileSize } = run;
  return checkMemory(connection, warn, async ({ evictionPolicy, evictedKeys }) => {
    await marks.read();
    const survey = await surveyRun(run, { ...surveyOrder(settings, marks, { warn, stop }), whole: false });
    // The witness, without which nothing counts as ended, is written only later.
    const endedCounts = evictionPolicy === "noeviction" && evictedKeys === 0 && !settings.conflicts.again;
    const facts = new Map(survey.directories.map((one) => [one.directory, { ...one, endedCounts }]));
    const files = new ReadAhead(maxFileSize);
    let batches = 0;
    return estimateMemoryNeed({
      batches: scanAll({ ...scan, restores: false, warn: () => undefined }, newScanTally()),
      ahead: (batch) => files.begin(batch),
      read: (file) => files.read(file),
      convert,
      exist: (keys) => connection.run((client) => existingKeys(client, keys)),
      isEnded: ({ directory }, session) => {
        const known = facts.get(directory);
        return (
          known !== undefined && explainMissing(session, known, settings.conversion, Date.now()) !== "write"
        );
      },
      held: await connection.run(askKeyCounts),
      turn: async () => {
        batches++;
        if (batches % batchesBetweenTurns === 0) await nextTurn();
        return !stop.aborted;
      },
    });
  });
}
