/** What the system says when it is short of descriptors or memory: it passes when others give some back. */
const shortages: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "ENOBUFS"]);
const firstPauseMs = 10;
const maxTries = 9;
/** Once a shortage outlasted all tries, no other file waits that long until one succeeds. */
let patience = maxTries;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

export function isShortage(error: unknown): boolean {
  return error instanceof Error && "code" in error && shortages.has(String(error.code));
}

/**
 * Does what opens a file or a directory, again after a pause if the system is short of descriptors or memory, for five seconds. Other threads go on
 * meanwhile and give back what they hold. Throws the system's error.
 */
export function retryWhileShort<T>(open: () => T): T {
  for (let tries = 1; ; tries++) {
    try {
      const opened = open();
      patience = maxTries;
      return opened;
    } catch (error) {
      if (!isShortage(error)) throw error;
      if (tries >= patience) {
        patience = 2;
        throw error;
      }
      Atomics.wait(sleeper, 0, 0, firstPauseMs * 2 ** tries);
    }
  }
}
