import { closeSync, open, read } from "node:fs";
import { errorCode } from "../model/errors.js";
import type { SessionFile } from "../model/session-file.js";
import { LatencyProbe } from "./latency-probe.js";
import { openFlags, type Reading, readOpened, readSessionFile } from "./read-session-file.js";
import { isShortage } from "./retry-while-short.js";

/** Bytes kept of each prefetched file. A larger file is read when its turn comes. */
const maxPrefetched = 16 * 1024;
/** Reads that only warm the cache write here, several at a time; nothing reads it. */
const discarded = Buffer.allocUnsafe(maxPrefetched);

/**
 * Reads session files: one after the other if the file system is fast, and many at a time, before
 * their turn comes, if each waits for a network or a cold disk. Measures while reading which it is.
 */
export class ReadAhead {
  readonly #maxFileSize: number;
  /** `whole` times opening and reading a file, `opened` only the reading. */
  readonly #probes: { readonly whole: LatencyProbe; readonly opened: LatencyProbe };
  readonly #fetched = new WeakMap<SessionFile, Reading>();
  /** Files open at a time: fewer after the system ran short of descriptors. */
  #maxOpen = Number.POSITIVE_INFINITY;

  constructor(maxFileSize: number, probes = { whole: new LatencyProbe(), opened: new LatencyProbe() }) {
    this.#maxFileSize = maxFileSize;
    this.#probes = probes;
  }

  /** Reads the next files before their turn, if that pays. Errors show when `read` reads them. */
  async prefetch(batch: readonly SessionFile[]): Promise<void> {
    // What was read for an earlier turn may be out of date by now.
    for (const file of batch) this.#fetched.delete(file);
    if (!this.#probes.whole.isSlow) return;
    for (let begun = 0; begun < batch.length; ) {
      const next = batch.slice(begun, begun + this.#maxOpen);
      begun += next.length;
      await Promise.all(next.map((file) => this.#fetch(file, next.length)));
    }
  }

  /** A session file's content, as `readSessionFile` returns it. */
  read(file: SessionFile): Reading {
    const fetched = this.#fetched.get(file);
    if (fetched === undefined) return this.#probes.whole.time(() => readSessionFile(file, this.#maxFileSize));
    this.#fetched.delete(file);
    return fetched;
  }

  /** A session file's content as it is now, whatever was read before its turn. */
  readNow(file: SessionFile): Reading {
    this.#fetched.delete(file);
    return this.read(file);
  }

  #fetch(file: SessionFile, count: number): Promise<void> {
    const openedAtMs = Date.now();
    return new Promise((resolve, reject) => {
      open(`${file.directory}/${file.name}`, openFlags, (error, descriptor) => {
        if (error !== null) {
          // `read` reads it when its turn comes.
          if (isShortage(error)) this.#maxOpen = Math.max(1, Math.floor(count / 2));
          resolve();
          return;
        }
        const finish = () => {
          try {
            this.#keep(file, descriptor, openedAtMs);
            resolve();
          } catch (bug) {
            reject(bug);
          }
        };
        // A read in a thread fills the page cache, so that the synchronous one does not wait.
        if (this.#probes.opened.isSlow) read(descriptor, discarded, 0, maxPrefetched, 0, finish);
        else finish();
      });
    });
  }

  /** Keeps the content of a small file, and closes the file. */
  #keep(file: SessionFile, descriptor: number, openedAtMs: number): void {
    try {
      const size = Math.min(maxPrefetched, this.#maxFileSize);
      const reading = this.#probes.opened.time(() => readOpened(descriptor, openedAtMs, size));
      if (reading.kind === "read") this.#fetched.set(file, reading);
    } catch (error) {
      errorCode(error);
    } finally {
      closeSync(descriptor);
    }
  }
}
