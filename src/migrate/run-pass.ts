import { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import { countOf } from "../model/number-text.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { RunRecord } from "../model/run-record.js";
import type { SessionFile } from "../model/session-file.js";
import { pause } from "../redis/pause.js";
import { type PackedBatch, packBatch, unpackBatch } from "../source/packed-files.js";
import { type BatchResult, BatchTally } from "./batch-result.js";
import { judgeEnded, learn, SeenDirectories } from "./earlier-runs/learn.js";
import { type BatchWork, forEachBatch } from "./for-each-batch.js";
import { makePace } from "./pace.js";
import { batchesFor } from "./readers/reader-pool.js";
import type { Run } from "./run-context.js";
import { endedText } from "./tell.js";

const deferredAtATime = 256;
const maxLaterPasses = 3;

/** Works on session files batch by batch: `CopyWriter` and `Verifier`. */
export interface BatchWorker {
  /** Does everything for one batch. */
  workOn(batch: readonly SessionFile[]): Promise<BatchResult>;
  /** Takes what the run knows once every session file was seen. */
  learn(survey: Survey): void;
}

/** What a pass over the session directories works with. */
export interface Pass<Worker = Pick<BatchWorker, "workOn">> extends Omit<BatchWork, "work" | "skip"> {
  readonly worker: Worker;
  readonly ledger: Ledger;
  /** Told of every outcome once it is recorded. */
  readonly onOutcome: (outcome: SessionOutcome) => void;
}

/** A pass of a run, at the run's rate, with enough batches in progress to keep every reader busy. */
export function passOf<Worker>(
  { record, options, files, out, stop }: Run,
  worker: Worker,
  batches: Pass["batches"],
  ledger = record.ledger,
): Pass<Worker> {
  return {
    worker,
    batches,
    ledger,
    batchesInFlight: batchesFor(files.threads),
    pace: makePace(options.run.maxRate, (milliseconds) => pause(milliseconds, stop)),
    onOutcome: out.onOutcome,
    stop,
  };
}

/** What a pass leaves behind. */
interface PassEnd {
  readonly seen: SeenDirectories;
  readonly deferred: DeferredFiles;
}

/**
 * One pass: works on every batch, and counts its outcomes in the ledger, even if the pass ends
 * early. Throws the first error, once everything in progress is done; deferred files count as
 * unvisited then.
 */
export async function runPass({ worker, ledger, onOutcome, ...rest }: Pass): Promise<PassEnd> {
  const seen = new SeenDirectories();
  const deferred = new DeferredFiles();
  try {
    await forEachBatch({
      ...rest,
      skip: (batch) => ledger.recordUnvisited(batch.length),
      work: async (batch) => {
        const result = await worker
          .workOn(batch)
          .catch((error: unknown) => new BatchTally(batch.length, false).result([], { error }));
        for (const one of result.seen) seen.add(one);
        deferred.add(result.deferred);
        ledger.add(result.page);
        ledger.recordUnvisited(result.unvisited);
        result.outcomes.forEach(onOutcome);
        if ("error" in result) throw result.error;
      },
    });
  } catch (error) {
    ledger.recordUnvisited(deferred.count);
    throw error;
  }
  return { seen, deferred };
}

/** Session files whose outcome waits until every directory was seen, packed to take little memory. */
class DeferredFiles {
  readonly #packed: PackedBatch[] = [];
  #count = 0;

  /** How many wait. */
  get count(): number {
    return this.#count;
  }

  add(files: readonly SessionFile[]): void {
    if (files.length > 0) this.#packed.push(packBatch(files));
    this.#count += files.length;
  }

  /** Takes all of them, batch by batch. */
  *takeBatches(): Generator<readonly SessionFile[]> {
    let batch: SessionFile[] = [];
    for (const packed of this.#packed.splice(0)) {
      for (const file of unpackBatch(packed)) {
        batch.push(file);
        if (batch.length < deferredAtATime) continue;
        yield this.#taken(batch);
        batch = [];
      }
    }
    if (batch.length > 0) yield this.#taken(batch);
  }

  #taken(batch: readonly SessionFile[]): readonly SessionFile[] {
    this.#count -= batch.length;
    return batch;
  }
}

/** What a run knows at the end of its main pass. */
export interface MainPassEnd {
  readonly survey: Survey;
  readonly seen: SeenDirectories["all"];
}

/**
 * Runs the main pass, then takes the session files that had to wait until every directory was seen.
 * `seeOthers`: adds what the session files of other shards show; asked only if files wait. Throws
 * what `runPass` throws.
 */
export async function runMainPass(
  pass: Pass<BatchWorker>,
  before: Survey,
  record: Pick<RunRecord, "serverWorks">,
  seeOthers: (seen: SeenDirectories) => Promise<void> = async () => undefined,
): Promise<MainPassEnd> {
  const { worker, ledger, stop } = pass;
  record.serverWorks = before.serverWorks;
  const { seen, deferred } = await runPass(pass);
  if (stop.aborted) {
    ledger.recordUnvisited(deferred.count);
    return { survey: before, seen: seen.all };
  }
  if (deferred.count > 0) await seeOthers(seen);
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

/**
 * Takes again what changed since the pass before began, until a pass finds nothing. `takePass`:
 * does one, and counts into its ledger; the first is number 1. `what`: what is counted, in the
 * singular.
 */
export async function takeLaterPasses(
  { record, out, stop }: Run,
  what: string,
  takePass: (number: number, ledger: Ledger) => Promise<void>,
): Promise<void> {
  for (let number = 1; number <= maxLaterPasses && !stop.aborted; number++) {
    const ledger = new Ledger({ onFailure: out.onFailure, onDifference: out.onDifference });
    try {
      await takePass(number, ledger);
    } finally {
      // What was done counts, even if the pass ends early.
      if (ledger.counts.found > 0) record.laterPasses.push(ledger);
    }
    const { found, outcomes } = ledger.counts;
    const changed = found - outcomes.identical;
    out.explain(`pass ${number + 1}: ${countOf(found, what)} changed since the pass before began`);
    if (changed === 0) return;
    record.stillChanging = number === maxLaterPasses ? changed : 0;
  }
}

/** Warns if too many sessions ended. Returns whether their keys were certainly deleted or lost. */
export function tellEnded({ options, out }: Run, { survey, seen }: MainPassEnd): boolean {
  const verdict = judgeEnded(survey, seen, options.conflicts.maxEnded, Date.now());
  if (verdict !== "fine") out.warn(endedText(verdict, seen), { evenIfQuiet: true });
  return verdict === "lost";
}
