import { SourceError } from "../model/errors.js";
import type { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import { countOf } from "../model/number-text.js";
import type { FailureReason } from "../model/outcome.js";
import type { RunRecord } from "../model/run-record.js";
import { ledgersOf, tooManyFailed } from "../model/run-record.js";
import { newScanTally, type SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { DirectoryWatches } from "../source/directory-watches.js";
import { inodeOf } from "../source/file-identity.js";
import { SessionFolders } from "../source/session-folders.js";
import { BatchTally } from "./batch-result.js";
import { retractKeys } from "./earlier-runs/retract.js";
import { seeOtherShards, surveyRun } from "./earlier-runs/survey.js";
import { countCopying } from "./other-runs.js";
import { purgeCopied } from "./purge.js";
import { ReaderPool } from "./readers/reader-pool.js";
import { forgotRemoved, restartIfForgot } from "./restart.js";
import type { Run } from "./run-context.js";
import { type MainPassEnd, passOf, runMainPass, runPass, takeLaterPasses, tellEnded } from "./run-pass.js";
import { scanAll } from "./session-scan.js";
import { namesSeen, showPass } from "./show-progress.js";
import { refuseUnreadable, tellDoubt, tellLongSids } from "./tell.js";
import { CopyWriter } from "./writing/copy-writer.js";
import { staysInRedis } from "./writing/written-log.js";

/** Reasons that no other run, settings or version would change: such a file holds no session. */
const finalReasons: ReadonlySet<FailureReason> = new Set(["corrupt", "not-a-session", "circular", "too-deep"]);

/**
 * Copies every session to Redis, and purges the originals if the run is to do that. Starts over if
 * Redis lost data meanwhile. Throws what ends the run.
 */
export async function copy(run: Run): Promise<void> {
  const { record } = run;
  const facts = { runStartedMs: Date.now(), othersAreSeen: await canSeeOthers(run) };
  const beforeRestart = () => {
    // What was removed is gone. What is still there is written again, and stays.
    if (record.purged > 0) record.errors.push(forgotRemoved(record.purged));
  };
  await restartIfForgot(run, () => copyAndPurge(run, facts), beforeRestart);
}

async function copyAndPurge(run: Run, facts: CopyFacts): Promise<void> {
  const { record, redis, options, stop } = run;
  await redis.servers.acceptCurrentData();
  // A purge of another run waits for what is seen to copy, even if this run had begun to remove.
  if (!options.run.dryRun) await redis.servers.rename(redis.peers.ownName("copying"));
  const doing = options.run.dryRun ? "reading" : "copying";
  const inUse = await showPass(run, doing, () => copyOnce(run, facts));
  tellLongSids(run);
  refuseUnreadable(record.tally);
  // Once Redis lost data after a removal, nothing more is removed.
  if (options.removal.purge && !stop.aborted && record.purged === 0)
    await purgeCopied(run, { inUse, sinceMs: facts.runStartedMs });
}

/** What every attempt at a copy is told. */
interface CopyFacts {
  /** Milliseconds since the epoch. */
  readonly runStartedMs: number;
  /** Whether other runs can be seen. */
  readonly othersAreSeen: boolean;
}

/**
 * One attempt at a copy. Returns whether a server still uses the directories. Throws
 * `RedisForgotError` if the copy has to start over.
 */
async function copyOnce(run: Run, facts: CopyFacts): Promise<boolean> {
  const { record, redis, files, options, stop } = run;
  const { dryRun, maxFailed } = options.run;
  const { othersAreSeen } = facts;
  const inodes = files.directories.map(inodeOf);
  const folders = new SessionFolders(files.directories);
  await redis.continuity.begin();
  await redis.marks.read();
  const before = await surveyRun(run, "sample");
  const startedMs = Date.now();
  const writer = openWriter(run, before, startedMs, facts);
  try {
    if (!dryRun) await redis.marks.noteStart();
    const end = await runPasses(run, writer, before);
    run.out.progress.enter({ name: "finishing" });
    if (!dryRun && !stop.aborted) await retractEnded(record, writer);
    const lostKeys = !dryRun && (await haveKeysGone(run, writer, inodes));
    tellDoubt(run);
    const lostEarlier = !stop.aborted && tellEnded(run, end);
    if (lostKeys || lostEarlier) record.partial = true;
    const isComplete = !(lostKeys || lostEarlier || stop.aborted || tooManyFailed(record, maxFailed));
    if (isComplete && isWhole(record)) {
      // Only after an earlier copy can there be keys whose session files are gone.
      if (end.survey.directories.some(({ mark }) => mark !== undefined)) {
        record.retracted = await retractKeys(run, end.survey, folders, othersAreSeen);
      }
      const keeps = options.conflicts.policy === "keep";
      // Lifetimes were renewed only if it was known from the start that the server works on files.
      const renewed = before.serverWorks === "files";
      if (!dryRun) await redis.marks.leave({ startedMs, keeps, renewed, lifetimes: options.conversion });
    }
    // A file that was touched and says what Redis holds is no sign of a server.
    return writer.inUse || record.laterPasses.some(({ counts }) => counts.found > counts.outcomes.identical);
  } finally {
    writer.close();
  }
}

function openWriter(
  run: Run,
  survey: Survey,
  passStartedMs: number,
  { runStartedMs, othersAreSeen }: CopyFacts,
): CopyWriter {
  const { options, redis, files, out, stop } = run;
  const { directories, maxFileSize, conversion, threads } = files;
  const { dryRun } = options.run;
  const reading = { directories, maxFileSize, conversion, runStartedMs, passStartedMs, hashes: !dryRun };
  const writing = {
    ...reading,
    conflicts: options.conflicts,
    dryRun,
    retracts: !dryRun && othersAreSeen,
    collectsOutcomes: options.output.list,
  };
  const readers = new ReaderPool(reading, threads);
  const { servers, store } = redis;
  return new CopyWriter(writing, survey, { servers, store, readers, warn: out.warn, stop });
}

/** Runs the main pass, then the later passes unless they could not find anything. */
async function runPasses(run: Run, writer: CopyWriter, before: Survey): Promise<MainPassEnd> {
  const { record, options } = run;
  const { dryRun } = options.run;
  const watches = new DirectoryWatches();
  const watching = dryRun ? {} : { onFolder: (path: string) => watches.add(path) };
  try {
    const batches = scanAll(run, record.tally, watching);
    const end = await runMainPass(passOf(run, writer, batches), before, record, (seen) => seeOtherShards(run, seen));
    if (dryRun) return end;
    if (tookEveryFile(run, writer) && (await watches.areQuiet())) {
      run.out.explain("no later pass: no session file changed since its folder was listed");
    } else await takeLaterPasses(run, "session file", (number, ledger) => laterPass(run, writer, number, ledger));
    return end;
  } finally {
    watches.close();
  }
}

/** Whether the main pass listed every folder and read every file without a second try. */
function tookEveryFile({ record: { tally } }: Run, { readAll }: CopyWriter): boolean {
  return readAll && tally.unreadable.length === 0 && tally.setAside.length === 0;
}

/** Stats every file, and copies those that changed. Only these count for the rate. */
async function laterPass(run: Run, writer: CopyWriter, number: number, ledger: Ledger): Promise<void> {
  const { record, out, stop } = run;
  writer.beginPass(number, Date.now());
  const tally = newScanTally();
  const done = () => namesSeen({ tally });
  out.progress.enter({ name: "settling", pass: number + 1, total: run.listing.selected, ledger, done });
  const pass = passOf(run, writer, scanAll(run, tally), ledger);
  const workOn = async (batch: readonly SessionFile[]) => {
    const changed = await writer.changedOf(batch);
    if (changed.length > 0) await pass.pace(changed.length);
    if (changed.length > 0 && !stop.aborted) return writer.workOn(changed);
    return new BatchTally(changed.length, false).result([]);
  };
  try {
    await runPass({ ...pass, pace: async () => undefined, worker: { workOn } });
  } finally {
    const known = record.tally.unreadable;
    known.push(...tally.unreadable.filter(({ message }) => !known.some((one) => one.message === message)));
  }
}

/** Deletes the keys of sessions that ended after they were written. They count as vanished. */
async function retractEnded(record: RunRecord, { written }: CopyWriter): Promise<void> {
  const ledgers = ledgersOf(record);
  for await (const one of written.retractEnded()) ledgers[one.pass]?.recordRetracted(one);
}

/**
 * Whether Redis may no longer hold all that this run wrote. Throws `RedisForgotError` if it may
 * have lost more than evicted keys, and `SourceError` if another directory took the place of one.
 */
async function haveKeysGone(
  { redis, files, out }: Run,
  writer: CopyWriter,
  inodes: readonly string[],
): Promise<boolean> {
  const replaced = files.directories.find((directory, index) => inodeOf(directory) !== inodes[index]);
  if (replaced !== undefined) {
    // Another directory at the path was not copied, whatever lies in it.
    throw new SourceError(`the directory ${showablePath(replaced)} was replaced by another directory during the copy`);
  }
  if ((await redis.continuity.check()) === "evicted") return true;
  if (!redis.continuity.hidesEvictions) return false;
  const missing = await writer.written.countMissing();
  if (missing === 0) return false;
  out.warn(
    missing === undefined
      ? "this run could not check again that the sessions it wrote are in Redis, so nothing is removed"
      : `${countOf(missing, "session")} that this run wrote ${missing === 1 ? "is" : "are"} no longer in Redis, ` +
          "which may evict keys. Nothing is removed: give Redis more memory, then run this again",
    { evenIfQuiet: true },
  );
  return true;
}

/**
 * Whether the copy took every session, except for files that hold none by any reading. If one of
 * these may hide another file of the same session, that session was not taken.
 */
function isWhole({ ledger, laterPasses: later, tally }: RunRecord): boolean {
  const all = [ledger, ...later].map(({ counts }) => counts);
  if (all.some(({ inDoubt }) => inDoubt > 0)) return false;
  const reasons = all.flatMap((counts) => [...counts.reasons.keys()]);
  if (tally.unreadable.length > 0 || !reasons.every((reason) => finalReasons.has(reason))) return false;
  return reasons.length === 0 || all.every(({ outcomes }) => outcomes.superseded === 0);
}

/**
 * Whether other runs can be seen. If not, no key is deleted: a file may be gone because another run
 * purged it, and that run waits only for copies that it can see. A dry run has no name of its own.
 */
async function canSeeOthers({ redis, options, out }: Run): Promise<boolean> {
  const { servers, isNamed } = redis;
  const areSeen = (await countCopying(redis)) !== undefined && (servers.announced || !isNamed);
  if (!options.run.dryRun && !areSeen) {
    out.warn(
      "other runs cannot be seen (CLIENT SETNAME or CLIENT LIST is denied, or does not list our own " +
        `connection), so ${staysInRedis}`,
    );
  }
  return areSeen;
}
