import { setImmediate as nextTurn } from "node:timers/promises";
import { convertSession, fileSizeFactor } from "../convert/convert-session.js";
import { decideConflict, lifetimeToleranceMs } from "../convert/decide-conflict.js";
import { type KeyLayout, keyPrefix } from "../convert/session-key.js";
import { type CopyPass, copySessions } from "../migrate/copy-sessions.js";
import { type LaneParts, runLane } from "../migrate/lane.js";
import { Ledger } from "../migrate/ledger.js";
import { type SettleParts, settleEntries } from "../migrate/settle-entries.js";
import type { Entry } from "../model/entry.js";
import { RedisError, RedisForgotError, SourceError } from "../model/errors.js";
import type { Failure, SessionOutcome } from "../model/outcome.js";
import type { SessionFile } from "../model/session-file.js";
import { createEntries, foreseeCreation } from "../redis/create-entries.js";
import { lookForKeyLayouts } from "../redis/key-layouts-seen.js";
import { lookAtKeys } from "../redis/look-at-keys.js";
import { pause } from "../redis/pause.js";
import { describeTarget } from "../redis/redis-target.js";
import { replaceHeld } from "../redis/replace-held.js";
import { ResilientConnection } from "../redis/resilient-connection.js";
import { askServerFacts, refuseUnfitServer, type ServerFacts } from "../redis/server-facts.js";
import { takeBack } from "../redis/take-back.js";
import { type Write, writeEntries } from "../redis/write-entries.js";
import { readSessionFile } from "../source/read-session-file.js";
import { RecentFiles } from "../source/recent-files.js";
import { resolveDirectories } from "../source/resolve-directories.js";
import { newScanTally, type ScanTally, scanSessions } from "../source/scan-sessions.js";
import { isSid } from "../source/session-name.js";
import { isGone } from "../source/session-places.js";
import { chooseKeyLayout } from "./choose-key-layout.js";
import type { CopySettings } from "./copy-settings.js";
import type { Reporter } from "./reporter.js";
import { type RunRecord, secondsOf } from "./run-record.js";

/** What a copy talks to while it runs. */
export interface CopySurroundings {
  readonly record: RunRecord;
  readonly reporter: Reporter;
  /** `lasting` warnings are shown to a quiet person too. */
  readonly warn: (message: string, lasting?: boolean) => void;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  readonly onFailure: (failure: Failure) => void;
  /** Takes back what the main pass counted and reported, for it begins again. */
  readonly onBeginAgain: () => void;
  /** Aborted when the run is to stop. */
  readonly stop: AbortSignal;
}

const sessionsOfBatch = 256;
const batchesInFlight = 3;
/** What is in flight when a run is to stop has this long to finish. */
const finishWithinMs = 8000;
const batchesBetweenTurns = 16;
const mostMainPasses = 3;
const mostLaterPasses = 3;

/** The composition root of a copy: names the concrete parts and joins them. Throws what ends the run. */
export async function runCopy(settings: CopySettings, surroundings: CopySurroundings): Promise<void> {
  const { record, warn, stop } = surroundings;
  record.redis = describeTarget(settings.target.redis);
  record.directories = await resolveDirectories(settings.source.directories, settings.source.allowMissing);
  const connection = await ResilientConnection.open({
    target: settings.target.redis,
    retryForMs: settings.run.retryForMs,
    onWarning: warn,
    stop,
  });
  const closeLate = () => setTimeout(() => void connection.close(), finishWithinMs).unref();
  stop.addEventListener("abort", closeLate, { once: true });
  try {
    const facts = await connection.run(askServerFacts);
    refuseUnfitServer(facts);
    const choice = await chooseKeyLayout(settings.target, (prefix, prefixes) =>
      connection.run((client) => lookForKeyLayouts(client, prefix, prefixes, isSid)),
    );
    record.keyLayoutEvidence = choice.evidence;
    if (choice.evidence === "both") throw new RedisError("refused", choice.refusal);
    record.keyLayout = choice.layout;
    if (choice.warning !== undefined) warn(choice.warning, true);
    const parts = laneParts(settings, choice.layout, connection, facts, stop);
    await copyUntilKept(settings, surroundings, parts, connection);
  } finally {
    stop.removeEventListener("abort", closeLate);
    await connection.close();
  }
}

/** The main pass, begun again where Redis was restarted meanwhile: what it had confirmed may be gone. */
async function copyUntilKept(
  settings: CopySettings,
  surroundings: CopySurroundings,
  parts: LaneParts,
  connection: ResilientConnection,
): Promise<void> {
  for (let pass = 1; ; pass++) {
    try {
      await copyAll(settings, surroundings, parts);
      // A restart behind the last batch is seen here.
      if (!settings.run.dryRun) await connection.run((client) => client.ping());
      return;
    } catch (error) {
      if (!(error instanceof RedisForgotError)) throw error;
      if (pass === mostMainPasses || surroundings.stop.aborted) {
        throw new RedisError("unavailable", "Redis was restarted and may have lost what it confirmed");
      }
      surroundings.warn("Redis was restarted and may have lost what it confirmed: the copy begins again");
      surroundings.onBeginAgain();
    }
  }
}

