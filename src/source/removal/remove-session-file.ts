import { closeSync, fstatSync, lstatSync, openSync, renameSync, unlinkSync } from "node:fs";
import { errorCode } from "../../model/errors.js";
import type { ExactStamp } from "../../model/session-file.js";
import { isUnchanged } from "../file-identity.js";
import { noFileCodes, openFlags } from "../read-session-file.js";
import { putBack } from "./put-back.js";
import { denialCodes } from "./removal-denial.js";
import { setAsideName } from "./set-aside-name.js";

/** What became of one session file. */
export type Removal =
  | { readonly kind: "removed" }
  /** It is no longer the file that was compared, and stays where it was. */
  | { readonly kind: "changed" }
  | { readonly kind: "vanished" }
  /** This process may not remove it; it stays where it was. */
  | { readonly kind: "denied"; readonly code: string }
  /** It stays where it was, or under a name of ours, from which a later run puts it back. */
  | { readonly kind: "failed"; readonly code: string };

const maxChecks = 3;

/**
 * Removes a session file if it is still the one that was compared. It first gets a name of ours in
 * its own folder, so that nobody can replace it unseen. There it is compared once more through an
 * open descriptor, and then unlinked; any other file is put back. Never throws system errors.
 */
export function removeSessionFile(folder: string, name: string, compared: ExactStamp): Removal {
  const path = `${folder}/${name}`;
  const aside = `${folder}/${setAsideName(name)}`;
  const obstacle = checkUnchanged(path, compared) ?? rename(path, aside);
  if (obstacle !== undefined) return obstacle;
  try {
    if (isComparedFile(aside, compared)) {
      unlinkSync(aside);
      return { kind: "removed" };
    }
  } catch (error) {
    const code = errorCode(error);
    // Another run took the name for one that a crash had left, and put the file back.
    if (code === "ENOENT") return { kind: "vanished" };
    return { kind: "failed", code: putBack(aside, path) === undefined ? code : `${code}, set aside` };
  }
  const problem = putBack(aside, path);
  return problem === undefined ? { kind: "changed" } : { kind: "failed", code: problem };
}

/**
 * Finds most changes before the file leaves its place, and only here by the change time, which
 * setting aside changes. So does another run that is just renaming the file, so one that differs is
 * checked again.
 */
function checkUnchanged(path: string, compared: ExactStamp): Removal | undefined {
  try {
    for (let checks = 0; checks < maxChecks; checks++) {
      const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (there === undefined) return { kind: "vanished" };
      if (there.isFile() && isUnchanged(there, compared)) return undefined;
    }
    return { kind: "changed" };
  } catch (error) {
    return problemOf(error);
  }
}

function rename(path: string, aside: string): Removal | undefined {
  try {
    renameSync(path, aside);
    return undefined;
  } catch (error) {
    const problem = problemOf(error);
    return problem.kind === "failed" && denialCodes.has(problem.code) ? { ...problem, kind: "denied" } : problem;
  }
}

function problemOf(error: unknown): Extract<Removal, { readonly kind: "vanished" | "failed" }> {
  const code = errorCode(error);
  return code === "ENOENT" ? { kind: "vanished" } : { kind: "failed", code };
}

function isComparedFile(path: string, compared: ExactStamp): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, openFlags);
  } catch (error) {
    // A symlink, a socket or a device took its place.
    if (noFileCodes.has(errorCode(error))) return false;
    throw error;
  }
  try {
    const opened = fstatSync(descriptor, { bigint: true });
    // Not its change time: the rename has set it.
    return opened.isFile() && isUnchanged(opened, { ...compared, ctimeNs: opened.ctimeNs });
  } finally {
    closeSync(descriptor);
  }
}
