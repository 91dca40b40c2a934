import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RedisAddress, RedisClient } from "../servers/redis-client.js";
import { redisPipeline } from "../servers/redis-command.js";
import { isExpected } from "./check-sessions.js";
import type { MadeSession } from "./make-sessions.js";

/** A session as it was made. */
export interface KnownSession {
  readonly made: MadeSession;
  /** What stood in its file. */
  readonly bytes: Buffer;
}

/** Where sessions are. Whoever is named is named by the first 6 characters of its sid. */
export interface LocatedSessions {
  /** In Redis, with the very bytes. */
  readonly inRedis: number;
  /** On disk, byte for byte, under their own name or one that a purge gave them. */
  readonly onDisk: number;
  /** In neither. */
  readonly lost: readonly string[];
  /** In Redis or on disk with other bytes. */
  readonly wrong: readonly string[];
  /** Files with a name that a purge gave them. */
  readonly renamed: number;
}

const nameOfOurs = /^\.tele-sessions-\d+-[^-]+-/;

/** Looks for every session in Redis and in the session directory. */
export async function locateSessions(
  redis: RedisAddress | RedisClient,
  directory: string,
  sessions: readonly KnownSession[],
): Promise<LocatedSessions> {
  const commands = sessions.map(({ made }) => ["GET", `session:${made.sid}`]);
  const values = await ("pipeline" in redis ? redis.pipeline(commands) : redisPipeline(redis, commands));
  const files = readSessionFiles(directory);
  const renamed = listFiles(directory).filter(isOurs).length;

  const lost: string[] = [];
  const wrong: string[] = [];
  let inRedis = 0;
  let onDisk = 0;
  sessions.forEach(({ made, bytes }, index) => {
    const value = values[index] ?? null;
    const isInRedis = Buffer.isBuffer(value) && isExpected(made, value);
    const found = files.get(made.path) ?? [];
    const isOnDisk = found.some((content) => content.equals(bytes));
    const name = `${made.sid.slice(0, 6)}…`;
    if (isInRedis) inRedis += 1;
    if (isOnDisk) onDisk += 1;
    if (!isInRedis && !isOnDisk) lost.push(name);
    if ((value !== null && !isInRedis) || !found.every((content) => content.equals(bytes))) wrong.push(name);
  });
  return { inRedis, onDisk, lost, wrong, renamed };
}

/** What stands in each file of a directory, by the name that it had before a purge set it aside. */
export function readSessionFiles(directory: string): ReadonlyMap<string, readonly Buffer[]> {
  const contents = new Map<string, Buffer[]>();
  for (const path of listFiles(directory)) {
    const original = join(dirname(path), basename(path).replace(nameOfOurs, ""));
    contents.set(original, [...(contents.get(original) ?? []), readFileSync(join(directory, path))]);
  }
  return contents;
}

/** Whether a file has a name that only a run of ours gives. */
export function isOurs(path: string): boolean {
  return /^\.?tele-sessions-/.test(basename(path));
}

/** Everything in a directory and below it that is no directory, by paths inside it. */
export function listFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    return readdirSync(join(directory, entry.name)).map((name) => `${entry.name}/${name}`);
  });
}
