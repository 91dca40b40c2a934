import { RedisError, RedisForgotError } from "../model/errors.js";
import { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import type { Failure, FailureReason, SessionOutcome } from "../model/outcome.js";
import type { RunRecord } from "../model/run-record.js";
import { newScanTally, type ScanTally, type SessionFile } from "../model/session-file.js";
import type { Warn } from "../model/warn.js";
import { judgeEnded, type SeenDirectories } from "./earlier-runs/learn.js";
import type { TakenBack } from "./lanes/copy-lane.js";
import { type LaneResult, laneResult } from "./lanes/lane-result.js";
import { runMainPass } from "./main-pass.js";
import { type Pass, runPass } from "./run-pass.js";

/** What a copy works with. */
export interface Copy {
  readonly record: RunRecord;
  /** The session files of all directories, in batches; those that an interrupted purge left aside come last. */
  readonly scan: (tally: ScanTally) => Iterable<readonly SessionFile[]>;
  readonly lanes: {
    /** A main pass begins: what was done before counts for nothing. */
    readonly begin: (startedMs: number, survey: Survey) => Promise<void>;
    /** Takes what the run knows by now. */
    readonly learn: (survey: Survey) => Promise<void>;
    /** A pass begins over what changed while the one before ran. */
    readonly beginPass: (pass: number, startedMs: number) => Promise<void>;
    /** Of a batch, the files that changed since the pass before began and were not read as they stand, and those that are away. */
    readonly changedOf: (batch: readonly SessionFile[]) => Promise<readonly SessionFile[]>;
    /** Does everything for a batch. */
    readonly work: (batch: readonly SessionFile[]) => Promise<LaneResult>;
    /** Takes back the keys of sessions whose files are gone behind their write. */
    readonly takeBackEnded: () => Promise<readonly TakenBack[]>;
  };
  /** Finds out what earlier runs left, and where the server works. Throws where the run must end. */
  readonly survey: () => Promise<Survey>;
  readonly marks: {
    /** Notes that the run begins to write. */
    readonly noteStart: () => Promise<void>;
    /** Leaves the start of the main pass, and whether lifetimes were renewed, for later runs. */
    readonly leave: (startedMs: number, renewed: boolean) => Promise<void>;
  };
  /** Deletes, or in a dry run counts, keys without a file. Throws where the run must end. */
  readonly retract: (survey: Survey) => Promise<void>;
  readonly warn: Warn;
  /** Percent of an earlier copy's keys that may be missing before the run doubts it. */
  readonly maxEnded: number;
  /** Begins to watch Redis and the session directories. Throws where the run must end. */
  readonly beginWatch: () => Promise<void>;
  /**
   * Tells whether Redis evicted keys since the watch began. Throws `RedisForgotError` where it may have lost more, and `SourceError` where another
   * directory took the place of one.
   */
  readonly endWatch: () => Promise<boolean>;
  readonly dryRun: boolean;
  /** Whether more sessions failed than is allowed. */
  readonly tooManyFailed: () => boolean;
  readonly pass: Pick<Pass, "batchesInFlight" | "pace" | "stop">;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  readonly onFailure: (failure: Failure) => void;
}

/** What doing work again and again works with. */
interface Attempts {
  /** Takes back what the work counted and reported, for it begins again. */
  readonly onBeginAgain: () => void;
  readonly warn: (message: string) => void;
  readonly stop: AbortSignal;
}

const mostMainPasses = 3;
const mostLaterPasses = 3;
/** Nothing that another run, other settings or another version could write stands behind these. */
const finalReasons: ReadonlySet<FailureReason> = new Set([
  "corrupt",
  "not-a-session",
  "circular",
  "too-deep",
]);

/**
 * Does the work, and again from its start where Redis forgot meanwhile, for what was confirmed before may be gone. Throws
 * `RedisError` at the third time.
 */
export async function untilKept(
  { stop, warn, onBeginAgain }: Attempts,
  work: () => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RedisForgotError)) throw error;
      if (tries === mostMainPasses || stop.aborted) throw new RedisError("unavailable", error.message);
      warn(`${error.message}: it begins again`);
      onBeginAgain();
    }
  }
}

/**
 * The main pass, passes over what a live server changed meanwhile, and the mark of a run that is whole. Throws what ends the run, and
 * `RedisForgotError` where it has to begin again.
 */
export async function copySessions(copy: Copy): Promise<void> {
  const { record, dryRun, pass } = copy;
  await copy.beginWatch();
  const before = await copy.survey();
  const startedMs = Date.now();
  await copy.lanes.begin(startedMs, before);
  if (!dryRun) await copy.marks.noteStart();
  const main = { ...passOf(copy, record.ledger, record.tally), lane: copy.lanes.work };
  const { survey, seen } = await runMainPass(main, copy.lanes.learn, before, record);
  if (!dryRun) await copyChanged(copy);
  if (!dryRun && !pass.stop.aborted) await takeBackEnded(copy);
  const evicted = !dryRun && (await copy.endWatch());
  tellDoubt(copy);
  const lost = !pass.stop.aborted && tellEnded(copy, survey, seen);
  if (evicted || lost) record.partial = true;
  if (evicted || lost || pass.stop.aborted || copy.tooManyFailed() || !isWhole(record)) return;
  const foundMark = survey.directories.some(({ mark }) => mark !== undefined);
  if (foundMark) await copy.retract(survey);
  // Lifetimes were renewed only if it was known from the start that the server works on files.
  if (!dryRun) await copy.marks.leave(startedMs, before.serverWorks === "files");
}

