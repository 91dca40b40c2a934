import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type MadeSession, makeSessions, readManifest } from "../make-sessions.js";
import type { RedisAddress } from "../redis-client.js";
import { redisPipeline } from "../redis-command.js";
import { makeTemporaryDirectory } from "../temporary-directory.js";

/** Session files that many runs are made over, and what they must become. */
export interface SweptSessions {
  readonly directory: string;
  readonly sessions: readonly MadeSession[];
  /** What each file held when it was made, by its path inside the directory. */
  readonly contents: ReadonlyMap<string, Buffer>;
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
  return sessions.filter(
    ({ path }) => contents.get(path)?.equals(readIfThere(join(directory, path))) !== true,
  );
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

/** Writes what a copy of all these sessions would have written. */
export async function fillRedis(address: RedisAddress, { sessions }: SweptSessions): Promise<void> {
  const nowMs = Date.now();
  await redisPipeline(
    address,
    sessions.map(({ sid, value = "", lifetime }) => [
      "SET",
      `session:${sid}`,
      value,
      "PXAT",
      nowMs + lifetime * 1000,
    ]),
  );
}
