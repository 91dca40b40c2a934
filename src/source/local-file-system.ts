import { statfsSync } from "node:fs";
import { orElse } from "../model/errors.js";

/** Magic numbers [Linux, statfs(2)]; `ext` is ext2 to ext4. */
const magic = { ext: 0xef53, btrfs: 0x9123683e, tmpfs: 0x01021994, xfs: 0x58465342, overlay: 0x794c7630 };

/** Not XFS: without ftype, its directories do not know the types. */
const withTypes: ReadonlySet<number> = new Set([magic.ext, magic.btrfs, magic.tmpfs]);
const local: ReadonlySet<number> = new Set([...withTypes, magic.xfs]);
/** A container's overlay lies on a local file system, and takes its times from there. */
const onOurs: ReadonlySet<number> = new Set([...local, magic.overlay]);

/** Whether a path is known to be on a local file system, where removals change a folder's times. */
export function isOnLocalFileSystem(path: string): boolean {
  return isOnOneOf(local, path);
}

/** Whether a path is known to be on a file system that lists the type of every name. */
export function tellsTypes(path: string): boolean {
  return isOnOneOf(withTypes, path);
}

/** Whether this machine's clock is known to date the files below a path. */
export function isDatedByUs(path: string): boolean {
  return isOnOneOf(onOurs, path);
}

/** Whether only this machine changes what is below a path, so that inotify reports every change. */
export function isChangedByUsOnly(path: string): boolean {
  return isOnOneOf(onOurs, path);
}

function isOnOneOf(types: ReadonlySet<number>, path: string): boolean {
  return orElse(false, () => types.has(statfsSync(path).type));
}
