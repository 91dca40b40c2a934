import { statsAt } from "../file-identity.js";

/** Explains to an operator why a file could not be read and, for EACCES, who could read it. */
export function explainUnread(path: string, code: string): string {
  const owner = foreignOwnerOf(path, code);
  if (owner === undefined) return code;
  const us = process.geteuid?.();
  return `uid ${us} may not read it (${code}); it belongs to uid ${owner}: run as uid ${owner}`;
}

/** The uid of another user who owns what this process may not read; `undefined` if there is none. */
export function foreignOwnerOf(path: string, code: string): number | undefined {
  const owner = code === "EACCES" ? statsAt(path)?.uid : undefined;
  return owner === process.geteuid?.() ? undefined : owner;
}
