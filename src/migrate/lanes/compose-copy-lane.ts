import { setImmediate as nextTurn } from "node:timers/promises";
import { convertSession } from "../../convert/convert-session.js";
import { conflictRules, decideConflict, lifetimeToleranceMs } from "../../convert/decide-conflict.js";
import type { Entry, Written } from "../../model/entry.js";
import { SourceError } from "../../model/errors.js";
import type { Survey } from "../../model/mark.js";
import type { Warn } from "../../model/warn.js";
import { createEntries, entryThatIsNotCreated, foreseeCreation } from "../../redis/create-entries.js";
import { existingKeys } from "../../redis/existing-keys.js";
import { lookAtEach } from "../../redis/look-at-keys.js";
import { pause } from "../../redis/pause.js";
import { keepsValue, replaceHeld } from "../../redis/replace-held.js";
import type { ResilientConnection } from "../../redis/resilient-connection.js";
import { MemoryGuard } from "../../redis/server/memory-guard.js";
import { sha1 } from "../../redis/sha1.js";
import { takeBack } from "../../redis/take-back.js";
import { entryThatIsNotWritten, type Write, writeEntries } from "../../redis/write-entries.js";
import { Looks } from "../../source/looks.js";
import { OtherPlaces } from "../../source/other-places.js";
import { ReadAhead } from "../../source/read-ahead.js";
import { isModifiedSince, pathOf, RecentFiles } from "../../source/recent-files.js";
import { SessionFolders } from "../../source/session-folders.js";
import { WrittenSessions } from "../../source/written-sessions.js";
import { deleteCopyWritten } from "../earlier-runs/delete-copy-written.js";
import { entryMemory } from "../memory-need.js";
import { type CopyLane, makeCopyLane } from "./copy-lane.js";
import type { LaneOrder } from "./lane-order.js";
import { type SettleParts, settleEntries } from "./settle-entries.js";
import { YoungWrites } from "./young-writes.js";

/** What follows where a key cannot be taken back. */
export const staysInRedis = "a session that ends while it is copied stays in Redis";

/** What a lane has of its own: a connection, somebody who hears its warnings, and a signal that tells it to stop. */
export interface LaneSurroundings {
  readonly connection: ResilientConnection;
  readonly warn: Warn;
  readonly stop: AbortSignal;
}

/** Names the concrete parts of a lane of a copy and joins them. */
export function composeCopyLane(order: LaneOrder, surroundings: LaneSurroundings): CopyLane {
  const { connection, warn, stop } = surroundings;
  const { directories, conversion, keyPrefix, clockLeadMs, dryRun } = order;
  const guard = new MemoryGuard(order.memoryNeed, order.lanes);
  const settings = { ...conversion, keyPrefix, clockLeadMs };
  const looks = new Looks();
  const files = new ReadAhead(order.maxFileSize);
  const folders = new SessionFolders(directories);
  const otherPlaces = new OtherPlaces(directories, looks);
  const young = new YoungWrites();
  const settle = settleParts(order, surroundings, guard);
  let written = dryRun ? undefined : openWritten(directories, warn);
  /** What was written cannot be kept any more: it is said, and the lane goes on without. */
  const doWithoutWritten = (error: unknown) => {
    if (!(error instanceof SourceError)) throw error;
    warn(`${error.message}: ${staysInRedis}`, { evenIfQuiet: true });
    written?.close();
    written = undefined;
  };
  return makeCopyLane({
    ahead: async (batch) => {
      for (const file of batch) folders.note(file);
      await Promise.all([files.begin(batch), otherPlaces.begin(batch)]);
    },
    read: (file) => files.read(file),
    isSuperseded: (file, stamp) => otherPlaces.isSuperseded(file, stamp),
    look: (batch) => looks.stampsOf(batch.map(pathOf)),
    lookAt: (file) => looks.stampOf(pathOf(file)),
    hasVanished: (file) => folders.hasVanished(file),
    convert: (read, sid) => convertSession(read, sid, settings, Date.now()),
    settle: (candidates, survey) => {
      young.note(candidates);
      return settleEntries(candidates, { ...settle, decide: decideBy(order, young, survey) });
    },
    deleteOver: async (over) => {
      if (!dryRun) await deleteCopyWritten(connection, over, { keyPrefix, clockLeadMs });
    },
    expirations: conversion,
    timesLost: () => connection.timesLost,
    rememberFrom: (startedMs) => new RecentFiles(startedMs),
    isModifiedSince,
    runStartedMs: order.startedMs,
    again: order.conflicts.again,
    written: () => keptWritten(written, doWithoutWritten),
    note: (one) => {
      try {
        written?.add(one);
      } catch (error) {
        doWithoutWritten(error);
      }
    },
    exist: (files) =>
      connection.run((client) =>
        existingKeys(
          client,
          files.map(({ sid }) => keyPrefix + sid),
        ),
      ),
    digestOf: sha1,
    noneCanBeGone: () => folders.areUntouched(),
    takeBackGone: async (entries) => {
      const takenBack = new Set<Written>();
      const gone = await folders.goneOf(entries, looks);
      if (gone.length === 0 || !order.takesBack) return takenBack;
      await connection.run(async (client) => {
        // While a connection was away another run may have purged the file and not have seen us.
        const own = gone.filter(({ timesLost }) => timesLost === connection.timesLost);
        if (own.length < gone.length) warn(`the connection was lost meanwhile: ${staysInRedis}`);
        const replies = await takeBack(client, own, keyPrefix, clockLeadMs);
        for (const [index, one] of own.entries()) if (replies[index] === true) takenBack.add(one);
      });
      return takenBack;
    },
    dryRun,
    collectsOutcomes: order.collectsOutcomes,
    turn: () => nextTurn(),
    stop,
    close: async () => written?.close(),
  });
}

