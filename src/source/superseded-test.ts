import { existsSync, lstatSync } from "node:fs";
import type { FileStamp, SessionFile } from "../model/session-file.js";
import { errorCode } from "./error-code.js";
import { layouts } from "./session-name.js";

const layoutsInOrder = ["scattered", "flat"] as const;

/**
 * How long a scatter folder counts as there, or not there, once it was looked for. What appears in one meanwhile is a file that changed
 * behind the look, and is found as such.
 */
const lookHoldsMs = 1000;

/**
 * Gives a test for whether another file holds the same session later: in the other layout, or in another of the session directories. Of two
 * with the same time the one in the earlier directory counts, then the scattered one, which is where servers move a flat one to.
 */
export function supersededTest(
  directories: readonly string[],
): (file: SessionFile, stamp: FileStamp) => boolean {
  const isFolder = folderTest();
  return (file, stamp) => {
    for (const directory of directories) {
      for (const layout of layoutsInOrder) {
        if (layout === file.layout && directory === file.directory) continue;
        const name = layouts[layout].nameOf(file.sid);
        if (name === undefined) continue;
        if (layout === "scattered" && !isFolder(`${directory}/${file.sid.slice(0, 2)}`)) continue;
        const other = regularFileAt(`${directory}/${name}`);
        // The same file under two names is a file that was moved.
        if (other === undefined || (other.ino === stamp.ino && other.dev === stamp.dev)) continue;
        const isLater =
          other.mtimeMs === stamp.mtimeMs
            ? rankOf(directory, layout, directories) < rankOf(file.directory, file.layout, directories)
            : other.mtimeMs > stamp.mtimeMs;
        if (isLater) return true;
      }
    }
    return false;
  };
}

/** Gives a test for whether anything is at a folder's path, or was a moment ago. */
function folderTest(): (path: string) => boolean {
  const looks = new Map<string, { readonly there: boolean; readonly atMs: number }>();
  return (path) => {
    const nowMs = performance.now();
    const known = looks.get(path);
    if (known !== undefined && nowMs - known.atMs < lookHoldsMs) return known.there;
    const there = existsSync(path);
    looks.set(path, { there, atMs: nowMs });
    return there;
  };
}

function rankOf(directory: string, layout: SessionFile["layout"], directories: readonly string[]): number {
  return 2 * directories.indexOf(directory) + (layout === "scattered" ? 0 : 1);
}

/** `undefined` for what holds no session: nothing, an empty file, no file, or one that cannot be looked at. */
function regularFileAt(path: string): FileStamp | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isFile() && stats.size > 0 ? stats : undefined;
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
