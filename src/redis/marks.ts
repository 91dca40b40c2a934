import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import * as z from "zod";
import { RedisForgotError } from "../model/errors.js";
import type { DirectoryMark } from "../model/mark.js";
import { sendOne } from "./send-batch.js";
import { allowed } from "./server/server-info.js";

/** What a mark describes. */
export interface MarkScope {
  /** The start of every key, before the sid: the layout's prefix and the applet's. */
  readonly keyPrefix: string;
  /** The session directory, resolved. */
  readonly directory: string;
  /** Tells the directory from another at the same path, which was never copied. */
  readonly identity: string;
}

const keyStart = "tele-sessions:mark:";

/** The key of a session directory's mark. */
export function markKey({ keyPrefix, directory, identity }: MarkScope): string {
  const text = JSON.stringify([keyPrefix, directory, identity, null]);
  return keyStart + createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** How long Redis keeps a mark: 90 days. */
const markMs = 90 * 24 * 3600 * 1000;

/** The shard of a run over the whole directory; the format has room for divided runs. */
const everyShard = "1/1";

const instant = z.number().nonnegative();
const expirations = z.object({ expiration: z.number(), expirationAnonymous: z.number() });
// Members that `Mark` and `DirectoryMark` name otherwise are set even if they are undefined.
const markSchema = z.object({
  keyPrefix: z.string().exactOptional(),
  began: instant.optional(),
  removes: instant.optional(),
  shards: z.record(
    z.string(),
    z.object({
      started: instant,
      startedWithoutKeep: instant.optional(),
      renewed: instant,
      shortest: expirations.exactOptional(),
      longest: expirations.exactOptional(),
      ttl: z.enum(["full", "remaining"]).exactOptional(),
    }),
  ),
});
type StoredMark = z.infer<typeof markSchema>;
type StoredShard = StoredMark["shards"][string];

/** What earlier runs noted about a session directory. Times are milliseconds since the epoch. */
export interface Mark {
  /** Absent in marks of old versions. */
  readonly keyPrefix?: string;
  /** When a run that may have written began. */
  readonly beganMs?: number;
  /** When a purge began to remove files. */
  readonly removesMs?: number;
  /** What complete runs left; absent if there were none. */
  readonly complete?: DirectoryMark;
}

/** Parses a mark. Returns an empty mark for a text that we did not write. */
function parseMark(text: string | null): Mark {
  if (text === null) return {};
  // Old versions wrote only the start.
  if (/^[0-9]{1,15}$/.test(text)) {
    return {
      complete: { startedMs: Number(text), startedWithoutKeepMs: Number(text), renewedMs: Number(text) },
    };
  }
  // To compile a parser takes longer than to parse a few marks.
  const parsed = markSchema.safeParse(jsonOf(text), { jitless: true });
  if (!parsed.success) return {};
  const { began, removes, shards, ...rest } = parsed.data;
  const stored = shards[everyShard];
  return {
    ...rest,
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

function completeOf({ started, startedWithoutKeep, renewed, ...rest }: StoredShard): DirectoryMark {
  return {
    ...rest,
    startedMs: started,
    renewedMs: renewed,
    ...(startedWithoutKeep === undefined ? {} : { startedWithoutKeepMs: startedWithoutKeep }),
  };
}

function textOf({ beganMs, removesMs, complete, ...rest }: Mark): string {
  const shards = complete === undefined ? {} : { [everyShard]: storedOf(complete) };
  return JSON.stringify({ ...rest, began: beganMs, removes: removesMs, shards } satisfies StoredMark);
}

function storedOf({ startedMs, startedWithoutKeepMs, renewedMs, ...rest }: DirectoryMark): StoredShard {
  return { started: startedMs, startedWithoutKeep: startedWithoutKeepMs, renewed: renewedMs, ...rest };
}

/** An empty mark if there is none. */
export async function readMark(client: Redis, key: string): Promise<Mark> {
  return parseMark(textIn(await sendOne(client, "GET", key)));
}

function textIn(reply: unknown): string | null {
  return typeof reply === "string" ? reply : null;
}

/** A canary key, and its value. */
export interface CanaryAsSet {
  readonly key: string;
  readonly value: string;
}

/** Checks the canary key in the same step, because the server may be emptied at any moment. */
const compareAndSet = `
if KEYS[2] and redis.call('GET', KEYS[2]) ~= ARGV[4] then return -1 end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;
const changed = 0;
const forgot = -1;

/**
 * Changes a mark atomically, calling `change` again if another run wrote the mark at the same time.
 * If `change` returns the same mark, nothing is written. Throws `RedisForgotError` if the canary
 * key no longer has its value; `undefined`: no canary is checked.
 */
export async function changeMark(
  client: Redis,
  key: string,
  canary: CanaryAsSet | undefined,
  change: (mark: Mark) => Mark,
): Promise<void> {
  for (;;) {
    const text = textIn(await sendOne(client, "GET", key));
    const current = parseMark(text);
    const next = change(current);
    if (next === current) return;
    const keys = canary === undefined ? [key] : [key, canary.key];
    const values = [text ?? "", textOf(next), String(markMs), canary?.value ?? ""];
    const reply = await sendOne(client, "EVAL", compareAndSet, String(keys.length), ...keys, ...values);
    if (reply === forgot) throw new RedisForgotError();
    if (reply !== changed) return;
  }
}

/** Every mark in Redis, by its key; unreadable ones are empty. `undefined` if SCAN is denied. */
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

/** Another user's or program's key may be denied, or hold no string: then the mark is empty. */
async function markUnder(client: Redis, key: string): Promise<Mark> {
  try {
    return (await allowed(() => readMark(client, key))) ?? {};
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return {};
    throw error;
  }
}
