import { setImmediate as nextTurn } from "node:timers/promises";
import { RedisError, RedisForgotError } from "../model/errors.js";
import type { Failure, FailureReason, SessionOutcome } from "../model/outcome.js";
import { newScanTally, type ScanTally, type SessionFile } from "../model/session-file.js";
import type { Written } from "../model/written.js";
import type { RecentFiles } from "../source/recent-files.js";
import { type LaneParts, runLane } from "./lane.js";
import { Ledger } from "./ledger.js";
import { type Pass, runPass } from "./run-pass.js";
import type { RunRecord } from "./run-record.js";

/** What a copy works with. */
export interface Copy {
  readonly record: RunRecord;
  /** The session files of all directories, in batches; those that an interrupted purge left aside come last. */
  readonly scan: (tally: ScanTally) => Iterable<readonly SessionFile[]>;
  /** Gives what remembers files between passes, for a main pass that begins now. */
  readonly rememberFrom: (startedMs: number) => RecentFiles;
  /** The lane of the main pass (0) and of each later one. */
  readonly laneOf: (pass: number, recent: RecentFiles) => LaneParts;
  readonly marks: {
    /** Reads what earlier runs left. */
    readonly read: () => Promise<void>;
    /** Leaves the start of the main pass for later runs. */
    readonly leave: (startedMs: number) => Promise<void>;
  };
  readonly written: {
    readonly forget: () => void;
    readonly batches: () => Iterable<readonly Written[]>;
    /** Takes back keys of sessions whose files are gone; tells for each whether it did. */
    readonly takeBackGone: (written: readonly Written[]) => Promise<readonly boolean[]>;
  };
  /** Takes note of how many keys Redis has evicted by now. */
  readonly beginWatch: () => Promise<void>;
  /** Throws where Redis may have lost what it confirmed; tells whether it evicted keys since the watch began. */
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
const finalReasons: ReadonlySet<FailureReason> = new Set(["corrupt", "circular", "too-deep"]);
const forgot = "Redis was restarted and may have lost what it confirmed";

/**
 * Does the work, and again from its start where Redis was restarted meanwhile, for what was confirmed before may be gone. Throws
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
      if (tries === mostMainPasses || stop.aborted) throw new RedisError("unavailable", forgot);
      warn(`${forgot}: it begins again`);
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
  copy.written.forget();
  await copy.beginWatch();
  await copy.marks.read();
  const startedMs = Date.now();
  const recent = copy.rememberFrom(startedMs);
  await runPass({ ...passOf(copy, record.ledger, 0, recent), batches: copy.scan(record.tally) });
  if (dryRun) return;
  await copyChanged(copy, recent);
  if (!pass.stop.aborted) await takeBackEnded(copy);
  const evicted = await copy.endWatch();
  if (evicted) record.partial = true;
  else if (!pass.stop.aborted && !copy.tooManyFailed() && isWhole(record)) await copy.marks.leave(startedMs);
}

/** Takes again what was changed since the pass before began, until a pass finds nothing. */
async function copyChanged(copy: Copy, recent: RecentFiles): Promise<void> {
  const {
    record,
    pass: { stop },
  } = copy;
  for (let pass = 1; pass <= mostLaterPasses && !stop.aborted; pass++) {
    const isChanged = recent.changedSincePass();
    recent.beginPass(Date.now());
    const ledger = new Ledger(copy.onFailure);
    const tally = newScanTally();
    try {
      await runPass({
        ...passOf(copy, ledger, pass, recent),
        batches: changedBatches(copy.scan(tally), isChanged),
      });
    } finally {
      // What was done counts, also where the pass ends early.
      if (ledger.counts.found > 0) record.laterPasses.push(ledger);
      const known = record.tally.unreadable;
      known.push(...tally.unreadable.filter((message) => !known.includes(message)));
    }
    const { found, outcomes } = ledger.counts;
    const changed = found - outcomes.identical;
    if (changed === 0) return;
    record.stillChanging = pass === mostLaterPasses ? changed : 0;
  }
}

function* changedBatches(
  batches: Iterable<readonly SessionFile[]>,
  isChanged: (file: SessionFile) => boolean,
): Generator<readonly SessionFile[]> {
  for (const batch of batches) yield batch.filter(isChanged);
}

function passOf(copy: Copy, ledger: Ledger, pass: number, recent: RecentFiles): Omit<Pass, "batches"> {
  const lane = copy.laneOf(pass, recent);
  return { ...copy.pass, lane: (batch) => runLane(batch, lane), ledger, onOutcome: copy.onOutcome };
}

/** Sessions that ended behind their write, before the last pass was through: their keys go, and they count as vanished. */
async function takeBackEnded({ record, written, pass: { stop } }: Copy): Promise<void> {
  const ledgers = [record.ledger, ...record.laterPasses];
  for (const batch of written.batches()) {
    // Signals get their turn, also where nothing is gone and nothing is waited for.
    await nextTurn();
    if (stop.aborted) return;
    const takenBack = await written.takeBackGone(batch);
    for (const [index, one] of batch.entries()) {
      if (takenBack[index] === true) ledgers[one.pass]?.recordTakenBack(one.bytes);
    }
  }
}

/**
 * Whether every session was seen to, but for files that hold none by any reading. Where one of these may stand before another file of
 * the same session, that one was not seen to.
 */
function isWhole({ ledger, laterPasses, tally }: RunRecord): boolean {
  const all = [ledger, ...laterPasses].map(({ counts }) => counts);
  const reasons = all.flatMap((counts) => [...counts.reasons.keys()]);
  if (tally.unreadable.length > 0 || !reasons.every((reason) => finalReasons.has(reason))) return false;
  return reasons.length === 0 || all.every(({ outcomes }) => outcomes.superseded === 0);
}
