import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caretaker } from "./caretaker.js";

let root: string | undefined;

/** A new, empty directory (0700), absolute and without symlinks in its path. It goes when this process ends, however it ends. */
export function makeTemporaryDirectory(): string {
  if (root === undefined) {
    root = realpathSync(mkdtempSync(join(tmpdir(), "tele-sessions-")));
    caretaker.removeAtEnd(root);
  }
  return mkdtempSync(join(root, "t"));
}

/** Removes a temporary directory before this process ends. */
export function removeTemporaryDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
