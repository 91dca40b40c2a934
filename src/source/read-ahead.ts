import { closeSync, open, read } from "node:fs";
import { errorCode } from "../model/error-code.js";
import type { SessionFile } from "../model/session-file.js";
import { openFlags, type Reading, readOpened, readSessionFile } from "./read-session-file.js";
import { isShortage } from "./retry-while-short.js";
import { WaitGauge } from "./wait-gauge.js";

/** A larger file is read when its turn comes: so many bytes may be held for each file that is read ahead. */
const largestHeld = 16 * 1024;
/** What is read here is thrown away, by whichever of several that read at the same time. */
const nowhere = Buffer.allocUnsafe(largestHeld);

/**
 * Reads session files: one after the other where the file system answers at once, and many at a time, before their turn comes, where each
 * waits for a network or a cold disk. Which it is, is measured while it reads.
 */
export class ReadAhead {
  readonly #maxFileSize: number;
  /** Of whole readings, and of readings of files that are open already. */
  readonly #gauges: { readonly whole: WaitGauge; readonly opened: WaitGauge };
  readonly #held = new WeakMap<SessionFile, Reading>();
  /** Files that are open at a time: fewer once the system was short of descriptors. */
  #mostOpen = Number.POSITIVE_INFINITY;

  constructor(maxFileSize: number, gauges = { whole: new WaitGauge(), opened: new WaitGauge() }) {
    this.#maxFileSize = maxFileSize;
    this.#gauges = gauges;
  }

  /** Reads what is worth it of files whose turn comes next. What goes wrong with a file shows when it is read. */
  async begin(batch: readonly SessionFile[]): Promise<void> {
    if (!this.#gauges.whole.waits) return;
    for (let begun = 0; begun < batch.length; ) {
      const next = batch.slice(begun, begun + this.#mostOpen);
      begun += next.length;
      await Promise.all(next.map((file) => this.#fetch(file, next.length)));
    }
  }

  /** A session file's content, as `readSessionFile` has it. */
  read(file: SessionFile): Reading {
    const held = this.#held.get(file);
    if (held === undefined) return this.#gauges.whole.time(() => readSessionFile(file, this.#maxFileSize));
    this.#held.delete(file);
    return held;
  }

  #fetch(file: SessionFile, besides: number): Promise<void> {
    const openedAtMs = Date.now();
    return new Promise((resolve, reject) => {
      open(`${file.directory}/${file.name}`, openFlags, (error, descriptor) => {
        if (error !== null) {
          // It is read when its turn comes.
          if (isShortage(error)) this.#mostOpen = Math.max(1, Math.floor(besides / 2));
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
        if (this.#gauges.opened.waits) read(descriptor, nowhere, 0, largestHeld, 0, finish);
        else finish();
      });
    });
  }

  /** Keeps the content of a small file, and closes it. */
  #hold(file: SessionFile, descriptor: number, openedAtMs: number): void {
    try {
      const size = Math.min(largestHeld, this.#maxFileSize);
      const reading = this.#gauges.opened.time(() => readOpened(descriptor, openedAtMs, size));
      if (reading.kind === "read") this.#held.set(file, reading);
    } catch (error) {
      errorCode(error);
    } finally {
      closeSync(descriptor);
    }
  }
}
