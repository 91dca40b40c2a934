import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { decideConflict, lifetimeToleranceMs } from "../convert/decide-conflict.js";
import type { Copy } from "../migrate/copy-sessions.js";
import type { LaneParts, WrittenEntry } from "../migrate/lane.js";
import { entryMemory, estimateMemoryNeed } from "../migrate/memory-need.js";
import { batchSizeFor, makePace } from "../migrate/pace.js";
import { type SettleParts, settleEntries } from "../migrate/settle-entries.js";
import { YoungWrites } from "../migrate/young-writes.js";
import type { Entry } from "../model/entry.js";
import { SourceError } from "../model/errors.js";
import { newScanTally } from "../model/session-file.js";
import type { Written } from "../model/written.js";
import { createEntries, foreseeCreation } from "../redis/create-entries.js";
import { existingKeys } from "../redis/existing-keys.js";
import { lookAtKeys } from "../redis/look-at-keys.js";
import { MemoryGuard } from "../redis/memory-guard.js";
import { pause } from "../redis/pause.js";
import { countOthersCopying } from "../redis/presence.js";
import { replaceHeld } from "../redis/replace-held.js";
import { takeBack } from "../redis/take-back.js";
import { type Write, writeEntries } from "../redis/write-entries.js";
import { readSessionFile } from "../source/read-session-file.js";
import { isModifiedSince, RecentFiles } from "../source/recent-files.js";
import { goneTest, isSuperseded } from "../source/session-places.js";
import { WrittenSessions } from "../source/written-sessions.js";
import type { CommandSettings } from "./command-settings.js";
import { type EvictionWatch, refuseEviction } from "./eviction.js";
import type { Marks } from "./marks.js";
import type { OpenRun, Surroundings } from "./open-run.js";
import { type ScanSettings, scanAll } from "./session-scan.js";
import { tooManyFailed } from "./too-many-failed.js";

const sessionsOfBatch = 256;
const batchesInFlight = 3;
const batchesBetweenTurns = 16;
const staysInRedis = "a session that ends while it is copied stays in Redis";

/** What a copy is made of, joined. */
export interface ComposedCopy {
  readonly copy: Copy;
  /** Whether a file was read that was modified since the run began: a server still uses the directory. */
  readonly isInUse: () => boolean;
  /** How its files are found. */
  readonly scan: ScanSettings;
  readonly close: () => void;
}

/** Names the concrete parts of a copy and joins them. Throws `RedisError` where Redis has no room. */
export async function composeCopy(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Marks,
  evictions: EvictionWatch,
): Promise<ComposedCopy> {
  const { record, warn, stop, onOutcome, onFailure } = surroundings;
  const { dryRun, maxRate } = settings.run;
  const scan: ScanSettings = {
    directories: record.directories,
    batchSize: batchSizeFor(maxRate, sessionsOfBatch),
    sample: null,
    restores: !dryRun,
    warn,
  };
  const guard = new MemoryGuard(await checkRoom(run, scan, warn, stop));
  let written = dryRun ? undefined : openWritten(record.directories, warn);
  const takesBack = written !== undefined && (await mayTakeBack(run, warn));
  let longestLifetimeMs =
    1000 * Math.max(settings.conversion.expiration, settings.conversion.expirationAnonymous);

  const startedMs = Date.now();
  let inUse = false;
  const isGone = goneTest(record.directories);
  const takeBackGone = async (entries: readonly Written[]): Promise<boolean[]> => {
    const gone = entries.filter(({ file }) => isGone(file));
    if (gone.length === 0 || !takesBack) return entries.map(() => false);
    const deleted = new Set<Written>();
    await run.connection.run(async (client) => {
      // While a connection was away another run may have purged the file and not have seen us.
      const own = gone.filter(({ timesLost }) => timesLost === run.connection.timesLost);
      if (own.length < gone.length) warn(`the connection was lost meanwhile: ${staysInRedis}`);
      const replies = await takeBack(client, own, run.keyPrefix, run.clockLeadMs);
      for (const [index, one] of own.entries()) if (replies[index] === true) deleted.add(one);
    });
    return entries.map((one) => deleted.has(one));
  };
  const note = (one: Written) => {
    try {
      written?.add(one);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      warn(`${error.message}: ${staysInRedis}`, true);
      written?.close();
      written = undefined;
    }
  };
  const young = new YoungWrites();
  const settle = settleParts(settings, run, guard, young, stop);
  const laneOf = (pass: number, recent: RecentFiles): LaneParts => ({
    read: (file) => {
      const reading = readSessionFile(file, run.maxFileSize);
      if (reading.kind === "read") {
        recent.note(file, reading.stamp);
        inUse ||= isModifiedSince(reading.stamp, startedMs);
      } else recent.noteUnread(file);
      return reading;
    },
    isSuperseded: (file, stamp) => isSuperseded(file, stamp, record.directories),
    isSeenTo: (file, stamp) => !settings.conflicts.again && marks.of(file, stamp) !== undefined,
    convert: run.convert,
    settle: (candidates) => {
      for (const { fullLifetimeMs } of candidates) {
        longestLifetimeMs = Math.max(longestLifetimeMs, fullLifetimeMs);
      }
      young.note(candidates);
      return settleEntries(candidates, settle);
    },
    timesLost: () => run.connection.timesLost,
    takeBackGone: async (entries) => {
      if (dryRun) return entries.map(() => false);
      const all = entries.map((entry) => writtenOf(entry, pass));
      const takenBack = await takeBackGone(all);
      for (const [index, one] of all.entries()) if (takenBack[index] !== true) note(one);
      return takenBack;
    },
  });
  return {
    scan,
    isInUse: () => inUse,
    close: () => written?.close(),
    copy: {
      record,
      scan: (tally) => scanAll(scan, tally),
      rememberFrom: (startedMs) => new RecentFiles(startedMs),
      laneOf,
      marks: { read: marks.read, leave: (startedMs) => marks.leave(startedMs, longestLifetimeMs) },
      written: {
        forget: () => written?.forget(),
        batches: () => written?.batches(sessionsOfBatch) ?? [],
        takeBackGone,
      },
      beginWatch: evictions.begin,
      endWatch: evictions.end,
      dryRun,
      tooManyFailed: () => tooManyFailed(record, settings.run.maxFailed),
      pass: { batchesInFlight, pace: makePace(maxRate, (time) => pause(time, stop)), stop },
      onOutcome,
      onFailure,
    },
  };
}

