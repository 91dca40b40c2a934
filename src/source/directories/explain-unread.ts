import { statsAt } from "../file-identity.js";

/** Explains to an operator why a file could not be read and, for EACCES, who could read it. */
export function explainUnread(path: string, code: string): string {
  const owner = code === "EACCES" ? statsAt(path)?.uid : undefined;
  const us = process.geteuid?.();
  if (owner === undefined || us === undefined || owner === us) return code;
  return `uid ${us} may not read it (${code}); it belongs to uid ${owner}: run as uid ${owner}`;
}
