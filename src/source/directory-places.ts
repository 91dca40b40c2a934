import { type BigIntStats, statSync } from "node:fs";
import { SourceError } from "../model/errors.js";
import { errorCode } from "./error-code.js";

/**
 * What session directories may be known by: their paths, and their inodes, for another container or host may have mounted one elsewhere.
 * Device numbers differ between hosts. Throws `SourceError` where a directory is gone.
 */
export function directoryPlaces(directories: readonly string[]): string[] {
  return directories.flatMap((directory) => [directory, `inode ${statsOf(directory).ino}`]);
}

/**
 * What tells a directory from another one at the same path, on whichever host it is mounted: its inode and when it was made. The roots of new
 * volumes have the same inode all, and where a file system does not date its making, nothing else. Throws `SourceError` where it is gone.
 */
export function lastingIdentityOf(directory: string): string {
  const { ino, birthtimeNs } = statsOf(directory);
  return `${ino} ${birthtimeNs}`;
}

function statsOf(directory: string): BigIntStats {
  try {
    return statSync(directory, { bigint: true });
  } catch (error) {
    throw new SourceError(`${directory} cannot be read: ${errorCode(error)}`);
  }
}
