import { statfsSync } from "node:fs";
import { errorCode } from "../model/error-code.js";

const [ext, btrfs, tmpfs, xfs, overlay] = [0xef53, 0x9123683e, 0x01021994, 0x58465342, 0x794c7630];

/** ext2 to ext4, XFS, btrfs, tmpfs [Linux, statfs(2)]. */
const localFileSystems: ReadonlySet<number> = new Set([ext, btrfs, tmpfs, xfs]);

/** Without XFS: one that was made without ftype tells of no name what stands under it. */
const tellingFileSystems: ReadonlySet<number> = new Set([ext, btrfs, tmpfs]);

/** A container's own takes its times from the same clock as the local ones that it lies on. */
const ourClock: ReadonlySet<number> = new Set([...localFileSystems, overlay]);

/** Whether a path is known to lie on a local file system: there a folder's times change with every file that is removed from it. */
export function isOnLocalFileSystem(path: string): boolean {
  return isOnOneOf(localFileSystems, path);
}

/** Whether a path is known to lie on a file system whose directories tell of each name what stands under it. */
export function tellsTypes(path: string): boolean {
  return isOnOneOf(tellingFileSystems, path);
}

/** Whether files below a path are known to be dated by this machine's clock. */
export function isDatedByUs(path: string): boolean {
  return isOnOneOf(ourClock, path);
}

function isOnOneOf(types: ReadonlySet<number>, path: string): boolean {
  try {
    return types.has(statfsSync(path).type);
  } catch (error) {
    errorCode(error);
    return false;
  }
}