/** Where what is written is kept; `undefined`, and said, where it cannot be. */
function openWritten(
  directories: readonly string[],
  warn: LaneSurroundings["warn"],
): WrittenSessions | undefined {
  try {
    return new WrittenSessions(directories);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    warn(`${error.message}: ${staysInRedis}`, { evenIfQuiet: true });
    return undefined;
  }
}

/** The same, as far as it can be kept. */
function keptWritten(
  written: WrittenSessions | undefined,
  onFailure: (error: unknown) => void,
): Pick<WrittenSessions, "forget" | "batches"> | undefined {
  if (written === undefined) return undefined;
  return {
    forget: () => {
      try {
        written.forget();
      } catch (error) {
        onFailure(error);
      }
    },
    *batches(size) {
      try {
        yield* written.batches(size);
      } catch (error) {
        onFailure(error);
      }
    },
  };
}

/** A dry run looks and decides as the real one does, and writes nothing. */
function settleParts(
  { conflicts: { policy }, clockLeadMs, dryRun }: LaneOrder,
  { connection, stop }: LaneSurroundings,
  guard: MemoryGuard,
): Omit<SettleParts, "decide"> {
  const reading: Pick<SettleParts, "look"> = {
    look: (keys) => connection.runEach(keys, lookAtEach(clockLeadMs)),
  };
  const explain = (error: unknown): never => {
    throw guard.explain(error);
  };
  const pretend = async (entries: readonly Entry[]): Promise<Write[]> =>
    entries.map(() => ({ kind: "copied" }));
  const write = (entries: readonly Entry[]) =>
    connection.runEach(entries, {
      ...entryThatIsNotWritten,
      work: async (client, part) => {
        const written = await guard.admit(client, memoryOf(part));
        return writeEntries(client, part, clockLeadMs).catch(explain).finally(written);
      },
    });
  const overwrite = dryRun ? pretend : write;
  const shared = { ...reading, ...(policy === "overwrite" ? { overwrite } : {}) };
  if (dryRun) {
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
      connection.runEach(entries, {
        ...entryThatIsNotCreated,
        work: async (client, part, tries) => {
          const written = await guard.admit(client, memoryOf(part), async () => {
            const exists = await existingKeys(
              client,
              part.map(({ key }) => key),
            );
            return memoryOf(part.filter((_, index) => exists[index] !== true));
          });
          return createEntries(client, part, clockLeadMs, tries > 1)
            .catch(explain)
            .finally(written);
        },
      }),
    replace: (replacements) =>
      connection.runEach(replacements, {
        nameOf: ({ entry }) => `replace ${entry.key}`,
        unaccepted: () => "unaccepted" as const,
        work: async (client, part): Promise<(boolean | "unaccepted")[]> => {
          const growing = part.filter((one) => !keepsValue(one)).map(({ entry }) => entry);
          const written = await guard.admit(client, memoryOf(growing));
          return replaceHeld(client, part, clockLeadMs).catch(explain).finally(written);
        },
      }),
    waitForLifetimes: () => pause(lifetimeToleranceMs, stop),
  };
}

function decideBy(
  { conflicts: { policy }, conversion, clockLeadMs }: LaneOrder,
  young: YoungWrites,
  survey: Survey,
): SettleParts["decide"] {
  const rules = conflictRules({ policy, lifetimes: conversion, clockLeadMs }, survey);
  return (candidate, held) => {
    const decision = decideConflict(candidate, held, rules, Date.now());
    const isOlder = policy === "newest" && young.holdsNewer(candidate, held.expiresAtMs);
    return decision.kind === "replace" && isOlder ? { kind: "kept" } : decision;
  };
}

function memoryOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { key, value }) => sum + entryMemory(key, value), 0);
}