/** The main pass, and passes over what a live server changed meanwhile. */
async function copyAll(
  settings: CopySettings,
  surroundings: CopySurroundings,
  parts: LaneParts,
): Promise<void> {
  const { record, reporter, stop } = surroundings;
  const { ledger, tally, directories } = record;
  const total = reporter.wantsTotal ? await countSessionFiles(directories, stop) : undefined;
  const recent = new RecentFiles(Date.now());
  const lane = noting(parts, recent);
  const startedSeconds = secondsOf(record);
  reporter.begin({ doing: settings.run.dryRun ? "reading" : "copying", total }, () => {
    const { found, outcomes } = ledger.counts;
    return { done: found, failed: outcomes.failed, seconds: secondsOf(record) - startedSeconds };
  });
  try {
    await copySessions({ ...passOf(surroundings, lane, ledger), batches: batchesOf(directories, tally) });
    if (!settings.run.dryRun) await copyChanged(surroundings, lane, recent);
  } finally {
    reporter.end();
  }
  const [first] = tally.unreadable;
  if (first !== undefined) {
    throw new SourceError(
      tally.unreadable.length === 1 ? first : `${first}, and ${tally.unreadable.length - 1} more`,
    );
  }
}

/** Takes again what was changed since the pass before began, until a pass finds nothing. */
async function copyChanged(
  surroundings: CopySurroundings,
  parts: LaneParts,
  recent: RecentFiles,
): Promise<void> {
  const { record, stop, onFailure } = surroundings;
  for (let pass = 1; pass <= mostLaterPasses && !stop.aborted; pass++) {
    const isChanged = recent.changedSincePass();
    recent.beginPass(Date.now());
    const ledger = new Ledger(onFailure);
    const tally = newScanTally();
    const batches = changedBatches(record.directories, tally, isChanged);
    try {
      await copySessions({ ...passOf(surroundings, parts, ledger), batches });
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

function passOf(
  { onOutcome, stop }: CopySurroundings,
  parts: LaneParts,
  ledger: Ledger,
): Omit<CopyPass, "batches"> {
  return { lane: (batch) => runLane(batch, parts), batchesInFlight, ledger, onOutcome, stop };
}

/** A lane that tells what it read apart from what changes later. */
function noting(parts: LaneParts, recent: RecentFiles): LaneParts {
  return {
    ...parts,
    read: (file) => {
      const reading = parts.read(file);
      if (reading.kind === "read") recent.note(file, reading.stamp);
      else recent.noteUnread(file);
      return reading;
    },
  };
}

function* changedBatches(
  directories: readonly string[],
  tally: ScanTally,
  isChanged: (file: SessionFile) => boolean,
): Generator<readonly SessionFile[]> {
  for (const batch of batchesOf(directories, tally)) yield batch.filter(isChanged);
}

function laneParts(
  settings: CopySettings,
  layout: KeyLayout,
  connection: ResilientConnection,
  facts: ServerFacts,
  stop: AbortSignal,
): LaneParts {
  const conversion = { ...settings.conversion, keyPrefix: keyPrefix(layout, settings.target.prefix) };
  const maxFileSize = fileSizeFactor * conversion.maxSessionSize;
  const parts = settleParts(settings, connection, facts.clockLeadMs, stop);
  return {
    read: (file) => readSessionFile(file, maxFileSize),
    convert: (read, sid) => convertSession(read, sid, conversion, Date.now()),
    settle: (candidates) => settleEntries(candidates, parts),
    isGone: settings.run.dryRun ? () => false : isGone,
    takeBack: (entries) => connection.run((client) => takeBack(client, entries, facts.clockLeadMs)),
  };
}

/** A dry run looks and decides as the real one does, and writes nothing. */
function settleParts(
  settings: CopySettings,
  connection: ResilientConnection,
  lead: number,
  stop: AbortSignal,
): SettleParts {
  const { policy } = settings.conflicts;
  const reading: Pick<SettleParts, "look" | "decide"> = {
    look: (keys) => connection.run((client) => lookAtKeys(client, keys, lead)),
    decide: (candidate, held) => decideConflict(candidate, held, policy, settings.conversion, Date.now()),
  };
  const pretend = async (entries: readonly Entry[]): Promise<Write[]> =>
    entries.map(() => ({ kind: "copied" }));
  const write = (entries: readonly Entry[]) =>
    connection.run((client) => writeEntries(client, entries, lead));
  const overwrite = settings.run.dryRun ? pretend : write;
  const shared = { ...reading, ...(policy === "overwrite" ? { overwrite } : {}) };
  if (settings.run.dryRun) {
    return {
      ...shared,
      create: (entries) => connection.run((client) => foreseeCreation(client, entries)),
      replace: async (replacements) => replacements.map(() => true),
      waitForLifetimes: async () => undefined,
    };
  }
  return {
    ...shared,
    create: (entries) => connection.run((client, tries) => createEntries(client, entries, lead, tries > 1)),
    replace: (replacements) => connection.run((client) => replaceHeld(client, replacements, lead)),
    waitForLifetimes: () => pause(lifetimeToleranceMs, stop),
  };
}

function* batchesOf(directories: readonly string[], tally: ScanTally): Generator<readonly SessionFile[]> {
  for (const directory of directories) yield* scanSessions(directory, sessionsOfBatch, tally);
}

/** Counts beforehand, for the bar; a stop ends the count. */
async function countSessionFiles(directories: readonly string[], stop: AbortSignal): Promise<number> {
  let count = 0;
  let batches = 0;
  for (const batch of batchesOf(directories, newScanTally())) {
    count += batch.length;
    batches++;
    if (batches % batchesBetweenTurns === 0) await nextTurn();
    if (stop.aborted) break;
  }
  return count;
}
