import type { Inspection } from "../../model/inspection.js";
import type { SessionFile } from "../../model/session-file.js";
import type { ConvertedBatch } from "./converted-batch.js";
import { type ChangedFile, Reader, type ReaderOptions } from "./reader.js";
import type { ReaderThread } from "./reader-thread.js";

/**
 * Batches that a thread has at a time: one to work on, and enough to go on with while the main
 * thread is busy. With two, a copy of 100,000 sessions takes a tenth longer.
 */
const maxPending = 6;
const roomBytes = 128 * 1024;
/** Larger buffers are not kept. */
const maxKeptBytes = 1024 * 1024;
const maxKept = 16;

/** Batches in progress that keep every reader busy, that on the main thread included. */
export function batchesFor(threads: readonly ReaderThread[]): number {
  return maxPending * threads.length + 2;
}

/** The readers of one attempt at a run: one on the main thread, and one on each of the others. */
export class ReaderPool {
  /** The reader on the main thread. */
  readonly inline: Reader;
  readonly #threads: readonly ReaderThread[];
  readonly #rooms: ArrayBuffer[] = [];

  constructor(options: ReaderOptions, threads: readonly ReaderThread[]) {
    this.inline = new Reader(options);
    this.#threads = threads;
    for (const thread of threads) thread.open(options);
  }

  /**
   * Has a free reader convert these files; see `Reader.convert`. Give the batch back once its
   * sessions are in Redis.
   */
  convert(files: readonly SessionFile[]): Promise<ConvertedBatch> {
    return this.#free().convert(files, this.#rooms.pop() ?? new ArrayBuffer(roomBytes));
  }

  /** Has a free reader inspect these files; see `Reader.inspect`. */
  inspect(files: readonly SessionFile[]): Promise<Inspection> {
    return this.#free().inspect(files);
  }

  /** Has a free reader stat these files; see `Reader.changedSince`. */
  changedSince(files: readonly SessionFile[], sinceMs: number): Promise<readonly ChangedFile[]> {
    return this.#free().changedSince(files, sinceMs);
  }

  /** Takes the buffer of a batch to use it again. */
  giveBack({ sessions }: ConvertedBatch): void {
    const { commands } = sessions.table;
    if (commands.byteLength <= maxKeptBytes && this.#rooms.length < maxKept) this.#rooms.push(commands);
  }

  #free(): Reader | ReaderThread {
    const [first, ...others] = this.#threads;
    if (first === undefined) return this.inline;
    const least = others.reduce((best, one) => (one.pending < best.pending ? one : best), first);
    return least.pending < maxPending ? least : this.inline;
  }
}
