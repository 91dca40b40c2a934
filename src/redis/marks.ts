import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import * as z from "zod";
import { RedisForgotError } from "../model/errors.js";
import type { DirectoryMark } from "../model/mark.js";
import { canaryKey } from "./canary.js";
import { allowed } from "./server/server-info.js";

/** What a mark is of. */
export interface MarkScope {
  /** What stands before the sid in every key: the layout's and the applet's prefix. */
  readonly keyPrefix: string;
  /** The session directory, resolved. */
  readonly directory: string;
  /** The directory's own: another one at the same path was never copied. */
  readonly identity: string;
}

const keyStart = "tele-sessions:mark:";

/** The key under which runs over a session directory leave a mark. */
export function markKey({ keyPrefix, directory, identity }: MarkScope): string {
  const text = JSON.stringify([keyPrefix, directory, identity, null]);
  return keyStart + createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** Days that a mark is kept. */
const markDays = 90;
const markMs = markDays * 24 * 3600 * 1000;

/** All sessions of a directory; marks have room for the shards of a divided run. */
const everyShard = "1/1";

const instant = z.number().nonnegative();
const expirations = z.object({ expiration: z.number(), expirationAnonymous: z.number() });
const markSchema = z.object({
  keyPrefix: z.string().optional(),
  began: instant.optional(),
  removes: instant.optional(),
  shards: z.record(
    z.string(),
    z.object({
      started: instant,
      startedWithoutKeep: instant.optional(),
      renewed: instant,
      shortest: expirations.optional(),
      longest: expirations.optional(),
      ttl: z.enum(["full", "remaining"]).optional(),
    }),
  ),
});
type StoredMark = z.infer<typeof markSchema>;

/** What runs over a session directory noted. Instants are milliseconds since the epoch. */
export interface Mark {
  /** Absent in marks of versions that did not note it. */
  readonly keyPrefix?: string;
  /** When a run began that may have written. */
  readonly beganMs?: number;
  /** When a purge began to remove. */
  readonly removesMs?: number;
  /** What complete runs left; absent if there was none. */
  readonly complete?: DirectoryMark;
}

/** What a mark's text says; nothing if another program wrote it. */
function parseMark(text: string | null): Mark {
  if (text === null) return {};
  // Versions before the field rules left the start alone.
  if (/^[0-9]{1,15}$/.test(text)) {
    return {
      complete: { startedMs: Number(text), startedWithoutKeepMs: Number(text), renewedMs: Number(text) },
    };
  }
  const parsed = markSchema.safeParse(jsonOf(text));
  if (!parsed.success) return {};
  const { keyPrefix, began, removes, shards } = parsed.data;
  const stored = shards[everyShard];
  return {
    ...(keyPrefix === undefined ? {} : { keyPrefix }),
    ...(began === undefined ? {} : { beganMs: began }),
    ...(removes === undefined ? {} : { removesMs: removes }),
    ...(stored === undefined ? {} : { complete: completeOf(stored) }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function completeOf({
  started,
  startedWithoutKeep,
  renewed,
  shortest,
  longest,
  ttl,
}: StoredMark["shards"][string]): DirectoryMark {
  return {
    startedMs: started,
    renewedMs: renewed,
    ...(startedWithoutKeep === undefined ? {} : { startedWithoutKeepMs: startedWithoutKeep }),
    ...(shortest === undefined ? {} : { shortest }),
    ...(longest === undefined ? {} : { longest }),
    ...(ttl === undefined ? {} : { ttl }),
  };
}

function textOf({ keyPrefix, beganMs, removesMs, complete }: Mark): string {
  return JSON.stringify({
    keyPrefix,
    began: beganMs,
    removes: removesMs,
    shards:
      complete === undefined
        ? {}
        : {
            [everyShard]: {
              started: complete.startedMs,
              startedWithoutKeep: complete.startedWithoutKeepMs,
              renewed: complete.renewedMs,
              shortest: complete.shortest,
              longest: complete.longest,
              ttl: complete.ttl,
            },
          },
  } satisfies StoredMark);
}

/** Throws what `redisFault` sorts. */
export async function readMark(client: Redis, key: string): Promise<Mark> {
  return parseMark(await client.get(key));
}

/** A server may be emptied at any moment: the canary key is checked in the same step. */
const compareAndSet = `
if ARGV[4] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[4] then return -1 end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;
const changed = 0;
const forgot = -1;

/**
 * Changes a mark in one step, whatever other runs write meanwhile. `change` may be called again, and returns the same mark if nothing is to be written.
 * Throws `RedisForgotError` if the canary key with this value is gone (empty: it is not checked), and what `redisFault` sorts.
 */
export async function changeMark(
  client: Redis,
  key: string,
  canary: string,
  change: (mark: Mark) => Mark,
): Promise<void> {
  for (;;) {
    const text = await client.get(key);
    const standing = parseMark(text);
    const next = change(standing);
    if (next === standing) return;
    const reply = await client.eval(
      compareAndSet,
      2,
      key,
      canaryKey,
      text ?? "",
      textOf(next),
      markMs,
      canary,
    );
    if (reply === forgot) throw new RedisForgotError();
    if (reply !== changed) return;
  }
}

/** Every mark in Redis, by its key, those that cannot be read as empty ones; `undefined` if they may not be listed. Throws what `redisFault` sorts. */
export async function listMarks(client: Redis): Promise<ReadonlyMap<string, Mark> | undefined> {
  const marks = new Map<string, Mark>();
  let cursor = "0";
  do {
    const from = cursor;
    const reply = await allowed(() => client.scan(from, "MATCH", `${keyStart}*`, "COUNT", 1000));
    if (reply === undefined) return undefined;
    const [next, keys] = reply;
    for (const key of keys) marks.set(key, await markUnder(client, key));
    cursor = next;
  } while (cursor !== "0");
  return marks;
}

/** What another user or program left may be out of reach, or no text. */
async function markUnder(client: Redis, key: string): Promise<Mark> {
  try {
    return (await allowed(() => readMark(client, key))) ?? {};
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return {};
    throw error;
  }
}
