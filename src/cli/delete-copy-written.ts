import type { Redis } from "ioredis";
import { isSigned } from "../convert/sign.js";
import { lookAtKeys } from "../redis/look-at-keys.js";
import { type KeyAsSeen, takeBack } from "../redis/take-back.js";
import { sha1 } from "./sha1.js";

/** How the keys of a run are named and dated. */
export interface KeySpace {
  readonly keyPrefix: string;
  readonly clockLeadMs: number;
}

/** Deletes the keys of these sids if a copy wrote them and nobody has saved them since. Gives how many. Throws what `redisFault` sorts. */
export async function deleteCopyWritten(
  client: Redis,
  files: readonly { readonly sid: string }[],
  keySpace: KeySpace,
): Promise<number> {
  const copyWritten = await seeCopyWritten(client, files, keySpace);
  const deleted = await takeBack(client, copyWritten, keySpace.keyPrefix, keySpace.clockLeadMs);
  return deleted.filter((one) => one).length;
}

/** The keys of these sids that a copy wrote, as they stand. Throws what `redisFault` sorts. */
export async function seeCopyWritten(
  client: Redis,
  files: readonly { readonly sid: string }[],
  { keyPrefix, clockLeadMs }: KeySpace,
): Promise<KeyAsSeen[]> {
  const keys = files.map(({ sid }) => keyPrefix + sid);
  const held = await lookAtKeys(client, keys, clockLeadMs);
  return files.flatMap(({ sid }, index) => {
    const one = held[index];
    if (one?.kind !== "text" || one.expiresAtMs === null || !isSigned(one, clockLeadMs)) return [];
    return [{ file: { sid }, digest: sha1(one.value.toString("latin1")), expiresAtMs: one.expiresAtMs }];
  });
}
