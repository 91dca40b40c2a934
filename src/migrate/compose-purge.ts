import { dirname } from "node:path";
import { compareHeld } from "../convert/compare-held.js";
import { convertSession } from "../convert/convert-session.js";
import { conflictRules } from "../convert/decide-conflict.js";
import { explainMissing, isUnmodifiedSinceMark } from "../convert/missing-key.js";
import { RedisError, RedisForgotError } from "../model/errors.js";
import type { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { CommandSettings } from "../model/run-options.js";
import type { ReadSession, ScanTally, SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { pause } from "../redis/pause.js";
import { countOthersCopying, presenceName } from "../redis/server/presence.js";
import { askPersistence, askReplicationOffset, replicasAreInStep } from "../redis/server/server-state.js";
import { Looks } from "../source/looks.js";
import { OtherPlaces } from "../source/other-places.js";
import { type OpenFiles, openFiles } from "../source/removal/open-files.js";
import { explainDenial } from "../source/removal/removal-denial.js";
import type { Marks } from "./earlier-runs/marks.js";
import type { OpenRun, Surroundings } from "./open-run.js";
import { batchSizeFor, makePace } from "./pace.js";
import { type ProofParts, proveAgain, proveBatch, proveUnasked, proveUnaskedAgain } from "./purge-lane.js";
import type { Purge } from "./purge-sessions.js";
import type { RedisWatch } from "./redis-watch.js";
import { scanAll } from "./session-scan.js";

const sessionsOfBatch = 256;
const batchesInFlight = 3;
const lookForOthersEveryMs = 250;
const largestUnaskedFile = 2 ** 31 - 1;

/** What a purge is composed for. */
export interface PurgeOrder {
  /** Counts what becomes of the files. */
  readonly ledger: Ledger;
  readonly tally: ScanTally;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  /** `proven`: what Redis holds; `unconditional`: all, and Redis is asked what it does not hold. */
  readonly extent: "proven" | "unconditional";
  /** When the purge began, milliseconds since the epoch: what is saved later says that a server uses the directory. */
  readonly startedMs: number;
}

export interface ComposedPurge {
  readonly purge: Purge;
  /** Waits until nobody else copies the directory; `false` where that goes on for too long. Throws where the run must end. */
  readonly begin: () => Promise<boolean>;
  readonly close: () => void;
}

/** Names the concrete parts of a purge and joins them. Throws `SourceError` where a session directory cannot be opened. */
export function composePurge(
  settings: CommandSettings,
  surroundings: Surroundings,
  run: OpenRun,
  marks: Pick<Marks, "noteRemoval">,
  survey: Survey,
  watch: RedisWatch,
  order: PurgeOrder,
): ComposedPurge {
  const { conversion, conflicts } = settings;
  const { clockLeadMs } = run;
  const rules = conflictRules({ policy: conflicts.policy, lifetimes: conversion, clockLeadMs }, survey, true);
  const factsOf = ({ directory }: SessionFile) =>
    survey.directories.find((facts) => facts.directory === directory);
  const files = openFiles(surroundings.record.directories, run.maxFileSize, order.startedMs);
  const otherPlaces = new OtherPlaces(surroundings.record.directories, new Looks());
  const proof: ProofParts = {
    read: files.read,
    convert: run.convert,
    laterFile: (file, stamp) => otherPlaces.laterFile(file, stamp),
    look: run.look,
    compare: (candidate, held) => compareHeld(candidate, held, rules, Date.now()),
    isUnmodified: (file, stamp) => isUnmodifiedSinceMark(stamp, factsOf(file)),
    explainMissing: (file, stamp, { fullLifetimeMs, lifetimeOrigin }) => {
      const facts = factsOf(file);
      const session = { stamp, fullLifetimeMs, lifetimeOrigin };
      return facts !== undefined && explainMissing(session, facts, conversion, Date.now()) === "ended"
        ? "ended"
        : "absent";
    },
    exist: run.exist,
    nowMs: Date.now,
    unconditional: order.extent === "unconditional",
  };
  const { begin, confirm, conclude } = makeConfirm(settings, surroundings, run, marks, watch);
  return {
    close: files.close,
    begin,
    purge: {
      ...sharedParts(settings, surroundings, order, files),
      prove: async (batch) => {
        await otherPlaces.begin(batch);
        return proveBatch(batch, proof);
      },
      proveAgain: (proven) => proveAgain(proven, proof),
      confirm,
      conclude,
    },
  };
}

/** The same without a Redis: every session file goes. */
export function composeUnverifiedPurge(
  settings: CommandSettings,
  surroundings: Surroundings,
  order: Omit<PurgeOrder, "extent" | "startedMs">,
): ComposedPurge {
  const files = openFiles(surroundings.record.directories, largestUnaskedFile, Date.now());
  const conversion = { ...settings.conversion, keyPrefix: "", clockLeadMs: 0 };
  const proof = {
    read: files.read,
    convert: (read: ReadSession, sid: string) => convertSession(read, sid, conversion, Date.now()),
  };
  return {
    close: files.close,
    begin: async () => true,
    purge: {
      ...sharedParts(settings, surroundings, order, files),
      prove: (batch) => proveUnasked(batch, proof),
      proveAgain: (proven) => proveUnaskedAgain(proven, proof),
      confirm: async () => true,
      conclude: async () => true,
    },
  };
}

function sharedParts(
  settings: CommandSettings,
  { record, warn, stop }: Surroundings,
  { ledger, tally, onOutcome }: Omit<PurgeOrder, "extent" | "startedMs">,
  files: OpenFiles,
): Omit<Purge, "prove" | "proveAgain" | "confirm" | "conclude"> {
  const { dryRun, maxRate } = settings.run;
  const scan = {
    directories: record.directories,
    batchSize: batchSizeFor(maxRate, sessionsOfBatch),
    sample: null,
    restores: !dryRun,
    warn,
  };
  const wait = (milliseconds: number) => pause(milliseconds, stop);
  return {
    batches: scanAll(scan, tally),
    batchesInFlight,
    pace: makePace(maxRate, wait),
    stop,
    remove: ({ file, exact }) => {
      const removal = files.remove(file, exact);
      if (removal.kind === "denied") {
        warn(explainDenial({ code: removal.code }, showablePath(dirname(`${file.directory}/${file.name}`))), {
          evenIfQuiet: true,
        });
      }
      return removal;
    },
    isDenied: (file) => {
      const denial = files.denialOf(file);
      if (denial !== undefined)
        warn(explainDenial(denial.why, showablePath(denial.folder)), { evenIfQuiet: true });
      return denial !== undefined;
    },
    isInUse: files.isInUse,
    isBroken: (directory) => tally.unreadable.some((one) => one.directory === directory),
    inUse: settings.removal.inUse,
    dryRun,
    ledger,
    onOutcome,
    wait,
  };
}

/** What stands between the proof and the removal. */
function makeConfirm(
  settings: CommandSettings,
  { warn, stop }: Surroundings,
  run: OpenRun,
  marks: Pick<Marks, "noteRemoval">,
  watch: RedisWatch,
): Pick<ComposedPurge, "begin"> & Pick<Purge, "confirm" | "conclude"> {
  const { connection, presence } = run;
  const { generation } = connection;
  let isFirst = true;
  const conclude = async () => {
    const evicted = await watch.end();
    if (connection.generation !== generation) throw new RedisForgotError();
    return !evicted;
  };
  return {
    conclude,
    begin: async () => {
      if (settings.run.dryRun) {
        // What would refuse the purge refuses its rehearsal too.
        await countOtherCopies(settings, run);
        return true;
      }
      await connection.rename(presenceName("removing", presence));
      if (!connection.announced) {
        warn("CLIENT SETNAME is denied: other runs cannot see this purge, so start none before it is over");
      }
      return othersAreThrough();
    },
    confirm: async () => {
      if (isFirst) await tellPersistence();
      // A copy may have begun behind the proof.
      if (!(await othersAreThrough())) return false;
      if (isFirst) await marks.noteRemoval();
      isFirst = false;
      await waitForReplicas();
      return (await conclude()) && !stop.aborted;
    },
  };

  async function tellPersistence(): Promise<void> {
    const persists = await connection.run(askPersistence);
    if (persists === undefined) {
      warn(
        "Redis does not tell whether it saves to disk. If it does not, a restart of it after the removal logs everyone out; allow INFO and CONFIG GET to be sure",
        { evenIfQuiet: true },
      );
    } else if (!persists) {
      warn("Redis keeps nothing on a disk: once the files are gone, a restart of it ends every session", {
        evenIfQuiet: true,
      });
    }
  }

  /** A copy that is under way would take our removal for a logout, and its key back. */
  async function othersAreThrough(): Promise<boolean> {
    const giveUpAtMs = Date.now() + settings.run.retryForMs;
    for (let told = false; !stop.aborted; told = true) {
      const others = await countOtherCopies(settings, run);
      if (others === 0) return true;
      if (Date.now() >= giveUpAtMs) {
        warn("another run still copies this directory: nothing was removed", { evenIfQuiet: true });
        return false;
      }
      if (!told) warn("another run copies this directory: nothing is removed before it is through");
      await pause(lookForOthersEveryMs, stop);
    }
    return false;
  }

  async function waitForReplicas(): Promise<void> {
    const { waitReplicas } = settings.removal;
    if (waitReplicas === 0) return;
    const giveUpAtMs = Date.now() + settings.run.retryForMs;
    const offset = await connection.run(askReplicationOffset);
    while (!(await connection.run((client) => replicasAreInStep(client, waitReplicas, offset)))) {
      if (Date.now() >= giveUpAtMs || stop.aborted) {
        throw new RedisError(
          "unavailable",
          `fewer than ${waitReplicas} replicas have what was written: nothing was removed`,
        );
      }
      await pause(lookForOthersEveryMs, stop);
    }
  }
}

/**
 * Counts other runs that copy this directory. Throws `RedisError` if they cannot be seen and
 * `--alone` is not given.
 */
export async function countOtherCopies(
  { removal }: CommandSettings,
  { connection, presence }: OpenRun,
): Promise<number> {
  const others = await connection.run((client) => countOthersCopying(client, presence));
  if (others !== undefined) return others;
  if (removal.alone) return 0;
  throw new RedisError(
    "refused",
    "Redis does not show other connections to this user (CLIENT LIST is denied, or does not list our own connection), so a purge cannot see whether a copy is still under way: nothing was removed. Allow CLIENT LIST, or give --alone if no other run is copying this directory",
  );
}