function writtenOf({ file, candidate, timesLost }: WrittenEntry, pass: number): Written {
  const { value, expiresAtMs } = candidate.entry;
  const digest = createHash("sha1").update(value, "latin1").digest();
  return { file, pass, timesLost, expiresAtMs, digest, bytes: value.length };
}

/** Where what is written is kept; `undefined`, and said, where it cannot be. */
function openWritten(
  directories: readonly string[],
  warn: Surroundings["warn"],
): WrittenSessions | undefined {
  try {
    return new WrittenSessions(directories);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    warn(`${error.message}: ${staysInRedis}`, true);
    return undefined;
  }
}

/**
 * Whether keys may be taken back: a file may also be gone because another run purged it, and that run waits only for copies that it can
 * see.
 */
async function mayTakeBack({ connection, presence }: OpenRun, warn: Surroundings["warn"]): Promise<boolean> {
  const others = await connection.run((client) => countOthersCopying(client, presence));
  if (connection.announced && others !== undefined) return true;
  warn(`the right to CLIENT SETNAME and CLIENT LIST is missing: ${staysInRedis}`);
  return false;
}

/** Bytes of memory that the sessions need, about; 0 where Redis has no limit. Throws `RedisError` where they would be evicted. */
async function checkRoom(
  { connection, convert, maxFileSize }: OpenRun,
  scan: ScanSettings,
  warn: Surroundings["warn"],
  stop: AbortSignal,
): Promise<number> {
  return refuseEviction(connection, warn, () => {
    let batches = 0;
    return estimateMemoryNeed({
      batches: scanAll({ ...scan, restores: false, warn: () => undefined }, newScanTally()),
      read: (file) => readSessionFile(file, maxFileSize),
      convert,
      exist: (keys) => connection.run((client) => existingKeys(client, keys)),
      turn: async () => {
        batches++;
        if (batches % batchesBetweenTurns === 0) await nextTurn();
        return !stop.aborted;
      },
    });
  });
}

/** A dry run looks and decides as the real one does, and writes nothing. */
function settleParts(
  settings: CommandSettings,
  { connection, clockLeadMs }: OpenRun,
  guard: MemoryGuard,
  young: YoungWrites,
  stop: AbortSignal,
): SettleParts {
  const { policy } = settings.conflicts;
  const reading: Pick<SettleParts, "look" | "decide"> = {
    look: (keys) => connection.run((client) => lookAtKeys(client, keys, clockLeadMs)),
    decide: (candidate, held) => {
      const decision = decideConflict(candidate, held, policy, settings.conversion, Date.now());
      const isOlder = policy === "newest" && young.holdsNewer(candidate, held.expiresAtMs);
      return decision.kind === "replace" && isOlder ? { kind: "kept" } : decision;
    },
  };
  const pretend = async (entries: readonly Entry[]): Promise<Write[]> =>
    entries.map(() => ({ kind: "copied" }));
  const write = (entries: readonly Entry[]) =>
    connection.run(async (client) => {
      const written = await guard.admit(client, memoryOf(entries));
      return writeEntries(client, entries, clockLeadMs).finally(written);
    });
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
    create: (entries) =>
      connection.run(async (client, tries) => {
        const written = await guard.admit(client, memoryOf(entries), async () => {
          const exists = await existingKeys(
            client,
            entries.map(({ key }) => key),
          );
          return memoryOf(entries.filter((_, index) => exists[index] !== true));
        });
        return createEntries(client, entries, clockLeadMs, tries > 1).finally(written);
      }),
    replace: (replacements) =>
      connection.run(async (client) => {
        const written = await guard.admit(client, memoryOf(replacements.map(({ entry }) => entry)));
        return replaceHeld(client, replacements, clockLeadMs).finally(written);
      }),
    waitForLifetimes: () => pause(lifetimeToleranceMs, stop),
  };
}

function memoryOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { key, value }) => sum + entryMemory(key, value), 0);
}
