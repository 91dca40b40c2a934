import { closeSync, fstatSync, lstatSync, openSync, renameSync, unlinkSync } from "node:fs";
import { errorCode } from "../../model/error-code.js";
import type { ExactStamp } from "../../model/session-file.js";
import { openFlags } from "../read-session-file.js";
import { putBack } from "./put-back.js";
import { denialCodes } from "./removal-denial.js";
import { setAsideName } from "./set-aside-name.js";

/** What the removal of one session file came to. */
export type Removal =
  | { readonly kind: "removed" }
  /** It is not the file that was compared: it stands where it stood. */
  | { readonly kind: "changed" }
  | { readonly kind: "vanished" }
  /** This process may not remove it: it stands where it stood. */
  | { readonly kind: "denied"; readonly code: string }
  /** It stands where it stood, or under a name of ours that a later run puts back. */
  | { readonly kind: "failed"; readonly code: string };

const mostLooks = 3;

/**
 * Removes a session file where it is still the one compared. It is set aside under a name of ours in its own folder, so that nobody
 * replaces it unseen, compared there through an open descriptor, and only then unlinked; another file goes back. Throws only what is no
 * system error.
 */
export function removeSessionFile(folder: string, name: string, compared: ExactStamp): Removal {
  const path = `${folder}/${name}`;
  const aside = `${folder}/${setAsideName(name)}`;
  try {
    const there = lookAtCompared(path, compared);
    if (there !== "same") return { kind: there };
  } catch (error) {
    return problemOf(error);
  }
  try {
    renameSync(path, aside);
  } catch (error) {
    const problem = problemOf(error);
    return problem.kind === "failed" && denialCodes.has(problem.code)
      ? { ...problem, kind: "denied" }
      : problem;
  }
  try {
    if (isComparedFile(aside, compared)) {
      unlinkSync(aside);
      return { kind: "removed" };
    }
  } catch (error) {
    const code = errorCode(error);
    // Another run took it for a crash's and put it back.
    if (code === "ENOENT") return { kind: "vanished" };
    return { kind: "failed", code: putBack(aside, path) === undefined ? code : `${code}, set aside` };
  }
  const problem = putBack(aside, path);
  return problem === undefined ? { kind: "changed" } : { kind: "failed", code: problem };
}

function problemOf(error: unknown): Extract<Removal, { readonly kind: "vanished" | "failed" }> {
  const code = errorCode(error);
  return code === "ENOENT" ? { kind: "vanished" } : { kind: "failed", code };
}

/**
 * Most of what changed is seen here, and never leaves its place. Being set aside changes the change time: later it tells nothing. Another
 * run's renaming changes it a moment before the name is gone, so a file that differs is looked at again.
 */
function lookAtCompared(path: string, compared: ExactStamp): "same" | "changed" | "vanished" {
  for (let looks = 0; looks < mostLooks; looks++) {
    const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (there === undefined) return "vanished";
    if (there.isFile() && isSame(there, compared) && there.ctimeNs === compared.ctimeNs) return "same";
  }
  return "changed";
}

function isComparedFile(path: string, compared: ExactStamp): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, openFlags);
  } catch (error) {
    // A symlink, a socket or a device came in its place.
    if (["ELOOP", "ENXIO", "EMLINK"].includes(errorCode(error))) return false;
    throw error;
  }
  try {
    const opened = fstatSync(descriptor, { bigint: true });
    return opened.isFile() && isSame(opened, compared);
  } finally {
    closeSync(descriptor);
  }
}

function isSame(one: Omit<ExactStamp, "ctimeNs">, other: Omit<ExactStamp, "ctimeNs">): boolean {
  return (
    one.dev === other.dev && one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs
  );
}
