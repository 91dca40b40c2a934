import { linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { errorCode } from "./error-code.js";

/**
 * Gives what was set aside its own name again, by link, so that it never takes the place of what came there since. Where a later session
 * file stands there, the one set aside is what the server itself would have replaced, and goes. `undefined` where nothing is left
 * aside, else the system's name of the problem. Throws only what is no system error.
 */
export function putBack(aside: string, path: string): string | undefined {
  try {
    if (lstatSync(aside).isDirectory()) return putDirectoryBack(aside, path);
    try {
      linkSync(aside, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST" || !isReplaced(aside, path)) throw error;
    }
    unlinkSync(aside);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    return code === "ENOENT" ? undefined : code;
  }
}

/** Directories have no links; no session file is one, so this is a stranger's doing. */
function putDirectoryBack(aside: string, path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return "EEXIST";
  renameSync(aside, path);
  return undefined;
}

function isReplaced(aside: string, path: string): boolean {
  const former = lstatSync(aside, { bigint: true });
  const standing = lstatSync(path, { bigint: true });
  return former.isFile() && standing.isFile() && standing.size > 0n && standing.mtimeNs >= former.mtimeNs;
}
