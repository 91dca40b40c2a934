import { closeSync, open, read } from "node:fs";
import { errorCode } from "../model/error-code.js";
import type { SessionFile } from "../model/session-file.js";
import { LatencyProbe } from "./latency-probe.js";
import { openFlags, type Reading, readOpened, readSessionFile } from "./read-session-file.js";
import { isShortage } from "./retry-while-short.js";

/** A larger file is read when its turn comes: so many bytes may be held for each file that is read ahead. */
const maxPrefetched = 16 * 1024;
/** What is read here is thrown away, by whichever of several that read at the same time. */
const nowhere = Buffer.allocUnsafe(maxPrefetched);

/**
 * Reads session files: one after the other where the file system answers at once, and many at a time, before their turn comes, where each
 * waits for a network or a cold disk. Which it is, is measured while it reads.
 */
export class ReadAhead {
  readonly #maxFileSize: number;
  /** Of whole readings, and of readings of files that are open already. */
  readonly #probes: { readonly whole: LatencyProbe; readonly opened: LatencyProbe };
  readonly #held = new WeakMap<SessionFile, Reading>();
  /** Files that are open at a time: fewer once the system was short of descriptors. */
  #maxOpen = Number.POSITIVE_INFINITY;

  constructor(maxFileSize: number, probes = { whole: new LatencyProbe(), opened: new LatencyProbe() }) {
    this.#maxFileSize = maxFileSize;
    this.#probes = probes;
  }

  /** Reads what is worth it of files whose turn comes next. What goes wrong with a file shows when it is read. */
  async prefetch(batch: readonly SessionFile[]): Promise<void> {
    if (!this.#probes.whole.isSlow) return;
    for (let begun = 0; begun < batch.length; ) {
      const next = batch.slice(begun, begun + this.#maxOpen);
      begun += next.length;
      await Promise.all(next.map((file) => this.#fetch(file, next.length)));
    }
  }

  /** A session file's content, as `readSessionFile` has it. */
  read(file: SessionFile): Reading {
    const held = this.#held.get(file);
    if (held === undefined) return this.#probes.whole.time(() => readSessionFile(file, this.#maxFileSize));
    this.#held.delete(file);
    return held;
  }

  #fetch(file: SessionFile, besides: number): Promise<void> {
    const openedAtMs = Date.now();
    return new Promise((resolve, reject) => {
      open(`${file.directory}/${file.name}`, openFlags, (error, descriptor) => {
        if (error !== null) {
          // It is read when its turn comes.
          if (isShortage(error)) this.#maxOpen = Math.max(1, Math.floor(besides / 2));
          resolve();
          return;
        }
        const finish = () => {
          try {
            this.#hold(file, descriptor, openedAtMs);
            resolve();
          } catch (bug) {
            reject(bug);
          }
        };
        // What was read once comes from memory.
        if (this.#probes.opened.isSlow) read(descriptor, nowhere, 0, maxPrefetched, 0, finish);
        else finish();
      });
    });
  }

  /** Keeps the content of a small file, and closes it. */
  #hold(file: SessionFile, descriptor: number, openedAtMs: number): void {
    try {
      const size = Math.min(maxPrefetched, this.#maxFileSize);
      const reading = this.#probes.opened.time(() => readOpened(descriptor, openedAtMs, size));
      if (reading.kind === "read") this.#held.set(file, reading);
    } catch (error) {
      errorCode(error);
    } finally {
      closeSync(descriptor);
    }
  }
}
