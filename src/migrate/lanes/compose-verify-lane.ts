import { compareHeld } from "../../convert/compare-held.js";
import { convertSession } from "../../convert/convert-session.js";
import { type ConflictRules, conflictRules } from "../../convert/decide-conflict.js";
import { explainMissing, isCovered, isUnmodifiedSinceMark, recentMs } from "../../convert/missing-key.js";
import type { DirectoryFacts, Survey } from "../../model/mark.js";
import { lookAtEach } from "../../redis/look-at-keys.js";
import { pause } from "../../redis/pause.js";
import { Looks } from "../../source/looks.js";
import { OtherPlaces } from "../../source/other-places.js";
import { ReadAhead } from "../../source/read-ahead.js";
import { SeenDirectories } from "../earlier-runs/learn.js";
import type { LaneSurroundings } from "./compose-copy-lane.js";
import type { Lane } from "./copy-lane.js";
import type { LaneOrder } from "./lane-order.js";
import { laneResult } from "./lane-result.js";
import { type VerifyParts, verifyBatch } from "./verify-lane.js";

/** A live server's save is whole within this time. */
const changeMs = 250;
/** Where very much is amiss it is no passing change, and waiting again and again would take for ever. */
const mostWaits = 20;

/** Names the concrete parts of a lane of a verification and joins them. */
export function composeVerifyLane(
  { directories, conversion, conflicts, keyPrefix, clockLeadMs, maxFileSize, collectsOutcomes }: LaneOrder,
  { connection, stop }: Pick<LaneSurroundings, "connection" | "stop">,
): Lane {
  const settings = { ...conversion, keyPrefix, clockLeadMs };
  let rules: ConflictRules | undefined;
  let facts: ReadonlyMap<string, DirectoryFacts> = new Map();
  const seen = new SeenDirectories();
  const know = (survey: Survey) => {
    rules = conflictRules({ policy: conflicts.policy, lifetimes: conversion, clockLeadMs }, survey);
    facts = new Map(survey.directories.map((one) => [one.directory, one]));
  };
  let waits = 0;
  const files = new ReadAhead(maxFileSize);
  const otherPlaces = new OtherPlaces(directories, new Looks());
  const parts: VerifyParts = {
    ahead: async (batch) => {
      await Promise.all([files.begin(batch), otherPlaces.begin(batch)]);
    },
    read: (file) => files.read(file),
    isSuperseded: (file, stamp) => otherPlaces.isSuperseded(file, stamp),
    convert: (read, sid) => convertSession(read, sid, settings, Date.now()),
    look: (sids) =>
      connection.runEach(
        sids.map((sid) => keyPrefix + sid),
        lookAtEach(clockLeadMs),
      ),
    compare: (candidate, held) => {
      if (rules === undefined) throw new Error("a lane compares before it begins");
      return compareHeld(candidate, held, rules, Date.now());
    },
    isUnmodified: (file, stamp) => isUnmodifiedSinceMark(stamp, facts.get(file.directory)),
    explainMissing: ({ directory }, stamp, { fullLifetimeMs, lifetimeOrigin }) => {
      const nowMs = Date.now();
      if (conversion.ttl === "remaining" && stamp.mtimeMs + fullLifetimeMs <= nowMs) return "expired";
      const known = facts.get(directory);
      if (known === undefined) return "missing";
      const meaning = explainMissing({ stamp, fullLifetimeMs, lifetimeOrigin }, known, conversion, nowMs);
      return meaning === "write" ? "missing" : meaning;
    },
    noteSettled: ({ directory }, stamp, kind) => {
      const known = facts.get(directory);
      if (known?.mark === undefined) return;
      if (stamp.mtimeMs <= Date.now() + recentMs) seen.addModification(directory, stamp.mtimeMs);
      if (isCovered(stamp, known)) seen.addCovered(directory, kind === "ended");
    },
    waitForChanges: async () => {
      waits++;
      if (waits <= mostWaits) await pause(changeMs, stop);
    },
  };
  return {
    begin: async (main) => know(main.survey),
    learn: async (survey) => know(survey),
    work: async (batch) =>
      laneResult(batch.length, await verifyBatch(batch, parts), collectsOutcomes, seen.take()),
    close: async () => undefined,
  };
}
