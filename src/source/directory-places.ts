import { type BigIntStats, statSync } from "node:fs";
import { errorCode } from "../model/error-code.js";
import { SourceError } from "../model/errors.js";

/**
 * What session directories may be known by: their paths, and their inodes, for another container or host may have mounted one elsewhere.
 * Device numbers differ between hosts. Throws `SourceError` where a directory is gone.
 */
export function directoryPlaces(directories: readonly string[]): string[] {
  return directories.flatMap((directory) => [directory, `inode ${inodeOf(directory)}`]);
}

/** What tells a directory from another one at the same path while both are there. Throws `SourceError` where it is gone. */
export function inodeOf(directory: string): string {
  return String(statsOf(directory).ino);
}

/**
 * What tells a directory from another one at the same path for good, on whichever host it is mounted: its inode and when it was made, for the
 * roots of new volumes all have the same inode; 0 where that is not known. Throws `SourceError` where it is gone.
 */
export function lastingIdentityOf(directory: string): string {
  const { ino, birthtimeNs } = statsOf(directory);
  return `${ino} ${birthTimesAreTold() ? birthtimeNs : 0}`;
}

/**
 * Where the kernel, or a sandbox, has no statx, libuv gives the time of the last change for that of the making [libuv/src/unix/fs.c,
 * `uv__fs_statx`]. procfs dates no making: what it tells is nothing or that.
 */
function birthTimesAreTold(): boolean {
  return (statSync("/proc/self", { throwIfNoEntry: false })?.birthtimeMs ?? 0) === 0;
}

function statsOf(directory: string): BigIntStats {
  try {
    return statSync(directory, { bigint: true });
  } catch (error) {
    throw new SourceError(`${directory} cannot be read: ${errorCode(error)}`);
  }
}
