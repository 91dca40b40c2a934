import { RedisError, RedisForgotError, SourceError } from "../model/errors.js";
import { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import { countOf } from "../model/number-text.js";
import type { CommandSettings } from "../model/run-options.js";
import { type RunRecord, secondsOf } from "../model/run-record.js";
import { newScanTally, type ScanTally } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { presenceName } from "../redis/server/presence.js";
import { askPersistence, askServerState } from "../redis/server/server-state.js";
import { deniedFolderOf, explainDenial } from "../source/removal/removal-denial.js";
import { scanSessions } from "../source/scan-sessions.js";
import { composeCopy } from "./compose-copy.js";
import {
  type ComposedPurge,
  composePurge,
  composeUnverifiedPurge,
  countOtherCopies,
} from "./compose-purge.js";
import { composeVerify } from "./compose-verify.js";
import { copySessions, doubtText, endedText, untilKept } from "./copy-sessions.js";
import { judgeEnded, mayBeLost, SeenDirectories } from "./earlier-runs/learn.js";
import { type Marks, marksOf } from "./earlier-runs/marks.js";
import { surveyOrder, surveyRun } from "./earlier-runs/survey.js";
import type { LaneThread } from "./lanes/lane-thread.js";
import { runMainPass } from "./main-pass.js";
import { type OpenRun, openRun, type Surroundings } from "./open-run.js";
import { type PurgeResult, purgeSessions } from "./purge-sessions.js";
import { type RedisWatch, watchRedis } from "./redis-watch.js";
import { countSessionFiles, type ScanSettings } from "./session-scan.js";
import { type Witness, witnessOf } from "./witness.js";

/** What a run is to do. */
export type Task = "copy" | "purge" | "purge-unconditionally" | "purge-unverified" | "verify";

/**
 * Does a task in the session directories of the record, from the first word with Redis to the last, a copy or a verification with a lane on each of these threads too.
 * Throws what ends the run.
 */
export async function runTask(
  task: Task,
  settings: CommandSettings,
  surroundings: Surroundings,
  threads: readonly LaneThread[],
): Promise<void> {
  if (task === "purge-unverified") return purgeUnverified(settings, surroundings);
  const phase = task === "copy" ? "copying" : task === "verify" ? undefined : "removing";
  const run = await openRun(settings, surroundings, settings.run.dryRun ? undefined : phase);
  let witness: Witness | undefined;
  try {
    await refuseTooFewReplicas(settings, run);
    await surroundings.confirmPurge(() => run.connection.run(askPersistence));
    const { warn } = surroundings;
    if (phase !== undefined && !settings.run.dryRun) witness = witnessOf(run, warn);
    const marks = marksOf(run, witness, warn);
    const watch = watchRedis(run.connection, witness, warn);
    if (task === "copy") await copy(settings, surroundings, run, marks, watch, threads);
    else if (task === "verify") await verify(settings, surroundings, run, marks, threads);
    else await purge(settings, surroundings, run, marks, watch, task);
  } finally {
    try {
      await witness?.end();
    } finally {
      await run.close();
    }
  }
}

async function copy(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Marks,
  watch: RedisWatch,
  threads: readonly LaneThread[],
): Promise<void> {
  const { record, stop } = surroundings;
  const composed = await composeCopy(settings, surroundings, run, marks, watch, threads);
  try {
    const again = {
      ...surroundings,
      onBeginAgain: () => {
        // What is gone is gone; what is still there is written again, and stays.
        if (record.purged > 0) record.errors.push(forgotRemoved(record.purged));
        surroundings.onBeginAgain();
      },
    };
    await untilKept(again, async () => {
      // A lane may have found out before this connection did.
      await run.connection.beginAnew();
      // A purge of another run waits for what is seen to copy, also where this one had begun to remove.
      if (!settings.run.dryRun) await run.connection.rename(presenceName("copying", run.presence));
      await shown(
        settings.run.dryRun ? "reading" : "copying",
        composed.scan,
        surroundings,
        record.ledger,
        () => copySessions(composed.copy),
      );
      tellLongSids(record, surroundings.warn);
      refuseUnreadable(record.tally);
      // Once Redis forgot behind a removal nothing more goes.
      if (settings.removal.purge && !stop.aborted && record.purged === 0) {
        const inUse = composed.isInUse() || record.laterPasses.some(hasChanges);
        await composed.rest();
        await purgeCopied(settings, surroundings, run, marks, watch, inUse);
      }
    });
  } finally {
    await composed.close();
  }
}

/** Whether a pass found more than files that were touched and say what Redis holds. */
function hasChanges({ counts: { found, outcomes } }: Ledger): boolean {
  return found > outcomes.identical;
}

/** The purge behind a copy: a pass of its own, with counts of its own. */
async function purgeCopied(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Marks,
  watch: RedisWatch,
  inUse: boolean,
): Promise<void> {
  const { record, warn, onOutcome, onDifference } = surroundings;
  if (record.partial) return;
  if (settings.run.dryRun) {
    const { copied, identical, kept, superseded } = record.ledger.counts.outcomes;
    record.purged = copied + identical + kept + superseded - record.ledger.counts.inDoubt;
    if (foldersAreDenied(record, warn)) {
      record.partial = true;
      record.purged = 0;
    }
    await countOtherCopies(settings, run);
    return;
  }
  if (inUse && !settings.removal.inUse) {
    record.partial = true;
    warn(`${stillInUse}; nothing was removed (--in-use removes all the same)`, { evenIfQuiet: true });
    return;
  }
  const startedMs = Date.now();
  await marks.read();
  const survey = await surveyRun(run, { ...surveyOrder(settings, marks, surroundings), whole: true });
  // A session that failed in the copy fails here again: it is listed once.
  const ledger = new Ledger({ onDifference });
  const order = { ledger, tally: newScanTally(), onOutcome, extent: "proven" as const, startedMs };
  const composed = composePurge(settings, surroundings, run, marks, survey, watch, order);
  const total = record.ledger.counts.found;
  try {
    await removing(composed, total, surroundings, ledger);
  } finally {
    const { removed, absent, ended, kept, denied, failed } = ledger.counts.outcomes;
    record.purged += removed;
    if (ended > 0) warn(`purge: ${countOf(ended, "session file")} left, for their keys are gone from Redis`);
    if (absent + kept + denied + failed > 0) {
      const reasons = [...ledger.counts.reasons].map(([reason, count]) => `${reason} ${count}`).join(", ");
      warn(
        `purge: ${removed} originals removed, left: ${absent} that Redis lacks, ${kept} that changed or are kept a while longer, ${denied} that may not be removed, ${failed} that failed${failed === 0 ? "" : ` (${reasons})`}`,
      );
    }
  }
  refuseUnreadable(order.tally);
}

async function purge(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Marks,
  watch: RedisWatch,
  task: "purge" | "purge-unconditionally",
): Promise<void> {
  const { record, warn, onOutcome, stop } = surroundings;
  const extent = task === "purge" ? "proven" : "unconditional";
  const again = {
    warn,
    stop,
    onBeginAgain: () => {
      // What is gone is gone: it is not counted anew.
      if (record.purged > 0 && !settings.run.dryRun) throw forgotRemoved(record.purged);
      surroundings.onBeginAgain();
    },
  };
  await untilKept(again, async () => {
    const startedMs = Date.now();
    await watch.begin();
    await marks.read();
    const survey = await surveyRun(run, { ...surveyOrder(settings, marks, surroundings), whole: true });
    record.serverWorks = survey.serverWorks;
    const { ledger, tally } = record;
    const order = { ledger, tally, onOutcome, extent, startedMs } as const;
    const composed = composePurge(settings, surroundings, run, marks, survey, watch, order);
    try {
      if (extent === "proven" && (await keysWereLost(settings, surroundings, survey, composed))) {
        record.partial = true;
        composed.close();
        return;
      }
      const { unheld } = await removing(composed, undefined, surroundings, ledger);
      tellDoubt(record, warn);
      if (extent === "unconditional" && unheld > 0) {
        warn(`${countOf(unheld, "session file")} removed that Redis did not hold`, { evenIfQuiet: true });
      }
    } finally {
      record.purged = ledger.counts.outcomes.removed;
    }
    refuseUnreadable(tally);
  });
}

/**
 * Whether many keys that a copy wrote in the last three hours are missing. They were deleted or
 * lost then, so nothing is removed. Proves every file beforehand, but only if it is unknown where
 * the server works.
 */
async function keysWereLost(
  settings: CommandSettings,
  { record, warn, stop }: Surroundings,
  survey: Survey,
  { purge: { prove } }: ComposedPurge,
): Promise<boolean> {
  const { maxEnded } = settings.conflicts;
  if (!mayBeLost(survey, Date.now())) return false;
  const seen = new SeenDirectories();
  for (const directory of record.directories) {
    for (const batch of scanSessions(directory, namesAtATime, newScanTally())) {
      if (stop.aborted) return false;
      for (const proof of await prove(batch)) {
        const kind = "proven" in proof ? "removed" : proof.outcome.kind;
        if (kind !== "failed" && kind !== "vanished") seen.addCovered(directory, kind === "ended");
      }
    }
  }
  const isLost = judgeEnded(survey, seen.all, maxEnded, Date.now()) === "lost";
  if (isLost) warn(endedText("lost", seen.all), { evenIfQuiet: true });
  return isLost;
}

const namesAtATime = 256;

/** [session_redis 12.0 to 18.0 accept 40 hex digits only] */
function tellLongSids({ tally: { longSids } }: RunRecord, warn: Surroundings["warn"]): void {
  if (longSids === 0) return;
  warn(
    `${countOf(longSids, "session id")} of 84 or more characters: session_redis reads them only from 19.0 on (84 characters; none is known to read the 86 of saas-19.1). Before 19.0 their owners are logged out at the switch`,
    { evenIfQuiet: true },
  );
}

function tellDoubt({ ledger }: Pick<RunRecord, "ledger">, warn: Surroundings["warn"]): void {
  const { inDoubt } = ledger.counts;
  if (inDoubt > 0) warn(doubtText(inDoubt), { evenIfQuiet: true });
}

/** Whether this process may not remove files from part of a session directory: what a dry run can know of it. */
function foldersAreDenied({ directories }: RunRecord, warn: Surroundings["warn"]): boolean {
  let isDenied = false;
  for (const directory of directories) {
    const denied = deniedFolderOf(directory);
    if (denied === undefined) continue;
    isDenied = true;
    warn(explainDenial(denied.why, showablePath(denied.folder)), { evenIfQuiet: true });
  }
  return isDenied;
}

function forgotRemoved(count: number): RedisError {
  const removed = countOf(count, "original");
  return new RedisError(
    "unavailable",
    `Redis was restarted, emptied or replaced after ${removed} had been removed: what it did not keep of these sessions is lost`,
  );
}

async function purgeUnverified(settings: CommandSettings, surroundings: Surroundings): Promise<void> {
  const { record, onOutcome } = surroundings;
  const { ledger, tally } = record;
  const composed = composeUnverifiedPurge(settings, surroundings, { ledger, tally, onOutcome });
  try {
    await removing(composed, undefined, surroundings, ledger);
  } finally {
    record.purged = ledger.counts.outcomes.removed;
  }
  refuseUnreadable(tally);
}

const stillInUse = "files were modified meanwhile, so a server still uses the directory";

/** Shows a purge while it goes on, and says what it left. */
async function removing(
  { purge: work, begin, close }: ComposedPurge,
  total: number | undefined,
  { record, reporter, warn, stop }: Surroundings,
  ledger: Ledger,
): Promise<PurgeResult> {
  const startedSeconds = secondsOf(record);
  reporter.begin({ doing: "removing", total }, () => progressOf(ledger, secondsOf(record) - startedSeconds));
  try {
    if (!(await begin())) {
      record.partial = true;
      return { left: 0, unheld: 0, foundInUse: false, confirmed: false };
    }
    const result = await purgeSessions(work);
    if (ledger === record.ledger && !stop.aborted) record.listed = namesSeen(record);
    if (result.left > 0 || !result.confirmed) record.partial = true;
    if (result.foundInUse)
      warn(`${stillInUse}; nothing more was removed (--in-use removes all the same)`, { evenIfQuiet: true });
    return result;
  } finally {
    reporter.end();
    close();
  }
}

async function verify(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Marks,
  threads: readonly LaneThread[],
): Promise<void> {
  const { record, warn, stop } = surroundings;
  await marks.read();
  const before = await surveyRun(run, { ...surveyOrder(settings, marks, surroundings), whole: false });
  const composed = await composeVerify(settings, surroundings, run, before, threads);
  try {
    const work = () => runMainPass(composed.pass, composed.learn, before, record);
    const { survey, seen } = await shown("comparing", composed.scan, surroundings, record.ledger, work);
    // What only reads has no witness of its own.
    await marks.confirm();
    tellDoubt(record, warn);
    tellLongSids(record, warn);
    const { maxEnded } = settings.conflicts;
    const verdict = stop.aborted ? "fine" : judgeEnded(survey, seen, maxEnded, Date.now());
    if (verdict !== "fine") warn(endedText(verdict, seen), { evenIfQuiet: true });
    if (verdict === "lost") record.partial = true;
  } finally {
    await composed.close();
  }
  const { outcomes } = record.ledger.counts;
  const differing = outcomes.missing + outcomes.different + outcomes["wrong-lifetime"];
  // What an interrupted purge left aside was not compared.
  if (differing + record.tally.setAside.length > 0) record.partial = true;
  refuseUnreadable(record.tally);
}

/** Shows a pass while it goes on. */
async function shown<T>(
  doing: string,
  scan: ScanSettings,
  { record, reporter, stop }: Surroundings,
  ledger: Ledger,
  work: () => Promise<T>,
): Promise<T> {
  const total = reporter.wantsTotal ? await countSessionFiles(scan, stop) : undefined;
  const startedSeconds = secondsOf(record);
  reporter.begin({ doing, total }, () => progressOf(ledger, secondsOf(record) - startedSeconds));
  try {
    const result = await work();
    await countListed(record, scan, !stop.aborted);
    return result;
  } catch (error) {
    if (!(error instanceof RedisForgotError)) await countListed(record, scan, false);
    throw error;
  } finally {
    reporter.end();
  }
}

/** A stopped run has ten seconds to end. */
const longestCountMs = 2000;

/** Notes how many session files there are; if the listing was not through, it is taken once more, and what was not reached counts as unvisited. */
async function countListed(record: RunRecord, scan: ScanSettings, isWhole: boolean): Promise<void> {
  const seen = namesSeen(record);
  if (isWhole) {
    record.listed = seen;
    return;
  }
  const late = AbortSignal.timeout(longestCountMs);
  const listed = await listedNow({ ...scan, sample: null }, late);
  if (listed === undefined) return;
  record.listed = Math.max(listed, seen);
  record.ledger.recordUnvisited(scan.sample === null ? record.listed - seen : 0);
}

function namesSeen({ tally: { layouts } }: RunRecord): number {
  return layouts.flat + layouts.scattered;
}

/** `undefined` if the directories cannot be listed, or not in time. */
async function listedNow(scan: ScanSettings, late: AbortSignal): Promise<number | undefined> {
  try {
    const listed = await countSessionFiles(scan, late);
    return late.aborted ? undefined : listed;
  } catch (error) {
    // What ended the run says more.
    if (!(error instanceof SourceError)) throw error;
    return undefined;
  }
}

function progressOf(ledger: Ledger, seconds: number) {
  const { found, outcomes } = ledger.counts;
  return { done: found, failed: outcomes.failed, seconds };
}

/** A run is not whole where a scatter directory could not be read. */
function refuseUnreadable({ unreadable }: ScanTally): void {
  const [first] = unreadable;
  if (first === undefined) return;
  const others = unreadable.length - 1;
  throw new SourceError(others === 0 ? first.message : `${first.message}, and ${others} more`);
}

/** Better now than after the copy. */
async function refuseTooFewReplicas(
  { removal, run: { dryRun } }: CommandSettings,
  run: OpenRun,
): Promise<void> {
  if (removal.waitReplicas === 0 || dryRun) return;
  const replicas = (await run.connection.run(askServerState)).replicas;
  if (replicas === undefined) {
    throw new RedisError(
      "refused",
      "Redis does not allow this user the command INFO, by which --wait-replicas sees what the replicas have",
    );
  }
  if (replicas < removal.waitReplicas) {
    throw new RedisError(
      "unavailable",
      `Redis has ${countOf(replicas, "replica")} in step with it, and --wait-replicas asks for ${removal.waitReplicas}`,
    );
  }
}
