import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { SessionFile } from "../model/session-file.js";
import { errorCode } from "./error-code.js";

/** Where a session file may be moved to on its first use: Odoo 16 renames a flat one to its scattered place [odoo/http.py 16.0]. */
export function scatteredPlaceOf(file: SessionFile): string | undefined {
  return file.layout === "flat" ? join(file.directory, file.sid.slice(0, 2), file.sid) : undefined;
}

/** Whether a session file is gone from its place and from the one that it may be moved to: its session was ended. */
export function isGone(file: SessionFile): boolean {
  const moved = scatteredPlaceOf(file);
  return isMissing(join(file.directory, file.name)) && (moved === undefined || isMissing(moved));
}

function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    // What cannot be looked at is not known to be gone.
    errorCode(error);
    return false;
  }
}
