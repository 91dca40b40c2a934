import { EncodedSessions } from "../../../src/migrate/readers/encoded-sessions.js";
import type { Entry } from "../../../src/model/entry.js";
import type { SessionStore } from "../../../src/redis/session-store.js";

/** Entries as a reader encodes them, and their keys. */
export function encodedEntries(
  entries: readonly Entry[],
  clockLeadMs: number,
): Parameters<SessionStore["createEncoded"]> {
  const sessions = EncodedSessions.empty(new ArrayBuffer(16), entries.length, true);
  for (const [place, entry] of entries.entries()) {
    const session = {
      file: { directory: "/d", name: "n", layout: "flat", sid: "n" },
      stamp: { mtimeMs: 0, ctimeMs: 0 },
      candidate: { entry, mtimeMs: 0, fullLifetimeMs: 0 },
      lifetimeOrigin: "own",
      outcome: { sid: "n", kind: "copied", bytesRead: 0, bytesWritten: entry.value.length },
    } as const;
    sessions.add(place, session, clockLeadMs);
  }
  return [sessions, () => entries.map(({ key }) => key)];
}
