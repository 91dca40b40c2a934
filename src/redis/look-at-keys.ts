import type { Redis } from "ioredis";
import type { Held } from "../model/held.js";

/**
 * What Redis holds under keys, in one pipeline. The lifetime is read after the value: where a save falls in between, it is the later one.
 * Throws what `redisFault` sorts.
 */
export async function lookAtKeys(
  client: Redis,
  keys: readonly string[],
  clockLeadMs: number,
): Promise<Held[]> {
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.getBuffer(key).pexpiretime(key);
  const replies = (await pipeline.exec()) ?? [];
  return keys.map((_, index) => heldOf(replies[2 * index], replies[2 * index + 1], clockLeadMs));
}

type Reply = [Error | null, unknown] | undefined;

function heldOf(valueReply: Reply, expiryReply: Reply, clockLeadMs: number): Held {
  const [valueError, value] = valueReply ?? [new Error("no reply"), null];
  const [expiryError, expiry] = expiryReply ?? [new Error("no reply"), null];
  if (valueError?.message.startsWith("WRONGTYPE")) return { kind: "other-type" };
  if (valueError !== null) throw valueError;
  if (expiryError !== null) throw expiryError;
  // -2: the key ended between the two commands.
  if (!Buffer.isBuffer(value) || expiry === -2) return { kind: "nothing" };
  return { kind: "text", value, expiresAtMs: expiry === -1 ? null : Number(expiry) - clockLeadMs };
}
