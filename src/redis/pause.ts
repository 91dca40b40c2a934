import { setTimeout as wait } from "node:timers/promises";

/** Waits this many milliseconds, or until the run is to stop. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  try {
    await wait(milliseconds, undefined, { signal: stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
