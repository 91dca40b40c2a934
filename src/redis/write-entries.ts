import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";
import { redisFault } from "./redis-fault.js";
import type { EachOf } from "./resilient-connection.js";
import { unaccepted } from "./unaccepted.js";

/** What became of one entry: written, or why not. */
export type Write =
  | { readonly kind: "copied" }
  /** Its instant passed before it could be sent. */
  | { readonly kind: "expired" }
  | { readonly kind: "failed"; readonly detail: string };

/**
 * Writes entries in one pipeline, value and lifetime in one command each: SET with PXAT, an absolute instant, so that sending it
 * again changes nothing. Instants are moved by what Redis's clock is ahead of ours. Throws where the batch is to be sent again or
 * the run must end.
 */
export async function writeEntries(
  client: Redis,
  entries: readonly Entry[],
  clockLeadMs: number,
): Promise<Write[]> {
  const nowMs = Date.now();
  // Redis answers OK to an instant in the past, and holds nothing.
  const live = entries.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const pipeline = client.pipeline();
  for (const { key, value, expiresAtMs } of live) pipeline.set(key, value, "PXAT", expiresAtMs + clockLeadMs);
  const replies = ((await pipeline.exec()) ?? []).values();
  return entries.map((entry) =>
    entry.expiresAtMs > nowMs ? writeOf(entry, replies.next().value) : { kind: "expired" },
  );
}

/** What an entry comes to that costs the connection whenever it is sent. */
export const entryThatIsNotWritten: Pick<EachOf<Entry, Write>, "nameOf" | "unaccepted"> = {
  nameOf: ({ key }) => `write ${key}`,
  unaccepted: (entry) => ({ kind: "failed", detail: unaccepted(entry) }),
};

function writeOf(entry: Entry, reply: [Error | null, unknown] | undefined): Write {
  const error = reply === undefined ? new Error("no reply") : reply[0];
  if (error === null) return { kind: "copied" };
  const fault = redisFault(error);
  if (fault.kind !== "single") throw error;
  return { kind: "failed", detail: `${fault.message}. ${unaccepted(entry)}` };
}
