import { coarseTimeMs } from "../model/coarse-time.js";
import type { FileStamp } from "../model/session-file.js";

/**
 * Whether a file was modified since an instant, milliseconds since the epoch (spec.md section 1). Change times count unless something touched every
 * file, as a chown does.
 */
export function isModifiedSince(
  { mtimeMs, ctimeMs }: Pick<FileStamp, "mtimeMs" | "ctimeMs">,
  sinceMs: number,
  changeTimesCount: boolean,
): boolean {
  return Math.max(mtimeMs, changeTimesCount ? ctimeMs : 0) > sinceMs - coarseTimeMs;
}
