import { randomBytes } from "node:crypto";
import { type BigIntStats, linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode } from "../../model/errors.js";
import { setAsideName } from "./set-aside-name.js";

/** How often names may come and go meanwhile; after that the file stays aside for a later run. */
const maxContests = 3;
/** The codes if there are no hard links, too many already, or none permitted for this file. */
export const noLinkCodes: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Gives a file that was set aside its own name back, by a link, which never replaces anything. If a
 * session file came to that name meanwhile, the later save stays, as if the server had renamed over
 * it; an empty file is never the later one. Anything else that was set aside stays, under a new
 * name if its own is taken, and a directory always under a new one.
 *
 * Returns `undefined` if nothing is left aside, else the system's code. Never throws system errors.
 */
export function putBack(aside: string, path: string, contests = maxContests): string | undefined {
  try {
    const former = lstatSync(aside, { bigint: true });
    if (takesName(aside, path, former)) return undefined;
    if (!former.isFile()) {
      // The name is random, so the rename replaces nothing.
      renameSync(aside, `${path}.${randomBytes(8).toString("hex")}`);
      return undefined;
    }
    const standing = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (standing !== undefined && isReplacedBy(former, standing)) {
      unlinkSync(aside);
      return undefined;
    }
    if (contests === 0) return "EEXIST";
    return standing === undefined ? putBack(aside, path, contests - 1) : contest(aside, path, contests - 1);
  } catch (error) {
    const code = errorCode(error);
    return code === "ENOENT" ? undefined : code;
  }
}

/** Whether the file set aside got its name; it does not if the name is taken. */
function takesName(aside: string, path: string, former: BigIntStats): boolean {
  // Directories have no links, and a rename would replace an empty directory that came just then.
  if (former.isDirectory()) return false;
  try {
    linkSync(aside, path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (noLinkCodes.has(code)) return takesFreeName(aside, path);
    throw error;
  }
  unlinkSync(aside);
  return true;
}

/** Takes the name without links: checks, then renames. Replaces a file that comes in between. */
function takesFreeName(aside: string, path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    renameSync(aside, path);
    return true;
  } catch (error) {
    // A directory came meanwhile.
    if (errorCode(error) === "EISDIR") return false;
    throw error;
  }
}

/**
 * Sets aside what has the name too, since it may have changed by then, and puts back both: the one
 * from before first. Whichever is the later session file ends up with the name.
 */
function contest(aside: string, path: string, contests: number): string | undefined {
  const other = join(dirname(path), setAsideName(basename(path)));
  try {
    renameSync(path, other);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return putBack(aside, path, contests);
  }
  const problem = putBack(aside, path, contests);
  return putBack(other, path, contests) ?? problem;
}

/** Whether the standing file replaces the former: a later save, or any if the former is empty. */
function isReplacedBy(former: BigIntStats, standing: BigIntStats): boolean {
  if (!standing.isFile()) return false;
  return former.size === 0n || (standing.size > 0n && standing.mtimeNs >= former.mtimeNs);
}
