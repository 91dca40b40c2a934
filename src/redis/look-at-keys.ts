import type { Redis } from "ioredis";
import type { Held } from "../model/held.js";
import { encodeCommand, protocolText, sendBatch } from "./send-batch.js";

/**
 * What Redis holds under keys, in one batch. The lifetime is read after the value: where a save falls in between, it is the later one.
 * Throws what `redisFault` sorts.
 */
export async function lookAtKeys(
  client: Redis,
  keys: readonly string[],
  clockLeadMs: number,
): Promise<Held[]> {
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
    throw value;
  }
  if (expiry instanceof Error) throw expiry;
  // -2: the key ended between the two commands.
  if (!Buffer.isBuffer(value) || expiry === -2) return { kind: "nothing" };
  return { kind: "text", value, expiresAtMs: expiry === -1 ? null : Number(expiry) - clockLeadMs };
}
