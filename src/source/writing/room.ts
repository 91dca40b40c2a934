import { statfsSync } from "node:fs";
import { orElse } from "../../model/errors.js";
import { statsAt } from "../file-identity.js";
import { type RemovalDenial, removalDenial } from "../removal/removal-denial.js";

/** What a file system has left for this process. */
export interface Room {
  readonly bytes: number;
  /** Bytes that the smallest file takes. */
  readonly blockSize: number;
  /** Files; `undefined` if it makes as many as it has room for. */
  readonly files: number | undefined;
}

/** `undefined` if the file system does not say. */
export function roomIn(directory: string): Room | undefined {
  const found = orElse(undefined, () => statfsSync(directory));
  if (found === undefined || found.blocks === 0) return undefined;
  const files = found.files === 0 ? undefined : found.ffree;
  return { bytes: found.bavail * found.bsize, blockSize: found.bsize, files };
}

/** Why this process may not write files for the owner of a folder; `undefined` if it may. */
export function writeDenial(folder: string): RemovalDenial | undefined {
  const denial = removalDenial(folder);
  if (denial !== undefined) return denial;
  const uid = process.geteuid?.();
  const owner = statsAt(folder)?.uid;
  // Only root gives files away.
  return uid === 0 || owner === undefined || owner === uid ? undefined : { code: "EPERM", owner };
}
