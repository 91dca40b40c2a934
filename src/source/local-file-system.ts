import { statfsSync } from "node:fs";
import { errorCode } from "./error-code.js";

/** ext2 to ext4, XFS, btrfs, tmpfs [Linux, statfs(2)]. */
const localFileSystems: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);

/**
 * Whether a path is known to lie on a local file system: there a folder's times change with every file that is removed from it, and a
 * folder tells of all its names what stands under them, or of none.
 */
export function isOnLocalFileSystem(path: string): boolean {
  try {
    return localFileSystems.has(statfsSync(path).type);
  } catch (error) {
    errorCode(error);
    return false;
  }
}
