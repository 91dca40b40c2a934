import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";
import { redisFault } from "./redis-fault.js";

/** What became of an entry that was to be written only where no key stood. */
export type Creation =
  | { readonly kind: "created" | "expired" }
  /** With `sentBefore` it may have been written by this run itself, and the reply was lost. */
  | { readonly kind: "exists"; readonly sentBefore?: true }
  | { readonly kind: "failed"; readonly detail: string };

/**
 * Writes entries whose keys do not exist, in one pipeline: SET with NX and PXAT, value and lifetime in one command. Instants are moved by
 * what Redis's clock is ahead of ours. Throws what `redisFault` sorts.
 */
export async function createEntries(
  client: Redis,
  entries: readonly Entry[],
  clockLeadMs: number,
  sentBefore = false,
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
    expiresAtMs > nowMs ? creationOf(replies.next().value, sentBefore) : { kind: "expired" },
  );
}

/** What `createEntries` would find, by read commands only: for a dry run. */
export async function foreseeCreation(client: Redis, entries: readonly Entry[]): Promise<Creation[]> {
  const pipeline = client.pipeline();
  for (const { key } of entries) pipeline.exists(key);
  const replies = (await pipeline.exec()) ?? [];
  const nowMs = Date.now();
  return entries.map(({ expiresAtMs }, index) => {
    if (expiresAtMs <= nowMs) return { kind: "expired" };
    const [error, count] = replies[index] ?? [new Error("no reply"), 0];
    if (error !== null) return failureOf(error);
    return { kind: count === 0 ? "created" : "exists" };
  });
}

function creationOf(reply: [Error | null, unknown] | undefined, sentBefore: boolean): Creation {
  const [error, answer] = reply ?? [new Error("no reply"), null];
  if (error !== null) return failureOf(error);
  if (answer !== null) return { kind: "created" };
  return sentBefore ? { kind: "exists", sentBefore } : { kind: "exists" };
}

function failureOf(error: Error): Creation {
  const fault = redisFault(error);
  if (fault.kind !== "single") throw error;
  return { kind: "failed", detail: fault.message };
}
