import { accessSync, constants, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../model/error-code.js";
import { isScatterFolder } from "../session-name.js";

/** Why no file may be removed from a folder. */
export interface RemovalDenial {
  /** The system's name of the refusal, such as `EACCES`. */
  readonly code: string;
  /** Who owns the folder; absent if that cannot be seen. */
  readonly owner?: number;
}

/** What the system answers if a file may not be removed. */
export const denialCodes: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

const stickyBit = 0o1000;
const root = 0;

/** Why this process may not remove files from a folder; `undefined` if nothing speaks against it. Throws only what is no system error. */
export function removalDenial(folder: string): RemovalDenial | undefined {
  const stats = statsOf(folder);
  const owner = stats === undefined ? {} : { owner: stats.uid };
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = errorCode(error);
    return denialCodes.has(code) ? { code, ...owner } : undefined;
  }
  const uid = process.geteuid?.();
  // In a sticky folder only the owners of a file and of the folder may remove it; servers own their session files.
  const isForeign =
    stats !== undefined && (stats.mode & stickyBit) !== 0 && stats.uid !== uid && uid !== root;
  return isForeign ? { code: "EPERM", ...owner } : undefined;
}

/**
 * Finds the first folder in which this process may not remove session files, the directory itself
 * first; `undefined` if there is none.
 */
export function deniedFolderOf(
  directory: string,
): { readonly folder: string; readonly why: RemovalDenial } | undefined {
  const folders = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isScatterFolder(entry.name))
    .map(({ name }) => join(directory, name));
  for (const folder of [directory, ...folders]) {
    const why = removalDenial(folder);
    if (why !== undefined) return { folder, why };
  }
  return undefined;
}

/** Why and what to do, as a sentence. `what` is the folder or file as it is shown. */
export function explainDenial({ code, owner }: RemovalDenial, what: string): string {
  if (code === "EROFS") {
    return `${what} is on a read-only mount (EROFS): its session files are not permitted to be removed. Mount it read-write for the purge`;
  }
  const us = process.geteuid?.();
  if (owner === undefined || owner === us || us === root) {
    return `${what} may not be changed (${code}): its session files are not permitted to be removed. Is it immutable? (lsattr shows it, chattr -i ends it)`;
  }
  return `uid ${us} is not permitted to remove files from ${what}, which belongs to uid ${owner} (${code}). Run the purge as uid ${owner}`;
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
