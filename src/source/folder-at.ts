import { lstatSync, type Stats } from "node:fs";
import { errorCode } from "../model/error-code.js";

/** The directory at a path; `undefined` where there is none, or none that can be looked at. A symlink to one is none. */
export function folderAt(path: string): Stats | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() ? stats : undefined;
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
