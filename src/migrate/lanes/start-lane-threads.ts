import { availableParallelism } from "node:os";
import type { RunOptions } from "../../model/run-options.js";
import { newScanTally } from "../../model/session-file.js";
import { scanSessions } from "../../source/scan-sessions.js";
import { LaneThread } from "./lane-thread.js";

/** More of them than this wait for each other and for Redis, which has one thread. */
const mostLanes = 4;
/** Session files that one lane has done before threads have started. */
const fewFiles = 8000;

/**
 * Threads for the lanes of a run besides the one on the main thread, begun early, for they take a while to load; none where that one is as
 * good: few files, one processor, a rate that one lane keeps.
 */
export function startLaneThreads(
  { run: { lanes, maxRate } }: RunOptions,
  directories: readonly string[],
): readonly LaneThread[] {
  const count = lanes ?? (maxRate === null ? Math.min(availableParallelism(), mostLanes) : 1);
  if (count === 1 || (lanes === null && !hasMany(directories))) return [];
  return Array.from({ length: count - 1 }, () => new LaneThread());
}

/** Whether there are more than a few session files. Throws `SourceError` where a directory cannot be read. */
function hasMany(directories: readonly string[]): boolean {
  let found = 0;
  for (const directory of directories) {
    for (const batch of scanSessions(directory, fewFiles, newScanTally())) {
      found += batch.length;
      if (found >= fewFiles) return true;
    }
  }
  return false;
}
