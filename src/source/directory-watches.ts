import { type FSWatcher, readFileSync, watch } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { errorCode, orElse } from "../model/errors.js";
import { identityAt } from "./file-identity.js";
import { isChangedByUsOnly } from "./local-file-system.js";

/** A session directory with all the scatter folders that base64url has names for. */
const maxWatches = 1 + 64 ** 2;

interface Watched {
  readonly watcher: FSWatcher;
  /** The folder's identity; `undefined` if it was gone at once. */
  readonly identity: string | undefined;
}

/**
 * Watches folders with inotify, and tells whether nothing in them can have changed since. Reading
 * causes no event. What cannot be watched may have changed: file systems that other machines can
 * change, too many folders, any other system than Linux.
 */
export class DirectoryWatches {
  readonly #watched = new Map<string, Watched>();
  #isQuiet = queuesEvents();

  /** Watches a folder, but not those in it. Must happen before the folder is listed. */
  add(path: string): void {
    if (!this.#isQuiet || this.#watched.has(path)) return;
    if (this.#watched.size === maxWatches || !isChangedByUsOnly(path)) {
      this.close();
      return;
    }
    try {
      // The first event answers the question, so the others are not waited for.
      const watcher = watch(path, { persistent: false }, () => this.close());
      watcher.on("error", () => this.close());
      this.#watched.set(path, { watcher, identity: identityAt(path) });
    } catch (error) {
      errorCode(error);
      this.close();
    }
  }

  /**
   * Whether no folder and no file in one changed between its `add` and now. Node drops the event
   * that says that the kernel's queue was full (libuv, `uv__inotify_read`). But the queue is full
   * of events, and each of them is an answer.
   */
  async areQuiet(): Promise<boolean> {
    // Node reads events before it runs immediates, all that there are. The first turn may begin
    // after that, the second cannot.
    await nextTurn();
    await nextTurn();
    return (
      this.#isQuiet &&
      [...this.#watched].every(
        ([path, { identity }]) => identity !== undefined && identityAt(path) === identity,
      )
    );
  }

  /** Ends all watches. From then on, anything may have changed. */
  close(): void {
    this.#isQuiet = false;
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }
}

/** Whether the system has inotify. Its queue may be set to hold no event at all. */
function queuesEvents(): boolean {
  if (process.platform !== "linux") return false;
  return orElse(false, () => Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8")) > 0);
}
