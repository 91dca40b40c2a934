import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";
import { existingKeys } from "./existing-keys.js";
import { redisFault } from "./redis-fault.js";
import type { EachOf } from "./resilient-connection.js";
import { encodeCommand, protocolText, sendBatch } from "./send-batch.js";
import { unaccepted } from "./unaccepted.js";

/** What became of an entry that was to be written only where no key stood. */
export type Creation =
  | { readonly kind: "created" | "expired" }
  /** With `sentBefore` it may have been written by this run itself, and the reply was lost. */
  | { readonly kind: "exists"; readonly sentBefore?: true }
  | { readonly kind: "failed"; readonly detail: string };

/**
 * Writes entries whose keys do not exist, in one batch: SET with NX and PXAT, value and lifetime in one command. Instants are moved by
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
  const commands = live.map(({ key, value, expiresAtMs }) =>
    encodeCommand("SET", protocolText(key), value, "NX", "PXAT", String(expiresAtMs + clockLeadMs)),
  );
  const answers = await sendBatch(client, commands);
  // A full Redis refuses SET with NX even if the key exists: then nothing is to be written.
  if (answers.some(isOutOfMemory) && (await allExist(client, live))) {
    return entries.map(({ expiresAtMs }) => ({ kind: expiresAtMs > nowMs ? "exists" : "expired" }));
  }
  const replies = answers.values();
  return entries.map((entry) =>
    entry.expiresAtMs > nowMs ? creationOf(entry, replies.next().value, sentBefore) : { kind: "expired" },
  );
}

function isOutOfMemory(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith("OOM ");
}

async function allExist(client: Redis, entries: readonly Entry[]): Promise<boolean> {
  const keys = entries.map(({ key }) => key);
  return (await existingKeys(client, keys)).every((exists) => exists);
}

/** What an entry comes to that costs the connection whenever it is sent. */
export const entryThatIsNotCreated: Pick<EachOf<Entry, Creation>, "nameOf" | "unaccepted"> = {
  nameOf: ({ key }) => `create ${key}`,
  unaccepted: (entry) => ({ kind: "failed", detail: unaccepted(entry) }),
};

/** What `createEntries` would find, by read commands only: for a dry run. */
export async function foreseeCreation(client: Redis, entries: readonly Entry[]): Promise<Creation[]> {
  const commands = entries.map(({ key }) => encodeCommand("EXISTS", protocolText(key)));
  const replies = await sendBatch(client, commands);
  const nowMs = Date.now();
  return entries.map((entry, index) => {
    if (entry.expiresAtMs <= nowMs) return { kind: "expired" };
    const reply = replies[index];
    if (reply instanceof Error) return failureOf(entry, reply);
    return { kind: reply === 0 ? "created" : "exists" };
  });
}

function creationOf(entry: Entry, reply: unknown, sentBefore: boolean): Creation {
  if (reply instanceof Error) return failureOf(entry, reply);
  if (reply !== null) return { kind: "created" };
  return sentBefore ? { kind: "exists", sentBefore } : { kind: "exists" };
}

function failureOf(entry: Entry, error: Error): Creation {
  const fault = redisFault(error);
  if (fault.kind !== "single") throw error;
  return { kind: "failed", detail: `${fault.message}. ${unaccepted(entry)}` };
}
