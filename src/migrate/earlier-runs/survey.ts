import { setImmediate as nextTurn } from "node:timers/promises";
import { locateServer, recentMs } from "../../convert/missing-key.js";
import { isModifiedSince } from "../../convert/modified-since.js";
import { isSigned } from "../../convert/sign.js";
import type { HeldText } from "../../model/held.js";
import type { DirectoryFacts, DirectoryMark, Expirations, KeyEvidence, Survey } from "../../model/mark.js";
import type { CommandSettings } from "../../model/run-options.js";
import { newScanTally, type SessionFile } from "../../model/session-file.js";
import { showable } from "../../model/showable.js";
import type { Warn } from "../../model/warn.js";
import { type KeySurvey, surveyKeys } from "../../redis/survey-keys.js";
import { Looks } from "../../source/looks.js";
import { pathOf } from "../../source/recent-files.js";
import { scanSessions } from "../../source/scan-sessions.js";
import { isSid } from "../../source/session-name.js";
import type { OpenRun } from "../open-run.js";
import { longestOf } from "./complete-mark.js";
import { jointly } from "./learn.js";
import type { Marks } from "./marks.js";

/** What the survey needs to know. */
export interface SurveyOrder {
  readonly prefix: string | null;
  readonly expirations: Expirations;
  readonly marks: ReadonlyMap<string, DirectoryMark>;
  readonly endedCounts: boolean;
  /** Whether every session file is looked at, not a sample. */
  readonly whole: boolean;
  readonly warn: Warn;
  readonly stop: AbortSignal;
}

/** What every survey of a run needs; `whole` is for the caller to say. */
export function surveyOrder(
  { target: { prefix }, conversion }: CommandSettings,
  marks: Pick<Marks, "complete" | "endedCounts">,
  { warn, stop }: Pick<SurveyOrder, "warn" | "stop">,
): Omit<SurveyOrder, "whole"> {
  const marksNow = marks.complete();
  return { prefix, expirations: conversion, marks: marksNow, endedCounts: marks.endedCounts(), warn, stop };
}

/** Looks at Redis and the session directories before a run begins. Throws where the run must end. */
export async function surveyRun(run: OpenRun, order: SurveyOrder): Promise<Survey> {
  const { connection, keyPrefix, clockLeadMs, directories } = run;
  const found = await connection.run((client) => surveyKeys(client, keyPrefix, clockLeadMs, isSid));
  if (found === undefined) {
    order.warn(
      "Redis does not allow this user the commands SCAN and STRLEN, which show whether a server saves its sessions in Redis: lifetimes are not renewed, and no key is deleted",
    );
  }
  const isServerSaved = (key: HeldText) => !isSigned(key, clockLeadMs);
  const signsCount = found === undefined || !areWholeSeconds(found, clockLeadMs);
  if (found !== undefined && signsCount) warnOfPrefix(found, isServerSaved, order);
  const keys = evidenceOf(found, signsCount, isServerSaved);
  const facts: DirectoryFacts[] = [];
  for (const directory of directories) {
    const mark = order.marks.get(directory);
    const seen = mark === undefined ? nothingSeen : await lookAtFiles(directory, mark, order);
    facts.push({
      directory,
      ...(mark === undefined ? {} : { mark }),
      serverWorks: locateServer(keys, { ...(mark === undefined ? {} : { mark }), ...seen }, Date.now()),
      endedCounts: order.endedCounts,
      changeTimesCount: seen.changeTimesCount,
      latestMtimeMs: seen.latestMtimeMs,
      whole: order.whole,
    });
  }
  const longest = longestOf([...order.marks.values()], order.expirations);
  return { keys, directories: facts, signsCount, serverWorks: jointly(facts), longest };
}

const fewKeys = 5;

/** Some stores keep whole seconds only: no sign survives there. */
function areWholeSeconds({ own }: KeySurvey, clockLeadMs: number): boolean {
  const instants = own.flatMap(({ expiresAtMs }) =>
    expiresAtMs === null ? [] : [expiresAtMs + clockLeadMs],
  );
  return instants.length >= fewKeys && instants.every((instant) => instant % 1000 === 0);
}

function evidenceOf(
  found: KeySurvey | undefined,
  signsCount: boolean,
  isServerSaved: (key: HeldText) => boolean,
): KeyEvidence {
  if (found === undefined || !signsCount) return "unknown";
  if (found.own.some(isServerSaved)) return "server-saved";
  return found.representative ? "none" : "unknown";
}

/** The server that uses this Redis reads other keys than this run writes. */
function warnOfPrefix(
  { own, others }: KeySurvey,
  isServerSaved: (key: HeldText) => boolean,
  { prefix, warn }: SurveyOrder,
): void {
  const other = others.find(isServerSaved);
  if (prefix !== null || other === undefined || own.some(isServerSaved)) return;
  const theirs = showable(other.keyPrefix.replace(/^session::?/, "").replace(/:$/, ""));
  warn(
    `A server saves its sessions in this Redis under ${showable(other.keyPrefix)}<sid>, and this run uses no prefix. If that is your server, add --prefix ${theirs}: under other keys everybody is logged out.`,
    { evenIfQuiet: true },
  );
}

const nothingSeen = { latestMtimeMs: 0, changeTimesCount: true };
const sampled = 1000;
/** A sample is spread over this many names; a directory lists them in no order of time. */
const namesForSample = 20_000;
const namesAtATime = 1000;

/** When session files were last modified, and whether their change times tell. */
async function lookAtFiles(
  directory: string,
  mark: DirectoryMark,
  { whole, stop }: SurveyOrder,
): Promise<typeof nothingSeen> {
  const nowMs = Date.now();
  const looks = new Looks();
  let latestMtimeMs = 0;
  let seen = 0;
  let areAllChanged = true;
  const look = (file: SessionFile) => {
    const stats = looks.stampOf(pathOf(file));
    if (stats === undefined) return;
    seen++;
    if (stats.mtimeMs <= nowMs + recentMs) latestMtimeMs = Math.max(latestMtimeMs, stats.mtimeMs);
    areAllChanged &&= isModifiedSince({ mtimeMs: 0, ctimeMs: stats.ctimeMs }, mark.startedMs, true);
  };
  const kept: SessionFile[] = [];
  let listed = 0;
  for (const batch of scanSessions(directory, namesAtATime, newScanTally())) {
    if (whole) batch.forEach(look);
    else
      kept.push(
        ...batch.filter(
          (_, index) => (listed + index) % (namesForSample / sampled) === 0 || listed < sampled,
        ),
      );
    listed += batch.length;
    if (stop.aborted || (!whole && listed >= namesForSample)) break;
    await nextTurn();
  }
  kept.forEach(look);
  return { latestMtimeMs, changeTimesCount: seen === 0 || !areAllChanged };
}
