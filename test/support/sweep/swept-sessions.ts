import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keyPrefix } from "../../../src/convert/session-key.js";
import { markKey } from "../../../src/redis/marks.js";
import { lastingIdentityOf } from "../../../src/source/file-identity.js";
import { between } from "../process/between.js";
import { runCommand } from "../process/command.js";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import type { RedisClient } from "../servers/redis-client.js";
import { redisCommand } from "../servers/redis-command.js";
import { startRedis } from "../servers/redis-server.js";
import { type Aftermath, savedValue, threeHoursSeconds } from "../sessions/earlier-copy.js";
import { type MadeSession, makeSessions, readManifest } from "../sessions/make-sessions.js";

/** Session files that many runs are made over, and what they must become. */
export interface SweptSessions {
  readonly directory: string;
  readonly sessions: readonly MadeSession[];
  /** What each file held when it was made, by its path inside the directory. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /**
   * When Redis was filled with them at the earliest, milliseconds since the epoch; absent if that
   * is up to the run.
   */
  readonly filledMs?: number;
  /** What an earlier copy and a server left in Redis; absent if there was no earlier copy. */
  readonly earlier?: EarlierCopy;
}

interface EarlierCopy {
  readonly keys: readonly (readonly [key: string, value: string, expiresAtMs: number])[];
  /** The value of its mark. */
  readonly mark: string;
  /** Keys of users who logged out of files since: a complete copy deletes them. */
  readonly endedInFiles: readonly string[];
  /** Paths of files that no purge may remove, because their users logged out of Redis. */
  readonly endedInRedis: ReadonlySet<string>;
}

export async function makeSweptSessions(count: number): Promise<SweptSessions> {
  const place = makeTemporaryDirectory();
  const directory = join(place, "sessions");
  const manifest = join(place, "manifest");
  await makeSessions(directory, { count, manifest, values: true });
  const sessions: MadeSession[] = [];
  for await (const session of readManifest(manifest)) sessions.push(session);
  const contents = new Map(sessions.map(({ path }) => [path, readFileSync(join(directory, path))]));
  return { directory, sessions, contents };
}

/** Puts the same files, as old as they are, into a directory of their own. */
export function copySweptSessions({ directory, contents }: SweptSessions): string {
  const copy = join(makeTemporaryDirectory(), "sessions");
  for (const [path, content] of contents) {
    const target = join(copy, path);
    const { atimeMs, mtimeMs } = statSync(join(directory, path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    utimesSync(target, atimeMs / 1000, mtimeMs / 1000);
  }
  return copy;
}

/** The sessions whose files are not there any more byte for byte. */
export function missingSessions({ sessions, contents }: SweptSessions, directory: string): MadeSession[] {
  return sessions.filter(({ path }) => contents.get(path)?.equals(readIfThere(join(directory, path))) !== true);
}

/** What a file holds; nothing where there is none. No session file is empty. */
function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/**
 * Fills Redis as it is before a run: with what a copy of all these sessions would have written, or
 * with what an earlier copy left.
 */
export async function fillRedis(
  client: RedisClient,
  { sessions, earlier }: SweptSessions,
  directory: string,
): Promise<void> {
  if (earlier === undefined) {
    const nowMs = Date.now();
    const all = sessions.map(({ sid, value = "", lifetime }) => [
      "SET",
      keyOf(sid),
      value,
      "PXAT",
      nowMs + lifetime * 1000,
    ]);
    await client.pipeline(all);
    return;
  }
  const mark = markKey({
    keyPrefix: keyPrefix("documented", null),
    directory,
    identity: lastingIdentityOf(directory),
  });
  await client.pipeline([
    ...earlier.keys.map(([key, value, expiresAtMs]) => ["SET", key, value, "PXAT", expiresAtMs]),
    ["SET", mark, earlier.mark],
  ]);
}

/** The same sessions after an earlier copy and what happened since. */
export async function copyEarlier(made: SweptSessions, { serverWorks, fateOf }: Aftermath): Promise<SweptSessions> {
  const redis = await startRedis();
  try {
    const filledMs = Date.now();
    const args = ["copy", ...between(made.directory, redis)];
    const { exitCode, stderr } = await runCommand(args);
    if (exitCode !== 0) throw new Error(`the earlier copy ended with ${exitCode}\n${stderr}`);
    const keys: [string, string, number][] = [];
    const sessions: MadeSession[] = [];
    const endedInFiles: string[] = [];
    const endedInRedis = new Set<string>();
    for (const [index, session] of made.sessions.entries()) {
      const { sid, value = "", lifetime, path } = session;
      const fate = fateOf(index);
      const expiresAtMs = Number(await redisCommand(redis, "PEXPIRETIME", keyOf(sid)));
      if (fate === "kept") keys.push([keyOf(sid), value, expiresAtMs]);
      if (fate === "ended in files") {
        // Every file is there for the runs of other commands, so it is the key of somebody else who
        // left none.
        const key = keyOf([...sid].toReversed().join(""));
        endedInFiles.push(key);
        keys.push([keyOf(sid), value, expiresAtMs], [key, value, expiresAtMs]);
      }
      if (fate === "saved") {
        const seconds = Math.min(threeHoursSeconds, lifetime);
        keys.push([keyOf(sid), savedValue, filledMs + seconds * 1000]);
        sessions.push({ ...session, value: savedValue, lifetime: seconds });
      } else if (fate === "ended in Redis") {
        endedInRedis.add(path);
        sessions.push({ ...session, outcome: "expired" });
      } else sessions.push(session);
    }
    const marks = await redisCommand(redis, "KEYS", "tele-sessions:mark:*");
    const [key = ""] = Array.isArray(marks) ? marks.map(String) : [];
    const mark = String(await redisCommand(redis, "GET", key));
    if (serverWorks === "files") touch(made);
    return { ...made, sessions, filledMs, earlier: { keys, mark, endedInFiles, endedInRedis } };
  } finally {
    await redis.stop();
  }
}

/** The server saves one of the sessions as it was. */
function touch({ directory, contents }: SweptSessions): void {
  for (const [path, content] of [...contents].slice(0, 1)) writeFileSync(join(directory, path), content);
}

function keyOf(sid: string): string {
  return `session:${sid}`;
}
