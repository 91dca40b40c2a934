import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { allowed } from "./server/server-info.js";

/**
 * The key that stands in Redis while runs write or remove: where its value is gone, what was written beside it may be gone too. A server that
 * was emptied says so nowhere else.
 */
export const witnessKey = "tele-sessions:witness";

/** Longer than any run: an end for what a run that was killed left. */
const witnessMs = 30 * 24 * 60 * 60 * 1000;

const join = `
local value = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value`;

const remove = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Redis is full, or holds something else under the key. */
const unwritable = /^(OOM|WRONGTYPE) /;

/**
 * Gives the value that stands there, or puts a new one there: never one that stood there before, for others may rely on that; so it may be sent
 * again. `undefined` where a right is missing or Redis is full. Throws what `redisFault` sorts.
 */
export async function joinWitness(client: Redis): Promise<string | undefined> {
  const newValue = randomBytes(8).toString("hex");
  try {
    const value = await allowed(() => client.eval(join, 1, witnessKey, newValue, witnessMs));
    return value === undefined ? undefined : String(value);
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError" && unwritable.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}

/** Throws what `redisFault` sorts. */
export async function witnessStands(client: Redis, value: string): Promise<boolean> {
  return (await client.get(witnessKey)) === value;
}

/** Takes it away where it has this value. Throws what `redisFault` sorts. */
export async function removeWitness(client: Redis, value: string): Promise<void> {
  await client.eval(remove, 1, witnessKey, value);
}
