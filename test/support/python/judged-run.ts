import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Counts } from "./judged-files.js";

/** A part of a run, for one worker: the script's files from `start` on. */
export interface JudgedPart {
  readonly script: string;
  readonly seed: number;
  readonly start: number;
  readonly count: number;
}

/** A file that did not come out as it must. */
export interface Discrepancy {
  readonly kind: string;
  readonly label: string;
  readonly explanation: string;
  /** The whole file, in Base64. */
  readonly file: string;
}

/** What became of all the files of a run. */
export interface JudgedOutcome {
  readonly files: number;
  /** Files by the kind of their comparison, `crashed` for those whose conversion threw. */
  readonly comparisons: Counts;
  /** Files that were refused only here, by reason and detail. */
  readonly refusedOnlyHere: Counts;
  /** What the script counted. */
  readonly counts: Counts;
  /** The first discrepancies of each kind. */
  readonly discrepancies: readonly Discrepancy[];
  readonly slowest: { readonly label: string; readonly milliseconds: number };
  readonly peakMemoryBytes: number;
}

const patienceMs = 60_000;
const leastPart = 5_000;

/**
 * Converts every file that a script of `test/python` makes and compares the outcome with Python's,
 * on every processor. A file that takes a minute ends the run with an error that names it, even
 * where the conversion never returns.
 */
export async function judgedRun(script: string, count: number, seed: number): Promise<JudgedOutcome> {
  const workers = Math.max(1, Math.min(availableParallelism(), Math.floor(count / leastPart)));
  const share = Math.ceil(count / workers);
  let peakMemoryBytes = process.memoryUsage.rss();
  const watch = setInterval(() => {
    peakMemoryBytes = Math.max(peakMemoryBytes, process.memoryUsage.rss());
  }, 100);
  try {
    const parts = Array.from({ length: workers }, (_, index) => {
      const start = index * share;
      return runPart({ script, seed, start, count: Math.min(share, count - start) });
    });
    return { ...merged(await Promise.all(parts)), peakMemoryBytes };
  } finally {
    clearInterval(watch);
  }
}

type PartOutcome = Omit<JudgedOutcome, "peakMemoryBytes">;

function runPart(part: JudgedPart): Promise<PartOutcome> {
  const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(new URL("./judged-run-worker.js", import.meta.url), {
    workerData: { part, done },
    resourceLimits: { maxOldGenerationSizeMb: 384 },
  });
  return new Promise((resolve, reject) => {
    let seen = -1;
    const watchdog = setInterval(() => {
      const now = Atomics.load(done, 0);
      if (now === seen)
        reject(new Error(`no outcome in a minute for file ${part.start + now}: ${JSON.stringify(part)}`));
      seen = now;
    }, patienceMs);
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => {
      clearInterval(watchdog);
      reject(new Error("a worker ended without its outcome"));
    });
  }).finally(() => worker.terminate()) as Promise<PartOutcome>;
}

function merged(parts: readonly PartOutcome[]): PartOutcome {
  return {
    files: parts.reduce((sum, part) => sum + part.files, 0),
    comparisons: summed(parts.map((part) => part.comparisons)),
    refusedOnlyHere: summed(parts.map((part) => part.refusedOnlyHere)),
    counts: summed(parts.map((part) => part.counts)),
    discrepancies: parts.flatMap((part) => part.discrepancies),
    slowest: parts
      .map((part) => part.slowest)
      .reduce((one, other) => (one.milliseconds >= other.milliseconds ? one : other)),
  };
}

function summed(parts: readonly Counts[]): Counts {
  const sums = new Map<string, number>();
  for (const part of parts)
    for (const [name, count] of Object.entries(part)) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries([...sums].sort(([one], [other]) => (one < other ? -1 : 1)));
}
