import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";
import { redisFault } from "./redis-fault.js";

/** What became of an entry that was to be written only where no key stood. */
export type Creation =
  | { readonly kind: "created" | "exists" | "expired" }
  | { readonly kind: "failed"; readonly detail: string };

/**
 * Writes entries whose keys do not exist, in one pipeline: SET with NX and PXAT, value and lifetime in one command. Instants are moved by
 * what Redis's clock is ahead of ours. Sent again, it finds its own keys to exist. Throws what `redisFault` sorts.
 */
export async function createEntries(
  client: Redis,
  entries: readonly Entry[],
  clockLeadMs: number,
): Promise<Creation[]> {
  const nowMs = Date.now();
  // Redis answers OK to an instant in the past, and holds nothing.
  const live = entries.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const pipeline = client.pipeline();
  for (const { key, value, expiresAtMs } of live) {
    pipeline.call("SET", key, value, "NX", "PXAT", expiresAtMs + clockLeadMs);
  }
  const replies = ((await pipeline.exec()) ?? []).values();
  return entries.map(({ expiresAtMs }) =>
    expiresAtMs > nowMs ? creationOf(replies.next().value) : { kind: "expired" },
  );
}

/** What `createEntries` would find, by read commands only: for a dry run. */
export async function foreseeCreation(client: Redis, entries: readonly Entry[]): Promise<Creation[]> {
  const pipeline = client.pipeline();
  for (const { key } of entries) pipeline.exists(key);
  const replies = (await pipeline.exec()) ?? [];
  return entries.map((_, index) => {
    const [error, count] = replies[index] ?? [new Error("no reply"), 0];
    if (error !== null) return failureOf(error);
    return { kind: count === 0 ? "created" : "exists" };
  });
}

function creationOf(reply: [Error | null, unknown] | undefined): Creation {
  const [error, answer] = reply ?? [new Error("no reply"), null];
  if (error !== null) return failureOf(error);
  return { kind: answer === null ? "exists" : "created" };
}

function failureOf(error: Error): Creation {
  const fault = redisFault(error);
  if (fault.kind !== "single") throw error;
  return { kind: "failed", detail: fault.message };
}
