import { availableParallelism } from "node:os";
import type { RunOptions } from "../../model/run-options.js";
import { ReaderThread } from "./reader-thread.js";

/** With more of them, they wait for the main thread. */
const maxReaders = 4;
/**
 * The main thread alone reads as many session files in the time that a thread takes to start and to
 * warm up.
 */
const minFiles = 25_000;

/**
 * Threads that read these many session files beside the main thread, started early because they
 * take a while to load. None if the main thread reads as fast: few files, one processor, or a rate
 * that it keeps alone.
 */
export function startReaderThreads(
  { run: { lanes, maxRate } }: RunOptions,
  sessionFiles: number,
): readonly ReaderThread[] {
  const count = lanes ?? (maxRate === null ? Math.min(availableParallelism(), maxReaders) : 1);
  if (count === 1 || (lanes === null && sessionFiles < minFiles)) return [];
  return Array.from({ length: count - 1 }, () => new ReaderThread());
}
