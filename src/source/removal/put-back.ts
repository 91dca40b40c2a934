import { randomBytes } from "node:crypto";
import { type BigIntStats, linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode } from "../../model/error-code.js";
import { setAsideName } from "./set-aside-name.js";

/** Names that come and go while something is put back are met so many times; then it stays aside for a later run. */
const mostContests = 3;
/** What is answered where files have no links, or no more of them, or where another's file may not have one. */
const noLinkCodes: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Gives what was set aside its own name again, by link, so that it never takes the place of what came there since. Where a later session
 * file stands there, the one set aside is what the server itself would have replaced, and goes; an earlier one, or an empty file, goes in
 * its stead. What is no file gives way to a session file and never goes: it gets another name, a directory always. `undefined` where nothing is left
 * aside, else the system's name of the problem. Throws only what is no system error.
 */
export function putBack(aside: string, path: string, contests = mostContests): string | undefined {
  try {
    const former = lstatSync(aside, { bigint: true });
    if (takesName(aside, path, former)) return undefined;
    if (!former.isFile()) {
      // A name that nobody can foresee: it takes the place of nothing.
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

/** Whether what lies aside could take its name; not where one stands there. */
function takesName(aside: string, path: string, former: BigIntStats): boolean {
  // It has no links, and renamed it would take the place of an empty directory that came just then.
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

/** The same without a link: a look must do. A file that comes within the moment between both is replaced by a file. */
function takesFreeName(aside: string, path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    renameSync(aside, path);
    return true;
  } catch (error) {
    // A directory came.
    if (errorCode(error) === "EISDIR") return false;
    throw error;
  }
}

/**
 * What has the name of the session file that lies aside, an earlier one or what is none, is taken aside too, for by then it may be another, and
 * comes back behind it: to find a later file in its place, or to be one itself.
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

/** Whether the server would have put what stands there in the place of the other file: a later one, and any for an empty one. */
function isReplacedBy(former: BigIntStats, standing: BigIntStats): boolean {
  if (!standing.isFile()) return false;
  return former.size === 0n || (standing.size > 0n && standing.mtimeNs >= former.mtimeNs);
}
