import { statSync } from "node:fs";

/**
 * What session directories may be known by: their paths, and their inodes, for another container or host may have mounted one elsewhere.
 * Device numbers differ between hosts. Throws the system's error where a directory is gone.
 */
export function directoryPlaces(directories: readonly string[]): string[] {
  return directories.flatMap((directory) => [directory, `inode ${statSync(directory).ino}`]);
}
