import type { Redis } from "ioredis";
import type { Entry } from "../model/entry.js";
import type { HeldText } from "../model/held.js";

/** An entry that is to take the place of what was seen under its key. */
export interface Replacement {
  readonly entry: Entry;
  readonly held: HeldText;
}

/** Compares bytes and instant and decides nothing else: Redis's own JSON reader refuses what Python writes. */
const compareAndSet = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PXAT', ARGV[4])
return 1`;
/** If the value stays, only the lifetime is set: that takes no memory, and half the bytes. */
const compareAndRenew = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
return redis.call('PEXPIREAT', KEYS[1], ARGV[3])`;
const neverEnds = -1;

/** Whether a replacement writes the value that Redis holds already. */
export function keepsValue({ entry, held }: Replacement): boolean {
  return entry.value.length === held.value.length && entry.value === held.value.toString("latin1");
}

/**
 * Replaces what keys hold where it is still exactly what was seen, value and lifetime: a save in between, which moves the lifetime, is
 * never lost. `false` where it is not, and where the entry is over. Sent again it changes nothing. Throws what `redisFault` sorts.
 */
export async function replaceHeld(
  client: Redis,
  replacements: readonly Replacement[],
  clockLeadMs: number,
): Promise<boolean[]> {
  const nowMs = Date.now();
  // An instant in the past would remove the key, and Redis would answer OK.
  const live = replacements.filter(({ entry }) => entry.expiresAtMs > nowMs);
  const pipeline = client.pipeline();
  for (const { entry, held } of live) {
    const seenExpiry = held.expiresAtMs === null ? neverEnds : held.expiresAtMs + clockLeadMs;
    const instant = entry.expiresAtMs + clockLeadMs;
    if (keepsValue({ entry, held })) {
      pipeline.eval(compareAndRenew, 1, entry.key, held.value, seenExpiry, instant);
    } else pipeline.eval(compareAndSet, 1, entry.key, held.value, seenExpiry, entry.value, instant);
  }
  const replies = ((await pipeline.exec()) ?? []).values();
  return replacements.map(({ entry }) => {
    if (entry.expiresAtMs <= nowMs) return false;
    const [error, replaced] = replies.next().value ?? [new Error("no reply"), 0];
    // The key took another type meanwhile: it is looked at again.
    if (error?.message.includes("WRONGTYPE")) return false;
    if (error !== null) throw error;
    return replaced === 1;
  });
}
