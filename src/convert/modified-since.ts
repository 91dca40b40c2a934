import { type FileStamp, fileTimeSlackMs } from "../model/session-file.js";

/** File times with fractions lag by at most a tick of the kernel's clock, milliseconds. */
const fineTimeMs = 50;

/**
 * Whether a file was modified since an instant, milliseconds since the epoch (spec.md section 1).
 * Change times count unless something like a chown touched every file. Times in whole seconds may
 * lag by 2 s; finer ones count as exact. Otherwise a user saved just before a copy, who then logs
 * out of Redis, would come back with the next copy.
 */
export function isModifiedSince(
  { mtimeMs, ctimeMs }: Pick<FileStamp, "mtimeMs" | "ctimeMs">,
  sinceMs: number,
  changeTimesCount: boolean,
): boolean {
  return latest(mtimeMs) > sinceMs || (changeTimesCount && latest(ctimeMs) > sinceMs);
}

/** The latest instant that a file time may stand for. */
function latest(timeMs: number): number {
  return timeMs + (timeMs % 1000 === 0 ? fileTimeSlackMs : fineTimeMs);
}
