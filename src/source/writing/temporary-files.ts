import { lstatSync, opendirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { orElse } from "../../model/errors.js";

/**
 * Servers ignore what ends like their own temporary files, and remove what is old of it
 * [werkzeug/contrib/sessions.py]; `scanSessions` ignores it too.
 */
const start = "tmp-tele-sessions-";
const end = ".__wz_sess";
/** An export needs a temporary file for moments only: an older one is what a killed run left. */
const maxInHandMs = 10 * 60_000;

/** The name of a session file while it is written. */
export function temporaryName(digits: string): string {
  return start + digits + end;
}

/** Removes what killed exports left. Returns how many files that were. */
export function removeLeftTemporaries(directory: string, nowMs = Date.now()): number {
  let removed = 0;
  const opened = opendirSync(directory, { bufferSize: 1024 });
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      if (!entry.name.startsWith(start) || !entry.name.endsWith(end)) continue;
      const path = join(directory, entry.name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined || stats.ctimeMs > nowMs - maxInHandMs) continue;
      removed += orElse(0, () => {
        unlinkSync(path);
        return 1;
      });
    }
  } finally {
    opened.closeSync();
  }
  return removed;
}
