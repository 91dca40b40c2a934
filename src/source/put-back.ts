import { type BigIntStats, linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode } from "./error-code.js";
import { setAsideName } from "./set-aside-name.js";

/** Names that come and go while something is put back are met so many times; then it stays aside for a later run. */
const mostContests = 3;
/** What is answered where files have no links, or no more of them, or where another's file may not have one. */
const noLinkCodes: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Gives what was set aside its own name again, by link, so that it never takes the place of what came there since. Where a later session
 * file stands there, the one set aside is what the server itself would have replaced, and goes; an earlier one, or an empty file, goes in
 * its stead. `undefined` where nothing is left aside, else the system's name of the problem. Throws only what is no system error.
 */
export function putBack(aside: string, path: string, contests = mostContests): string | undefined {
  try {
    const former = lstatSync(aside, { bigint: true });
    if (former.isDirectory()) return putDirectoryBack(aside, path);
    if (takesName(aside, path)) return undefined;
    const standing = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (standing !== undefined && isReplacedBy(former, standing)) {
      unlinkSync(aside);
      return undefined;
    }
    if (contests === 0) return "EEXIST";
    if (standing === undefined) return putBack(aside, path, contests - 1);
    return isReplacedBy(standing, former) ? contest(aside, path, contests - 1) : "EEXIST";
  } catch (error) {
    const code = errorCode(error);
    return code === "ENOENT" ? undefined : code;
  }
}

/** Whether what lies aside could take its name; not where one stands there. */
function takesName(aside: string, path: string): boolean {
  try {
    linkSync(aside, path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (!noLinkCodes.has(code)) throw error;
    // Without links a look must do. What comes within the moment between both is replaced.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(aside, path);
    return true;
  }
  unlinkSync(aside);
  return true;
}

/** Directories have no links; no session file is one, so this is a stranger's doing. */
function putDirectoryBack(aside: string, path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return "EEXIST";
  renameSync(aside, path);
  return undefined;
}

/**
 * An earlier file has the name of what lies aside: it is taken aside too, for by then it may be another one, and comes back behind it. It then
 * finds a later one in its place, or is one itself.
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

/** Whether the server would have put one session file in the place of the other: the later one, and any for an empty one. */
function isReplacedBy(former: BigIntStats, standing: BigIntStats): boolean {
  if (!former.isFile() || !standing.isFile()) return false;
  return former.size === 0n || (standing.size > 0n && standing.mtimeNs >= former.mtimeNs);
}
