import { isSigned } from "../../convert/sign.js";
import { lookAtKeys } from "../../redis/look-at-keys.js";
import type { ResilientConnection } from "../../redis/resilient-connection.js";
import { sha1 } from "../../redis/sha1.js";
import { type KeyAsSeen, takeBack } from "../../redis/take-back.js";

/** How the keys of a run are named and dated. */
export interface KeySpace {
  readonly keyPrefix: string;
  readonly clockLeadMs: number;
}

type Connection = Pick<ResilientConnection, "run">;

/** Deletes the keys of these sids if a copy wrote them and nobody has saved them since. Throws where the run must end. */
export async function deleteCopyWritten(
  connection: Connection,
  files: readonly { readonly sid: string }[],
  keySpace: KeySpace,
): Promise<void> {
  const { keyPrefix, clockLeadMs } = keySpace;
  const copyWritten = await seeCopyWritten(connection, files, keySpace);
  await connection.run((client) => takeBack(client, copyWritten, keyPrefix, clockLeadMs));
}

/** The keys of these sids that a copy wrote, as they stand. Throws where the run must end. */
export async function seeCopyWritten(
  connection: Connection,
  files: readonly { readonly sid: string }[],
  { keyPrefix, clockLeadMs }: KeySpace,
): Promise<KeyAsSeen[]> {
  const keys = files.map(({ sid }) => keyPrefix + sid);
  const held = await connection.run((client) => lookAtKeys(client, keys, clockLeadMs));
  return files.flatMap(({ sid }, index) => {
    const one = held[index];
    if (one?.kind !== "text" || one.expiresAtMs === null || !isSigned(one, clockLeadMs)) return [];
    return [{ file: { sid }, digest: sha1(one.value.toString("latin1")), expiresAtMs: one.expiresAtMs }];
  });
}
