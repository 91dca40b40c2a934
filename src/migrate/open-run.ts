import { randomBytes } from "node:crypto";
import { type Conversion, convertSession, fileSizeFactor } from "../convert/convert-session.js";
import { keyPrefix } from "../convert/session-key.js";
import { isSigned } from "../convert/sign.js";
import { RedisError } from "../model/errors.js";
import type { Held, HeldText } from "../model/held.js";
import type { Difference, Failure, SessionOutcome } from "../model/outcome.js";
import { describeTarget } from "../model/redis-target.js";
import type { CommandSettings } from "../model/run-options.js";
import type { RunRecord } from "../model/run-record.js";
import type { ReadSession } from "../model/session-file.js";
import type { Warn } from "../model/warn.js";
import { existingKeys } from "../redis/existing-keys.js";
import { lookForKeyLayouts } from "../redis/key-layouts-seen.js";
import { lookAtEach } from "../redis/look-at-keys.js";
import { ResilientConnection, shutdownGraceMs } from "../redis/resilient-connection.js";
import { type Phase, type Presence, presenceName } from "../redis/server/presence.js";
import { askServerFacts, refuseUnfitServer } from "../redis/server/server-facts.js";
import { directoryPlaces } from "../source/directory-places.js";
import { isSid } from "../source/session-name.js";
import { chooseKeyLayout } from "./choose-key-layout.js";
import type { Reporter } from "./reporter.js";

/** What a run talks to while it goes on. */
export interface Surroundings {
  readonly record: RunRecord;
  readonly reporter: Reporter;
  readonly warn: Warn;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  readonly onFailure: (failure: Failure) => void;
  readonly onDifference: (difference: Difference) => void;
  /** Asks a person before session files are removed, if one is there to be asked. Throws `SettingsError` if they decline. */
  readonly confirmPurge: (askPersistence: () => Promise<boolean | undefined>) => Promise<void>;
  /** Takes back what the main pass counted and reported, for it begins again. */
  readonly onBeginAgain: () => void;
  /** Aborted when the run is to stop. */
  readonly stop: AbortSignal;
}

/** A run that is connected to a Redis that it can use, and knows its keys. */
export interface OpenRun {
  readonly connection: ResilientConnection;
  /** By how much Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  /** What stands before the sid in every key. */
  readonly keyPrefix: string;
  readonly presence: Presence;
  /** Whether its connections carry a name, by which other runs see it: not if it only reads. */
  readonly isNamed: boolean;
  /** The session directories, resolved. */
  readonly directories: readonly string[];
  /** Bytes that a session file may have. */
  readonly maxFileSize: number;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** What Redis holds for sids. Throws where the run must end. */
  readonly look: (sids: readonly string[]) => Promise<readonly Held[]>;
  /** Which sids Redis has a key for. Throws where the run must end. */
  readonly exist: (sids: readonly string[]) => Promise<readonly boolean[]>;
  readonly close: () => Promise<void>;
}

/** Connects to Redis, sees to it that it is fit, and chooses the key layout. Throws `RedisError` where the run cannot go on. */
export async function openRun(
  settings: CommandSettings,
  { record, warn, stop }: Surroundings,
  phase: Phase | undefined,
): Promise<OpenRun> {
  const { prefix, redis } = settings.target;
  record.redis = describeTarget(redis);
  const presence = { places: directoryPlaces(record.directories), token: randomBytes(8).toString("hex") };
  const connection = await ResilientConnection.open({
    target: redis,
    retryForMs: settings.run.retryForMs,
    onWarning: warn,
    ...(phase === undefined ? {} : { name: presenceName(phase, presence) }),
    stop,
  });
  const closeLate = () => setTimeout(() => void connection.close(), shutdownGraceMs).unref();
  stop.addEventListener("abort", closeLate, { once: true });
  const close = async () => {
    stop.removeEventListener("abort", closeLate);
    await connection.close();
  };
  try {
    const facts = await connection.run(askServerFacts);
    refuseUnfitServer(facts);
    if (facts.warning !== undefined) warn(facts.warning);
    const { clockLeadMs } = facts;
    const isServerSaved = (held: HeldText) => !isSigned(held, clockLeadMs);
    const choice = await chooseKeyLayout(settings.target, (prefixes) =>
      connection.run((client) => lookForKeyLayouts(client, prefixes, { isSid, isServerSaved, clockLeadMs })),
    );
    record.keyLayoutEvidence = choice.evidence;
    if ("refusal" in choice) throw new RedisError("refused", choice.refusal);
    record.keyLayout = choice.layout;
    if (choice.warning !== undefined) warn(choice.warning, { evenIfQuiet: true });
    const conversion = { ...settings.conversion, keyPrefix: keyPrefix(choice.layout, prefix), clockLeadMs };
    const keyOf = (sid: string) => conversion.keyPrefix + sid;
    return {
      connection,
      clockLeadMs,
      keyPrefix: conversion.keyPrefix,
      presence,
      isNamed: phase !== undefined,
      directories: record.directories,
      maxFileSize: fileSizeFactor * conversion.maxSessionSize,
      convert: (read, sid) => convertSession(read, sid, conversion, Date.now()),
      exist: (sids) => connection.run((client) => existingKeys(client, sids.map(keyOf))),
      look: (sids) => connection.runEach(sids.map(keyOf), lookAtEach(clockLeadMs)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
