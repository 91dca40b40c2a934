import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SessionFile, SetAsideFile } from "../model/session-file.js";
import { errorCode } from "./error-code.js";
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

/** Puts back what a crash left under names of ours; what a purge that still runs has in hand is left to it. */
export function restoreSetAside(setAside: readonly SetAsideFile[]): Restored {
  const files: SessionFile[] = [];
  const problems: string[] = [];
  let inHand = 0;
  for (const { file, asideName, pid } of setAside) {
    const path = join(file.directory, file.name);
    const aside = join(dirname(path), asideName);
    if (isRunning(pid)) {
      inHand++;
      continue;
    }
    const stood = existsSync(path);
    const problem = putBack(aside, path);
    if (problem !== undefined) problems.push(problem);
    else if (!stood && existsSync(path)) files.push(file);
  }
  return { files, inHand, problems };
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
