import { closeSync, open, read } from "node:fs";
import { errorCode } from "../model/errors.js";
import type { SessionFile } from "../model/session-file.js";
import { LatencyProbe } from "./latency-probe.js";
import { openFlags, type Reading, readOpened, readSessionFile } from "./read-session-file.js";
import { pathOf } from "./recent-files.js";
import { isShortage } from "./retry-while-short.js";

/** Bytes kept of each prefetched file. A larger file is read when its turn comes. */
const maxPrefetched = 16 * 1024;
/** Reads that only warm the cache write here, several at a time; nothing reads it. */
const discarded = Buffer.allocUnsafe(maxPrefetched);

/** How session files are read. */
interface WayToRead<Result extends Reading> {
  /** Reads a file when its turn comes. */
  readonly read: (file: SessionFile) => Result;
  /** Reads an open file of at most that many bytes. Throws the system's error. */
  readonly readOpened: (descriptor: number, openedAtMs: number, maxFileSize: number) => Result;
  readonly maxFileSize: number;
}

/** Tells whether reading waits: `whole` times opening and reading a file, `opened` only the reading. */
interface ReadProbes {
  readonly whole: LatencyProbe;
  readonly opened: LatencyProbe;
}

/** Reads session files wherever they are by now, as `readSessionFile` does. */
export function readAhead(maxFileSize: number, probes?: ReadProbes): ReadAhead {
  const read = (file: SessionFile) => readSessionFile(file, maxFileSize);
  return new ReadAhead({ read, readOpened, maxFileSize }, probes);
}

/**
 * Reads session files: one after the other if the file system is fast, and many at a time, before
 * their turn comes, if each waits for a network or a cold disk. Measures while reading which it is.
 */
export class ReadAhead<Result extends Reading = Reading> {
  readonly #way: WayToRead<Result>;
  readonly #probes: ReadProbes;
  readonly #fetched = new WeakMap<SessionFile, Result>();
  /** Files open at a time: fewer after the system ran short of descriptors. */
  #maxOpen = 64;

  constructor(way: WayToRead<Result>, probes: ReadProbes = { whole: new LatencyProbe(), opened: new LatencyProbe() }) {
    this.#way = way;
    this.#probes = probes;
  }

  /** Whether reading a file waits for a network or a cold disk. */
  get waits(): boolean {
    return this.#probes.whole.isSlow;
  }

  /**
   * Reads the next files before their turn, if that pays. Errors show when `read` reads them.
   * `pathTo`: the path that opens a file.
   */
  async prefetch(batch: readonly SessionFile[], pathTo = pathOf): Promise<void> {
    // What was read for an earlier turn may be out of date by now.
    for (const file of batch) this.#fetched.delete(file);
    if (!this.waits) return;
    this.#probes.whole.pass(batch.length);
    for (let begun = 0; begun < batch.length; ) {
      const next = batch.slice(begun, begun + this.#maxOpen);
      begun += next.length;
      await Promise.all(next.map((file) => this.#fetch(file, pathTo(file), next.length)));
    }
  }

  /** A session file's content. */
  read(file: SessionFile): Result {
    const fetched = this.#fetched.get(file);
    if (fetched === undefined) return this.#probes.whole.time(() => this.#way.read(file));
    this.#fetched.delete(file);
    return fetched;
  }

  /** A session file's content as it is now, whatever was read before its turn. */
  readNow(file: SessionFile): Result {
    this.#fetched.delete(file);
    return this.read(file);
  }

  #fetch(file: SessionFile, path: string, count: number): Promise<void> {
    const openedAtMs = Date.now();
    return new Promise((resolve, reject) => {
      open(path, openFlags, (error, descriptor) => {
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
      const size = Math.min(maxPrefetched, this.#way.maxFileSize);
      const reading = this.#probes.opened.time(() => this.#way.readOpened(descriptor, openedAtMs, size));
      if (reading.kind === "read") this.#fetched.set(file, reading);
    } catch (error) {
      errorCode(error);
    } finally {
      closeSync(descriptor);
    }
  }
}
