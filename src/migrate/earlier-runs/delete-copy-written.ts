import { isSigned } from "../../convert/sign.js";
import type { KeyAsSeen, SessionStore } from "../../redis/session-store.js";
import { sha1 } from "../../redis/sha1.js";

type Store = Pick<SessionStore, "keyOf" | "read" | "retract">;

/**
 * Deletes the keys of these sids if a copy wrote them and nobody has saved them since. Throws what
 * `SessionStore` throws.
 */
export async function deleteCopyWritten(store: Store, sids: readonly string[], clockLeadMs: number): Promise<void> {
  await store.retract(await seeCopyWritten(store, sids, clockLeadMs));
}

/** The keys of these sids that a copy wrote, as they stand. Throws what `SessionStore` throws. */
export async function seeCopyWritten(
  store: Pick<Store, "keyOf" | "read">,
  sids: readonly string[],
  clockLeadMs: number,
): Promise<KeyAsSeen[]> {
  const stored = await store.read(sids.map((sid) => store.keyOf(sid)));
  return sids.flatMap((sid, index) => {
    const one = stored[index];
    if (one?.kind !== "text" || one.expiresAtMs === null || !isSigned(one, clockLeadMs)) return [];
    return [{ sid, digest: sha1(one.value.toString("latin1")), expiresAtMs: one.expiresAtMs }];
  });
}
