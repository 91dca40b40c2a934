import { statSync } from "node:fs";
import { errorCode } from "../../model/error-code.js";

/** Why a file could not be read, for people: who may, if it is a question of permission, and the system's code. */
export function explainUnread(path: string, code: string): string {
  const owner = code === "EACCES" ? ownerOf(path) : undefined;
  const us = process.geteuid?.();
  if (owner === undefined || us === undefined || owner === us) return code;
  return `uid ${us} may not read it (${code}); it belongs to uid ${owner}: run as uid ${owner}`;
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid;
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
