import type { Survey } from "../model/mark.js";
import type { RunRecord } from "../model/run-record.js";
import type { SessionFile } from "../model/session-file.js";
import { type PackedBatch, packBatch, unpackBatch } from "../source/packed-files.js";
import { learn, SeenDirectories } from "./earlier-runs/learn.js";
import { type Pass, runPass } from "./run-pass.js";

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
  pass: Pass,
  onLearned: (survey: Survey) => void,
  before: Survey,
  record: RunRecord,
): Promise<MainPassEnd> {
  const seen = new SeenDirectories();
  const deferred: PackedBatch[] = [];
  let deferredCount = 0;
  const work: Pass["work"] = async (batch) => {
    const result = await pass.work(batch);
    for (const one of result.seen) seen.add(one);
    deferredCount += result.deferred.length;
    if (result.deferred.length > 0) deferred.push(packBatch(result.deferred));
    return result;
  };
  record.serverWorks = before.serverWorks;
  try {
    await runPass({ ...pass, work });
  } catch (error) {
    pass.ledger.recordUnvisited(deferredCount);
    throw error;
  }
  if (pass.stop.aborted) {
    pass.ledger.recordUnvisited(deferredCount);
    return { survey: before, seen: seen.all };
  }
  const survey = learn(before, seen.all, Date.now());
  record.serverWorks = survey.serverWorks;
  onLearned(survey);
  let taken = 0;
  const batches = unpacked(deferred.splice(0), (count) => {
    taken += count;
  });
  const total = deferredCount;
  try {
    await runPass({ ...pass, batches, pace: async () => undefined, work });
  } finally {
    pass.ledger.recordUnvisited(total - taken);
  }
  return { survey, seen: seen.all };
}

const filesAtATime = 256;

/** Unpacks batches. Tells how many files each batch has that is taken. */
function* unpacked(
  packed: readonly PackedBatch[],
  onTaken: (count: number) => void,
): Generator<readonly SessionFile[]> {
  let batch: SessionFile[] = [];
  for (const some of packed) {
    for (const file of unpackBatch(some)) {
      batch.push(file);
      if (batch.length < filesAtATime) continue;
      onTaken(batch.length);
      yield batch;
      batch = [];
    }
  }
  if (batch.length === 0) return;
  onTaken(batch.length);
  yield batch;
}