/** A person must decide which value counts if nothing else tells. */
function tellDoubt({ record, warn }: Copy): void {
  const { inDoubt } = record.ledger.counts;
  if (inDoubt > 0) warn(doubtText(inDoubt), { evenIfQuiet: true });
}

/** What a person can do about conflicts in doubt. */
export function doubtText(count: number): string {
  const sessions = count === 1 ? "1 session was" : `${count} sessions were`;
  return `${sessions} changed in files and in Redis, and nothing tells which is newer: Redis's value was kept. If no server uses this Redis any more (it went back to files), copy with --on-conflict overwrite; if one does, use --on-conflict keep`;
}

/** Warns if too many sessions ended. Returns whether their keys were certainly deleted or lost. */
function tellEnded({ warn, maxEnded }: Copy, survey: Survey, seen: SeenDirectories["all"]): boolean {
  const verdict = judgeEnded(survey, seen, maxEnded, Date.now());
  if (verdict !== "fine") warn(endedText(verdict, seen), { evenIfQuiet: true });
  return verdict === "lost";
}

/** What it means that many keys of an earlier copy are missing. */
export function endedText(verdict: "doubtful" | "lost", seen: SeenDirectories["all"]): string {
  const all = [...seen.values()];
  const ended = all.reduce((sum, one) => sum + one.ended, 0);
  const covered = all.reduce((sum, one) => sum + one.covered, 0);
  const facts = `${ended} of ${covered} sessions that an earlier run copied are no longer in Redis`;
  return verdict === "lost"
    ? `${facts}, and that run was less than 3 hours ago: their keys were deleted or lost. Nothing is removed. If the server still works on files, copy with --again`
    : `${facts}: their keys may have been deleted. If the server still works on files, copy with --again`;
}

/** Takes again what was changed since the pass before began, until a pass finds nothing. */
async function copyChanged(copy: Copy): Promise<void> {
  const {
    record,
    pass: { stop },
  } = copy;
  for (let pass = 1; pass <= mostLaterPasses && !stop.aborted; pass++) {
    await copy.lanes.beginPass(pass, Date.now());
    const ledger = new Ledger({ onFailure: copy.onFailure });
    const tally = newScanTally();
    try {
      await runPass({ ...passOf(copy, ledger, tally), pace: async () => undefined, lane: changedLane(copy) });
    } finally {
      // What was done counts, also where the pass ends early.
      if (ledger.counts.found > 0) record.laterPasses.push(ledger);
      const known = record.tally.unreadable;
      known.push(...tally.unreadable.filter(({ message }) => !known.some((one) => one.message === message)));
    }
    const { found, outcomes } = ledger.counts;
    const changed = found - outcomes.identical;
    if (changed === 0) return;
    record.stillChanging = pass === mostLaterPasses ? changed : 0;
  }
}

function passOf({ pass, scan, onOutcome }: Copy, ledger: Ledger, tally: ScanTally): Omit<Pass, "lane"> {
  return { ...pass, batches: scan(tally), ledger, onOutcome };
}

/** Looks at every file, and takes those that changed. Only these count for the rate. */
function changedLane({ lanes, pass: { pace, stop } }: Copy): Pass["lane"] {
  return async (batch) => {
    const changed = await lanes.changedOf(batch);
    if (changed.length > 0) await pace(changed.length);
    const taken = stop.aborted ? [] : changed;
    return taken.length === 0 ? laneResult(changed.length, { outcomes: [] }, false) : lanes.work(taken);
  };
}

/** Sessions that ended behind their write, before the last pass was through: their keys go, and they count as vanished. */
async function takeBackEnded({ record, lanes }: Copy): Promise<void> {
  const ledgers = [record.ledger, ...record.laterPasses];
  for (const { pass, count, bytes } of await lanes.takeBackEnded()) {
    ledgers[pass]?.recordTakenBack(count, bytes);
  }
}

/**
 * Whether every session was seen to, but for files that hold none by any reading. Where one of these may stand before another file of
 * the same session, that one was not seen to.
 */
function isWhole({ ledger, laterPasses, tally }: RunRecord): boolean {
  const all = [ledger, ...laterPasses].map(({ counts }) => counts);
  if (all.some(({ inDoubt }) => inDoubt > 0)) return false;
  const reasons = all.flatMap((counts) => [...counts.reasons.keys()]);
  if (tally.unreadable.length > 0 || !reasons.every((reason) => finalReasons.has(reason))) return false;
  return reasons.length === 0 || all.every(({ outcomes }) => outcomes.superseded === 0);
}
