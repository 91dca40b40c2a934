import { EncodedSessions } from "../../../src/migrate/readers/encoded-sessions.js";
import type { Entry } from "../../../src/model/entry.js";
import type { EncodedEntries } from "../../../src/redis/session-store.js";

/** Entries as a reader encodes them. */
export function encodedEntries(entries: readonly Entry[], clockLeadMs: number): EncodedEntries {
  const sessions = EncodedSessions.empty(new ArrayBuffer(16), entries.length);
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
  const { commands, count, memory, soonestMs } = sessions;
  const memoryOf = (row: number) => sessions.memoryAt(row);
  return { commands, count, memory, memoryOf, soonestMs, keys: () => entries.map(({ key }) => key) };
}
