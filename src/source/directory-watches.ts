import { type FSWatcher, readFileSync, watch } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { errorCode, orElse } from "../model/errors.js";
import { identityAt } from "./file-identity.js";
import { isChangedByUsOnly } from "./local-file-system.js";

/** A session directory and all the scatter folders that it can have: two characters of base64url. */
const maxWatches = 1 + 64 ** 2;

interface Watched {
  readonly watcher: FSWatcher;
  /** The folder's identity; `undefined` if it was gone at once. */
  readonly identity: string | undefined;
}

/**
 * Watches folders with inotify, to tell whether anything in them changed. Reading causes no event.
 * If a folder cannot be watched, the answer is that it may have changed: on any system but Linux,
 * on a file system that other machines can change, or if there are too many folders.
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
      // One event is enough.
      const watcher = watch(path, { persistent: false }, () => this.close());
      watcher.on("error", () => this.close());
      this.#watched.set(path, { watcher, identity: identityAt(path) });
    } catch (error) {
      errorCode(error);
      this.close();
    }
  }

  /**
   * Whether nothing in these folders changed since each was added. If the kernel's queue overflows,
   * Node ignores the event that says so (libuv, `uv__inotify_read`). But then the queue was full of
   * other events, and one of them is enough.
   */
  async areQuiet(): Promise<boolean> {
    // Before Node runs immediates, it reads all events that the kernel has. In the current turn of
    // the event loop it may have done so already, in the next one it does so once more.
    await nextTurn();
    await nextTurn();
    return (
      this.#isQuiet &&
      [...this.#watched].every(([path, { identity }]) => identity !== undefined && identityAt(path) === identity)
    );
  }

  /** Ends all watches. From then on, anything may have changed. */
  close(): void {
    this.#isQuiet = false;
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }
}

/** Whether the system has inotify, with a queue that holds events: its length may be set to 0. */
function queuesEvents(): boolean {
  if (process.platform !== "linux") return false;
  return orElse(false, () => Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8")) > 0);
}
