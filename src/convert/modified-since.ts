import { coarseTimeMs } from "../model/coarse-time.js";
import type { FileStamp } from "../model/session-file.js";

/** A file system that keeps fractions of a second may be behind by the kernel's own clock tick, milliseconds. */
const fineTimeMs = 50;

/**
 * Whether a file was modified since an instant, milliseconds since the epoch (spec.md section 1).
 * Change times count unless something touched every file, as a chown does. Times of whole seconds
 * may be 2 s late. Finer ones are taken at their word: a user whose file was saved just before a
 * copy, and who then logged out of Redis, must not come back with the next copy.
 */
export function isModifiedSince(
  { mtimeMs, ctimeMs }: Pick<FileStamp, "mtimeMs" | "ctimeMs">,
  sinceMs: number,
  changeTimesCount: boolean,
): boolean {
  return latest(mtimeMs) > sinceMs || (changeTimesCount && latest(ctimeMs) > sinceMs);
}

/** The last instant that a file time may stand for. */
function latest(timeMs: number): number {
  return timeMs + (timeMs % 1000 === 0 ? coarseTimeMs : fineTimeMs);
}
