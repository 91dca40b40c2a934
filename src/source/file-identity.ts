import { type BigIntStats, lstatSync, type Stats, statSync } from "node:fs";
import { orElse, SourceError, systemReason } from "../model/errors.js";
import type { ExactStamp } from "../model/session-file.js";

type Inode = Readonly<Pick<Stats, "dev" | "ino"> | Pick<BigIntStats, "dev" | "ino">>;

/** Whether two stats are of one file, under any name. A server's save makes a new file. */
export function isSameFile(one: Inode, other: Inode): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** Whether two stats are of one file that was neither written to nor renamed in between. */
export function isUnchanged(one: ExactStamp, other: ExactStamp): boolean {
  const hasSameTimes = one.mtimeNs === other.mtimeNs && one.ctimeNs === other.ctimeNs;
  return isSameFile(one, other) && one.size === other.size && hasSameTimes;
}

/** Equal for two stats exactly if they are of one directory. Valid while it exists, on one host. */
export function identityOf({ dev, ino }: Inode): string {
  return `${dev}:${ino}`;
}

/** The identity of the directory at a path; `undefined` if `folderAt` finds none. */
export function identityAt(path: string): string | undefined {
  const folder = folderAt(path);
  return folder && identityOf(folder);
}

/** The directory at a path; `undefined` if there is none, or a symlink, or it cannot be read. */
export function folderAt(path: string): Stats | undefined {
  const stats = orElse(undefined, () => lstatSync(path, { throwIfNoEntry: false }));
  return stats?.isDirectory() ? stats : undefined;
}

/** What a path leads to; `undefined` if that is nothing, or cannot be statted. */
export function statsAt(path: string): Stats | undefined {
  return orElse(undefined, () => statSync(path, { throwIfNoEntry: false }));
}

/**
 * What runs on any host may know session directories by: their paths and their inodes, for another
 * container may mount one elsewhere. Device numbers differ between hosts. Throws `SourceError` if a
 * directory is gone.
 */
export function directoryPlaces(directories: readonly string[]): string[] {
  return directories.flatMap((directory) => [directory, `inode ${inodeOf(directory)}`]);
}

/** A directory's inode, on every host that mounts it. Throws `SourceError` if it is gone. */
export function inodeOf(directory: string): string {
  return String(statsOf(directory).ino);
}

/**
 * Identifies a directory for good and on every host: its inode and birth time, 0 if unknown. The
 * inode alone does not, for the roots of new volumes all have the same one. Throws `SourceError` if
 * the directory is gone.
 */
export function lastingIdentityOf(directory: string): string {
  const { ino, birthtimeNs } = statsOf(directory);
  return `${ino} ${hasBirthTimes() ? birthtimeNs : 0}`;
}

/**
 * Whether birth times can be trusted. Without statx, as in some sandboxes, libuv gives the time of
 * the last change instead [libuv/src/unix/fs.c, `uv__fs_statx`]; procfs has no birth times, so any
 * that it shows is such a one.
 */
function hasBirthTimes(): boolean {
  return (statSync("/proc/self", { throwIfNoEntry: false })?.birthtimeMs ?? 0) === 0;
}

function statsOf(directory: string): BigIntStats {
  try {
    return statSync(directory, { bigint: true });
  } catch (error) {
    throw new SourceError(`${directory} cannot be read: ${systemReason(error)}`);
  }
}
