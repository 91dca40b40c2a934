import { setImmediate as nextTurn } from "node:timers/promises";
import { activityWindowMs, locateServer, mayBeModifiedSince } from "../../convert/missing-key.js";
import { isSigned } from "../../convert/sign.js";
import type { DirectoryFacts, KeyEvidence, ShardMark, Survey } from "../../model/mark.js";
import { newScanTally } from "../../model/session-file.js";
import { overlap, wholeShard } from "../../model/shard.js";
import { type KeySurvey, surveyServers } from "../../redis/survey-keys.js";
import { pathOf } from "../../source/recent-files.js";
import { scanSessions } from "../../source/scan-sessions.js";
import { StatReader } from "../../source/stat-reader.js";
import type { Run } from "../run-context.js";
import { serverText } from "../tell.js";
import { longestOf } from "./complete-mark.js";
import { jointly, type SeenDirectories } from "./learn.js";
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
  const signsCount = found === undefined || !areWholeSeconds(found.own, clockLeadMs);
  const other = found !== undefined && signsCount ? explainOtherKeys(found, run) : undefined;
  if (other !== undefined) run.out.warn(`${other.found}. ${other.remedy}`, { evenIfQuiet: true });
  const keys = evidenceOf(found, signsCount, clockLeadMs);
  const facts: DirectoryFacts[] = [];
  const complete = marks.complete();
  const { shard } = run.options.source;
  for (const directory of directories) {
    const left = complete.get(directory) ?? [];
    const isAsked = left.length > 0 || (shard !== null && extent === "whole");
    const { latestMtimeMs, latestSaveMs, shardMarks } = isAsked
      ? await seenOf(run, directory, left, extent)
      : nothingSeen;
    const own = shardMarks.find((one) => overlap(one.shard, shard ?? wholeShard));
    const mark = own === undefined ? {} : { mark: own.mark };
    facts.push({
      directory,
      ...mark,
      ...(left.length === 0 || left[0]?.shard.count === 1 ? {} : { shardMarks }),
      serverWorks: locateServer(keys, { ...mark, latestMtimeMs }, Date.now()),
      endedCounts: marks.endedCounts(),
      changeTimesCount: own?.changeTimesCount ?? true,
      latestMtimeMs,
      latestSaveMs,
      whole: extent === "whole",
    });
  }
  const longest = longestOf([...complete.values()].flat(), conversion);
  const survey = { keys, directories: facts, signsCount, serverWorks: jointly(facts), longest };
  run.out.explain(serverText(survey, Date.now()));
  return survey;
}

/**
 * Adds when the session files of all shards were last modified, if the run takes one shard: where a
 * server works shows in any of them.
 */
export async function seeOtherShards(run: Run, seen: SeenDirectories): Promise<void> {
  if (run.options.source.shard === null) return;
  for (const directory of run.files.directories) {
    const { latestMtimeMs } = await seenOf(run, directory, [], "whole");
    seen.addModification(directory, latestMtimeMs);
  }
}

function evidenceOf(found: KeySurvey | undefined, signsCount: boolean, clockLeadMs: number): KeyEvidence {
  if (found === undefined || !signsCount) return "unknown";
  if (found.own.some((key) => !isSigned(key, clockLeadMs))) return "server-saved";
  return found.representative ? "none" : "unknown";
}

/** What the session files of a directory say about when they were modified. */
interface SeenModifications {
  readonly latestMtimeMs: number;
  readonly latestSaveMs: number;
  readonly shardMarks: Required<DirectoryFacts>["shardMarks"];
}

const nothingSeen: SeenModifications = { latestMtimeMs: 0, latestSaveMs: 0, shardMarks: [] };
const namesAtATime = 1000;

/** When session files of all shards were last modified, and for which marks change times count. */
async function seenOf(
  { listing, stop }: Run,
  directory: string,
  marks: readonly ShardMark[],
  extent: "sample" | "whole",
): Promise<SeenModifications> {
  const nowMs = Date.now();
  const statReader = new StatReader();
  let latestMtimeMs = 0;
  let latestSaveMs = 0;
  let seen = 0;
  /** Marks since whose start every file was changed. */
  let allChanged = marks;
  const sample = listing.directories.flatMap((one) => (one.directory === directory ? [one.sample] : []));
  const all = () => scanSessions(directory, namesAtATime, newScanTally(), { shard: null });
  for (const batch of extent === "sample" ? sample : all()) {
    for (const file of batch) {
      const stats = statReader.stat(pathOf(file));
      if (stats === undefined) continue;
      seen++;
      if (stats.mtimeMs <= nowMs + activityWindowMs) latestMtimeMs = Math.max(latestMtimeMs, stats.mtimeMs);
      latestSaveMs = Math.max(latestSaveMs, Math.min(stats.mtimeMs, stats.ctimeMs));
      const times = { mtimeMs: 0, ctimeMs: stats.ctimeMs };
      if (allChanged.length > 0) {
        allChanged = allChanged.filter(({ mark }) => mayBeModifiedSince(times, mark.startedMs, true));
      }
    }
    if (stop.aborted) break;
    await nextTurn();
  }
  const changeTimesCount = (one: ShardMark) => seen === 0 || !allChanged.includes(one);
  return {
    latestMtimeMs,
    latestSaveMs,
    shardMarks: marks.map((one) => ({ ...one, changeTimesCount: changeTimesCount(one) })),
  };
}
