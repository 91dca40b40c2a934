import { statSync } from "node:fs";
import { SourceError } from "../model/errors.js";
import { errorCode } from "./error-code.js";

/**
 * What session directories may be known by: their paths, and their inodes, for another container or host may have mounted one elsewhere.
 * Device numbers differ between hosts. Throws `SourceError` where a directory is gone.
 */
export function directoryPlaces(directories: readonly string[]): string[] {
  return directories.flatMap((directory) => [directory, `inode ${inodeOf(directory)}`]);
}

/** What tells a directory from another one at the same path. Throws `SourceError` where it is gone. */
export function inodeOf(directory: string): string {
  try {
    return String(statSync(directory, { bigint: true }).ino);
  } catch (error) {
    throw new SourceError(`${directory} cannot be read: ${errorCode(error)}`);
  }
}
