import type { Survey } from "../model/mark.js";
import type { RunRecord } from "../model/run-record.js";
import { learn, type SeenDirectories } from "./earlier-runs/learn.js";
import { type BatchWorker, type Pass, runPass } from "./run-pass.js";

/** What a run knows at the end of its main pass. */
export interface MainPassEnd {
  readonly survey: Survey;
  readonly seen: SeenDirectories["all"];
}

/**
 * Runs the main pass, then takes the session files that had to wait until every directory was seen.
 * Throws what `runPass` throws.
 */
export async function runMainPass(
  pass: Pass & { readonly worker: BatchWorker },
  before: Survey,
  record: Pick<RunRecord, "serverWorks">,
): Promise<MainPassEnd> {
  const { worker, ledger, stop } = pass;
  record.serverWorks = before.serverWorks;
  const { seen, deferred } = await runPass(pass);
  if (stop.aborted) {
    ledger.recordUnvisited(deferred.count);
    return { survey: before, seen: seen.all };
  }
  const survey = learn(before, seen.all, Date.now());
  record.serverWorks = survey.serverWorks;
  worker.learn(survey);
  try {
    // The rate has counted them.
    const end = await runPass({ ...pass, batches: deferred.takeBatches(), pace: async () => undefined });
    for (const one of end.seen.take()) seen.add(one);
  } finally {
    ledger.recordUnvisited(deferred.count);
  }
  return { survey, seen: seen.all };
}
