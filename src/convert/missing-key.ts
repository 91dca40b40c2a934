import type { FileStamp } from "../model/session-file.js";

/** What a file system that keeps whole seconds only may be behind by; FAT has steps of two. */
const coarseStepMs = 2000;
/** The same for one that keeps fractions: the kernel's own clock tick. */
const fineStepMs = 50;

/**
 * Whether a session file was there, as it is, when the run that left a mark began: that run then saw to it, and a key that is missing
 * ended in Redis. A file that was put there later with an old modification time was not: its change time tells.
 */
export function isCoveredByMark({ mtimeMs, ctimeMs }: FileStamp, markMs: number): boolean {
  return Math.max(latestMs(mtimeMs), latestMs(ctimeMs)) <= markMs;
}

/** Why a key is missing, as far as a mark tells: its session lived out its lifetime since, or was ended before. */
export function explainMissing(markMs: number, fullLifetimeMs: number, nowMs: number): "expired" | "ended" {
  return markMs + fullLifetimeMs <= nowMs ? "expired" : "ended";
}

/** The last instant that a file time may stand for. */
function latestMs(timeMs: number): number {
  return timeMs + (timeMs % 1000 === 0 ? coarseStepMs : fineStepMs);
}
