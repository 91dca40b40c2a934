import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caretaker } from "./caretaker.js";

/**
 * Names a directory that whoever set it removes, with all that test files make in it, once the last
 * of them has ended. ext4 gives the inode of a removed file to no new one for some time, and looks
 * at each of these before it finds a free one: where one file's sessions are removed before the
 * next one's are made, making one takes 30 times as long.
 */
export const temporaryVariable = "TELE_SESSIONS_TEMPORARY";

let root: string | undefined;

/**
 * A new, empty directory (0700), absolute and without symlinks in its path. It goes when this
 * process ends, however it ends, or with what `temporaryVariable` names.
 */
export function makeTemporaryDirectory(): string {
  if (root === undefined) {
    const removedByOther = process.env[temporaryVariable];
    root = realpathSync(mkdtempSync(join(removedByOther ?? tmpdir(), "tele-sessions-")));
    if (removedByOther === undefined) caretaker.removeAtEnd(root);
  }
  return mkdtempSync(join(root, "t"));
}

/** Removes a temporary directory before this process ends. */
export function removeTemporaryDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Does something while the system's temporary directory is another. */
export function withTemporaryDirectory<Result>(path: string, action: () => Result): Result {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = path;
  try {
    return action();
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}
