import { existsSync, lstatSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { errorCode, orElse } from "../../model/errors.js";
import type { SessionFile, SetAsideFile } from "../../model/session-file.js";
import { OpenDirectory } from "../open-directory.js";
import { putBack } from "./put-back.js";

/** What became of the files that an interrupted purge left set aside. */
export interface Restored {
  /** The files that got their own names back. */
  readonly files: readonly SessionFile[];
  /** How many stay aside because their purge is still running. */
  readonly inHand: number;
  /** The system's codes for those that could not be put back. */
  readonly problems: readonly string[];
}

/** A purge holds a file aside for a moment only, so an older one is left over. */
const maxInHandMs = 60_000;

/**
 * Puts back the files that a crash left set aside; leaves those that a running purge has in hand.
 * Follows no folder that became a symlink.
 *
 * @throws SourceError if a session directory can no longer be opened.
 */
export function restoreSetAside(setAside: readonly SetAsideFile[]): Restored {
  const files: SessionFile[] = [];
  const problems: string[] = [];
  let inHand = 0;
  const opened = new Map<string, OpenDirectory>();
  try {
    for (const { file, asideName, pid } of setAside) {
      const directory = opened.get(file.directory) ?? new OpenDirectory(file.directory);
      opened.set(file.directory, directory);
      try {
        const folder = directory.folderOf(file);
        if (folder === undefined) continue;
        const aside = `${folder}/${asideName}`;
        const path = `${folder}/${basename(file.name)}`;
        if (isRunning(pid) && isRecent(aside)) {
          inHand++;
          continue;
        }
        const stoodBefore = isFile(path);
        const problem = putBack(aside, path);
        const stands = isFile(path);
        if (problem !== undefined) problems.push(problem);
        if (stands && !stoodBefore) files.push(file);
      } catch (error) {
        problems.push(errorCode(error));
      }
    }
  } finally {
    for (const directory of opened.values()) directory.close();
  }
  return { files, inHand, problems };
}

function isRecent(aside: string): boolean {
  const stats = lstatSync(aside, { throwIfNoEntry: false });
  return stats !== undefined && stats.ctimeMs > Date.now() - maxInHandMs;
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Whether the purge that set a file aside still runs; its pid may be another program's by now. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  return orElse(false, () =>
    existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("tele-sessions")
      : process.kill(pid, 0),
  );
}
