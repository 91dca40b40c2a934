import { setImmediate as nextTurn } from "node:timers/promises";
import { activityWindowMs, locateServer, mayBeModifiedSince } from "../../convert/missing-key.js";
import { isSigned } from "../../convert/sign.js";
import type { DirectoryFacts, DirectoryMark, KeyEvidence, Survey } from "../../model/mark.js";
import { newScanTally } from "../../model/session-file.js";
import type { StoredText } from "../../model/stored-value.js";
import type { KeySurvey } from "../../redis/survey-keys.js";
import { surveyServers } from "../../redis/topology/survey-servers.js";
import { pathOf } from "../../source/recent-files.js";
import { scanSessions } from "../../source/scan-sessions.js";
import { StatReader } from "../../source/stat-reader.js";
import type { Run } from "../run-context.js";
import { serverText } from "../tell.js";
import { longestOf } from "./complete-mark.js";
import { jointly } from "./learn.js";
import { areWholeSeconds, explainOtherKeys } from "./other-keys.js";

/**
 * Looks at Redis and the session directories before a run begins, at every session file or at a
 * sample. Throws `RedisError`.
 */
export async function surveyRun(run: Run, extent: "sample" | "whole"): Promise<Survey> {
  const { servers, marks } = run.redis;
  const { conversion, directories } = run.files;
  const { keyPrefix, clockLeadMs } = conversion;
  const found = await surveyServers(servers, keyPrefix, clockLeadMs);
  if (found === undefined) {
    run.out.warn(
      "Redis does not allow this user the commands SCAN and STRLEN, which show whether a server " +
        "saves its sessions in Redis: lifetimes are not renewed, and no key is deleted",
    );
  }
  const isServerSaved = (key: StoredText) => !isSigned(key, clockLeadMs);
  const signsCount = found === undefined || !areWholeSeconds(found.own, clockLeadMs);
  const other = found !== undefined && signsCount ? explainOtherKeys(found, run) : undefined;
  if (other !== undefined) run.out.warn(`${other.found}. ${other.remedy}`, { evenIfQuiet: true });
  const keys = evidenceOf(found, signsCount, isServerSaved);
  const facts: DirectoryFacts[] = [];
  const complete = marks.complete();
  for (const directory of directories) {
    const mark = complete.get(directory);
    const seen = mark === undefined ? nothingSeen : await seenOf(run, directory, mark, extent);
    facts.push({
      directory,
      ...(mark === undefined ? {} : { mark }),
      serverWorks: locateServer(keys, { ...(mark === undefined ? {} : { mark }), ...seen }, Date.now()),
      endedCounts: marks.endedCounts(),
      changeTimesCount: seen.changeTimesCount,
      latestMtimeMs: seen.latestMtimeMs,
      whole: extent === "whole",
    });
  }
  const longest = longestOf([...complete.values()], conversion);
  const survey = { keys, directories: facts, signsCount, serverWorks: jointly(facts), longest };
  run.out.explain(serverText(survey, Date.now()));
  return survey;
}

function evidenceOf(
  found: KeySurvey | undefined,
  signsCount: boolean,
  isServerSaved: (key: StoredText) => boolean,
): KeyEvidence {
  if (found === undefined || !signsCount) return "unknown";
  if (found.own.some(isServerSaved)) return "server-saved";
  return found.representative ? "none" : "unknown";
}

const nothingSeen = { latestMtimeMs: 0, changeTimesCount: true };
const namesAtATime = 1000;

/** When session files were last modified, and whether their change times count. */
async function seenOf(
  { listing, stop }: Run,
  directory: string,
  mark: DirectoryMark,
  extent: "sample" | "whole",
): Promise<typeof nothingSeen> {
  const nowMs = Date.now();
  const statReader = new StatReader();
  let latestMtimeMs = 0;
  let seen = 0;
  let areAllChanged = true;
  const sample = listing.directories.flatMap((one) => (one.directory === directory ? [one.sample] : []));
  const batches = extent === "sample" ? sample : scanSessions(directory, namesAtATime, newScanTally());
  for (const batch of batches) {
    for (const file of batch) {
      const stats = statReader.stat(pathOf(file));
      if (stats === undefined) continue;
      seen++;
      if (stats.mtimeMs <= nowMs + activityWindowMs) latestMtimeMs = Math.max(latestMtimeMs, stats.mtimeMs);
      areAllChanged &&= mayBeModifiedSince({ mtimeMs: 0, ctimeMs: stats.ctimeMs }, mark.startedMs, true);
    }
    if (stop.aborted) break;
    await nextTurn();
  }
  return { latestMtimeMs, changeTimesCount: seen === 0 || !areAllChanged };
}
