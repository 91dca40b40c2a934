/** Error codes of a system short of descriptors or memory, which passes when some are freed. */
const shortages: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "ENOBUFS"]);
const firstPauseMs = 10;
const maxTries = 9;
/** Tries for the next call: only two after a shortage that outlasted all, until one succeeds. */
let triesAllowed = maxTries;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

export function isShortage(error: unknown): boolean {
  return error instanceof Error && "code" in error && shortages.has(String(error.code));
}

/**
 * Opens a file or a directory, and retries for five seconds if the system is short of descriptors
 * or memory: other threads go on and free theirs. Blocks this thread. Throws the system's error.
 */
export function retryWhileShort<T>(open: () => T): T {
  for (let tries = 1; ; tries++) {
    try {
      const opened = open();
      triesAllowed = maxTries;
      return opened;
    } catch (error) {
      if (!isShortage(error)) throw error;
      if (tries >= triesAllowed) {
        triesAllowed = 2;
        throw error;
      }
      Atomics.wait(sleeper, 0, 0, firstPauseMs * 2 ** tries);
    }
  }
}
