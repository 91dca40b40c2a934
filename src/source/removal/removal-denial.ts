import { accessSync, constants } from "node:fs";
import { type Explanation, errorCode } from "../../model/errors.js";
import { statsAt } from "../file-identity.js";

/** Why no file may be removed from a folder. */
export interface RemovalDenial {
  /** The system's code, such as `EACCES`. */
  readonly code: string;
  /** The uid of the folder's owner; absent if unknown. */
  readonly owner?: number;
}

/** The system's codes for a removal that is not permitted. */
export const denialCodes: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

const stickyBit = 0o1000;
const root = 0;

/** Why this process may not remove files from a folder; `undefined` if it may or we cannot tell. */
export function removalDenial(folder: string): RemovalDenial | undefined {
  const stats = statsAt(folder);
  const owner = stats === undefined ? {} : { owner: stats.uid };
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = errorCode(error);
    return denialCodes.has(code) ? { code, ...owner } : undefined;
  }
  const uid = process.geteuid?.();
  // In a sticky folder, only the owner of the folder or of the file may remove it, and servers own
  // their files.
  const isForeign = stats !== undefined && (stats.mode & stickyBit) !== 0 && stats.uid !== uid && uid !== root;
  return isForeign ? { code: "EPERM", ...owner } : undefined;
}

/** A folder whose files this process may not remove. */
export interface DeniedFolder {
  readonly folder: string;
  readonly why: RemovalDenial;
}

/** Those of these folders whose files this process may not remove. */
export function deniedFoldersOf(folders: readonly string[]): readonly DeniedFolder[] {
  return folders.flatMap((folder) => {
    const why = removalDenial(folder);
    return why === undefined ? [] : [{ folder, why }];
  });
}

/** Explains a denial and what to do about it. `what` is the folder or file, as messages show it. */
export function explainDenial({ code, owner }: RemovalDenial, what: string): Explanation {
  if (code === "EROFS") {
    return {
      found: `${what} is on a read-only mount (EROFS), so its session files are not permitted to be removed`,
      remedy: "Mount it read-write for the purge",
    };
  }
  const us = process.geteuid?.();
  if (owner === undefined || owner === us || us === root) {
    return {
      found: `${what} may not be changed (${code}), so its session files are not permitted to be removed`,
      remedy: "Is it immutable? (lsattr shows it, chattr -i ends it)",
    };
  }
  return {
    found: `uid ${us} is not permitted to remove files from ${what}, which belongs to uid ${owner} (${code})`,
    remedy: `Run the purge as uid ${owner}`,
  };
}

/** A denial in short, for a file that stays: `not permitted: this is uid 101, and ... (EACCES)`. */
export function denialReason({ code, owner }: RemovalDenial): string {
  const us = process.geteuid?.();
  const whose =
    owner === undefined || owner === us ? "" : `: this is uid ${us}, and the folder belongs to uid ${owner}`;
  return `not permitted${whose} (${code})`;
}
