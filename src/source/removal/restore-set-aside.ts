import { existsSync, lstatSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { errorCode } from "../../model/error-code.js";
import type { SessionFile, SetAsideFile } from "../../model/session-file.js";
import { OpenDirectory } from "../open-directory.js";
import { putBack } from "./put-back.js";

/** What became of the files that an interrupted purge left under names of ours. */
export interface Restored {
  /** Back under their own names. */
  readonly files: readonly SessionFile[];
  /** How many are still aside, because their purge is still running. */
  readonly inHand: number;
  /** The system's name of the problem, for those that could not be put back. */
  readonly problems: readonly string[];
}

/**
 * Puts back what a crash left under names of ours; what a purge that still runs has in hand is left to it. No folder that became a symlink
 * is gone through. Throws `SourceError` where a session directory cannot be opened any more.
 */
export function restoreSetAside(setAside: readonly SetAsideFile[]): Restored {
  const files: SessionFile[] = [];
  const problems: string[] = [];
  let inHand = 0;
  const opened = new Map<string, OpenDirectory>();
  try {
    for (const one of setAside) {
      const { directory } = one.file;
      const open = opened.get(directory) ?? new OpenDirectory(directory);
      opened.set(directory, open);
      if (isRunning(one.pid) && isYoung(open, one)) {
        inHand++;
        continue;
      }
      const { problem, isBack } = restoreOne(open, one);
      if (problem !== undefined) problems.push(problem);
      if (isBack) files.push(one.file);
    }
  } finally {
    for (const directory of opened.values()) directory.close();
  }
  return { files, inHand, problems };
}

const longestInHandMs = 60_000;

interface RestoredOne {
  readonly problem?: string | undefined;
  /** Whether a file stands where none stood before. */
  readonly isBack: boolean;
}

function restoreOne(directory: OpenDirectory, { file, asideName }: SetAsideFile): RestoredOne {
  try {
    const folder = directory.folderOf(file);
    if (folder === undefined) return { isBack: false };
    const path = `${folder}/${basename(file.name)}`;
    const stood = isFile(path);
    const problem = putBack(`${folder}/${asideName}`, path);
    return { problem, isBack: !stood && isFile(path) };
  } catch (error) {
    return { problem: errorCode(error), isBack: false };
  }
}

/** Whether a file was set aside just now; a purge has none in hand for longer than a moment. */
function isYoung(directory: OpenDirectory, { file, asideName }: SetAsideFile): boolean {
  try {
    const folder = directory.folderOf(file);
    const stats =
      folder === undefined ? undefined : lstatSync(`${folder}/${asideName}`, { throwIfNoEntry: false });
    return stats !== undefined && stats.ctimeMs > Date.now() - longestInHandMs;
  } catch (error) {
    errorCode(error);
    return false;
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Whether the process that set a file aside is still running; its id alone may be another program's by now. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    if (!existsSync("/proc/self/cmdline")) return process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("tele-sessions");
  } catch (error) {
    errorCode(error);
    return false;
  }
}
