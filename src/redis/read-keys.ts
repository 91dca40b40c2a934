import type { Redis } from "ioredis";
import type { Held } from "../model/held.js";
import { encodeCommand, protocolText } from "./encode-command.js";
import { redisFault } from "./redis-fault.js";
import { sendBatch } from "./send-batch.js";

/**
 * About how many bytes of values a batch asks for at a time. Redis may limit its output buffers
 * (client-output-buffer-limit).
 */
const maxBytes = 512 * 1024;
/** Keys asked for before any value was seen. */
const firstWindow = 1;

/** How many keys may be asked for at a time, by what was seen on a connection so far. */
const windows = new WeakMap<Redis, number>();

/** Which keys exist, in one batch. Throws what `redisFault` sorts. */
export async function existingKeys(client: Redis, keys: readonly string[]): Promise<boolean[]> {
  const commands = keys.map((key) => encodeCommand("EXISTS", protocolText(key)));
  return (await sendBatch(client, commands)).map((reply) => {
    if (reply instanceof Error) throw reply;
    return reply === 1;
  });
}

/**
 * What Redis holds under keys. Replies are bounded by bytes: few keys are asked for at first, twice as many each time while their values are
 * small, and fewer again when large ones come. The lifetime is read after the value: if a save falls in between, it is the later one.
 * Throws what `redisFault` sorts.
 */
export async function readKeys(client: Redis, keys: readonly string[], clockLeadMs: number): Promise<Held[]> {
  const held: Held[] = [];
  while (held.length < keys.length) {
    const window = windows.get(client) ?? firstWindow;
    const seen = await readOnce(client, keys.slice(held.length, held.length + window), clockLeadMs);
    const largest = seen.reduce((most, one) => Math.max(most, one.kind === "text" ? one.value.length : 0), 1);
    // A few keys tell nothing of many.
    windows.set(
      client,
      Math.max(1, Math.min(Math.floor(maxBytes / largest), Math.max(window, 2 * seen.length))),
    );
    held.push(...seen);
  }
  return held;
}

/** A key and how long its value is, in bytes. */
export interface SizedKey {
  readonly key: string;
  readonly length: number;
}

/**
 * Looks at keys whose lengths are known, with as few questions as the byte limit allows. Throws
 * what `redisFault` sorts.
 */
export async function readSizedKeys(
  client: Redis,
  keys: readonly SizedKey[],
  clockLeadMs: number,
): Promise<Held[]> {
  const held: Held[] = [];
  for (let from = 0; from < keys.length; ) {
    let to = from;
    for (let left = maxBytes; to < keys.length; to++) {
      left -= keys[to]?.length ?? 0;
      if (left < 0 && to > from) break;
    }
    const some = keys.slice(from, to).map(({ key }) => key);
    held.push(...(await readOnce(client, some, clockLeadMs)));
    from = to;
  }
  return held;
}

async function readOnce(client: Redis, keys: readonly string[], clockLeadMs: number): Promise<Held[]> {
  const commands = keys.flatMap((key) => {
    const text = protocolText(key);
    return [encodeCommand("GET", text), encodeCommand("PEXPIRETIME", text)];
  });
  const replies = await sendBatch(client, commands);
  return keys.map((_, index) => heldOf(replies[2 * index], replies[2 * index + 1], clockLeadMs));
}

function heldOf(value: unknown, expiry: unknown, clockLeadMs: number): Held {
  if (value instanceof Error) {
    if (value.message.startsWith("WRONGTYPE")) return { kind: "other-type" };
    const { kind, message } = redisFault(value);
    if (kind === "single") return { kind: "unreadable", detail: message };
    throw value;
  }
  if (expiry instanceof Error) throw expiry;
  // -2: the key ended between the two commands.
  if (!Buffer.isBuffer(value) || expiry === -2) return { kind: "nothing" };
  return { kind: "text", value, expiresAtMs: expiry === -1 ? null : Number(expiry) - clockLeadMs };
}
