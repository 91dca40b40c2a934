import type { Redis } from "ioredis";
import type { StoredValue } from "../model/stored-value.js";
import { sendAsTaken } from "./commands/server-gaps.js";
import { sessionScripts } from "./commands/session-scripts.js";
import { encodeCommand, protocolText } from "./encode-command.js";
import { redisFault, replyText } from "./redis-fault.js";
import { sendBatch } from "./send-batch.js";

/** Bytes of values per request, about: Redis may limit its output (client-output-buffer-limit). */
const maxBytes = 512 * 1024;
/** Keys per request before any value was seen. */
const firstWindow = 1;

/** Keys per request on each connection, from the sizes seen so far. */
const windows = new WeakMap<Redis, number>();

/** Which keys exist. Sends one batch. */
export async function existingKeys(client: Redis, keys: readonly string[]): Promise<boolean[]> {
  const commands = keys.map((key) => encodeCommand("EXISTS", protocolText(key)));
  return (await sendBatch(client, commands)).map((reply) => {
    if (reply instanceof Error) throw reply;
    return reply === 1;
  });
}

/**
 * Reads what Redis holds under the keys. To bound the bytes of a reply, it starts with few keys,
 * doubles their number while values are small, and asks for fewer again when large ones come. The
 * expiry is read after the value, so a save in between shows as a later expiry.
 */
export async function readKeys(client: Redis, keys: readonly string[], clockLeadMs: number): Promise<StoredValue[]> {
  const stored: StoredValue[] = [];
  while (stored.length < keys.length) {
    const window = windows.get(client) ?? firstWindow;
    const seen = await readOnce(client, keys.slice(stored.length, stored.length + window), clockLeadMs);
    const largest = seen.reduce((max, one) => Math.max(max, one.kind === "text" ? one.value.length : 0), 1);
    // A short last request does not shrink the window.
    windows.set(client, Math.max(1, Math.min(Math.floor(maxBytes / largest), Math.max(window, 2 * seen.length))));
    stored.push(...seen);
  }
  return stored;
}

/** A key, and the length of its value in bytes. */
export interface SizedKey {
  readonly key: string;
  readonly length: number;
}

/** Reads keys whose lengths are known, with as few requests as the byte limit allows. */
export async function readSizedKeys(
  client: Redis,
  keys: readonly SizedKey[],
  clockLeadMs: number,
): Promise<StoredValue[]> {
  const stored: StoredValue[] = [];
  for (let from = 0; from < keys.length; ) {
    let to = from;
    for (let left = maxBytes; to < keys.length; to++) {
      left -= keys[to]?.length ?? 0;
      if (left < 0 && to > from) break;
    }
    const some = keys.slice(from, to).map(({ key }) => key);
    stored.push(...(await readOnce(client, some, clockLeadMs)));
    from = to;
  }
  return stored;
}

async function readOnce(client: Redis, keys: readonly string[], clockLeadMs: number): Promise<StoredValue[]> {
  const texts = keys.map(protocolText);
  const replies = await sendAsTaken(client, (gaps) =>
    gaps.pexpiretime
      ? texts.map((text) => encodeCommand("EVAL", sessionScripts(gaps).read, "1", text))
      : texts.flatMap((text) => [encodeCommand("GET", text), encodeCommand("PEXPIRETIME", text)]),
  );
  if (replies.length === 2 * keys.length) {
    return keys.map((_, index) => storedOf(replies[2 * index], replies[2 * index + 1], clockLeadMs));
  }
  return replies.map((reply) => {
    const [value, expiry]: readonly unknown[] = Array.isArray(reply) ? reply : [reply];
    return storedOf(value, expiry, clockLeadMs);
  });
}

function storedOf(value: unknown, expiry: unknown, clockLeadMs: number): StoredValue {
  if (value instanceof Error) {
    if (replyText(value).startsWith("WRONGTYPE")) return { kind: "other-type" };
    const { kind, message } = redisFault(value);
    if (kind === "single") return { kind: "unreadable", detail: message };
    throw value;
  }
  if (expiry instanceof Error) throw expiry;
  // -2: the key expired between the two commands.
  if (!Buffer.isBuffer(value) || expiry === -2) return { kind: "nothing" };
  return { kind: "text", value, expiresAtMs: expiry === -1 ? null : Number(expiry) - clockLeadMs };
}
