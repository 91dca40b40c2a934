import type { ProgressState } from "../../model/progress/progress-state.js";
import { showablePath } from "../../model/showable.js";
import type { LogFacts } from "./log-line.js";

/** How far a run has come, for programs. What is not known is null; nothing is left out. */
export function progressFacts(state: ProgressState): LogFacts {
  const { directories, perSecond, seconds, secondsLeft, outcomes, memory } = state;
  const { phase, pass, redis, dryRun, threads, done, total, bytesWritten, purge } = state;
  return {
    phase,
    pass,
    directories: directories.map(showablePath),
    redis,
    dryRun,
    threads,
    done,
    total,
    perSecond: Math.round(perSecond),
    seconds: Number(seconds.toFixed(1)),
    secondsLeft: secondsLeft === null ? null : Math.round(secondsLeft),
    outcomes: Object.fromEntries(Object.entries(outcomes).filter(([, count]) => count > 0)),
    bytesWritten,
    purge,
    memory,
  };
}
