import type { Survey } from "../model/mark.js";
import type { SessionFile } from "../model/session-file.js";
import { learn, SeenDirectories } from "./learn.js";
import { type Pass, runPass } from "./run-pass.js";
import type { RunRecord } from "./run-record.js";

/** What a run knows at the end of its main pass. */
export interface MainPassEnd {
  readonly survey: Survey;
  readonly seen: SeenDirectories["all"];
}

const filesAtATime = 256;

/** Runs the main pass, then settles the session files that had to wait until every directory was seen. Throws what `runPass` throws. */
export async function runMainPass(
  pass: Pass,
  tellLanes: (survey: Survey) => Promise<void>,
  before: Survey,
  record: RunRecord,
): Promise<MainPassEnd> {
  const seen = new SeenDirectories();
  const deferred: SessionFile[] = [];
  const lane: Pass["lane"] = async (batch) => {
    const result = await pass.lane(batch);
    for (const one of result.seen) seen.add(one);
    deferred.push(...result.deferred);
    return result;
  };
  record.serverWorks = before.serverWorks;
  try {
    await runPass({ ...pass, lane });
  } catch (error) {
    pass.ledger.recordUnvisited(deferred.length);
    throw error;
  }
  if (pass.stop.aborted) {
    pass.ledger.recordUnvisited(deferred.length);
    return { survey: before, seen: seen.all };
  }
  const survey = learn(before, seen.all, Date.now());
  record.serverWorks = survey.serverWorks;
  await tellLanes(survey);
  await runPass({ ...pass, batches: batchesOf(deferred.splice(0)), pace: async () => undefined, lane });
  return { survey, seen: seen.all };
}

function* batchesOf(files: readonly SessionFile[]): Generator<readonly SessionFile[]> {
  for (let at = 0; at < files.length; at += filesAtATime) yield files.slice(at, at + filesAtATime);
}
