import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { between } from "../../../support/process/between.js";
import { makeTemporaryDirectory } from "../../../support/process/temporary-directory.js";
import type { RedisArgument, RedisReply } from "../../../support/servers/redis-client.js";
import { redisCommand, redisPipeline } from "../../../support/servers/redis-command.js";
import type { RedisServer } from "../../../support/servers/redis-server.js";
import { makeSessions, readManifest } from "../../../support/sessions/make-sessions.js";
import { run } from "../../support/observed-run.js";

/** A session that the server has. */
export interface ServerSession {
  readonly sid: string;
  /** Where its file lies; `undefined` once the server saved it in Redis only. */
  path: string;
  /** The value that a copy writes, if it is known; what a server saved since counts too. */
  readonly values: Set<string>;
  /** Its lifetime is over: it need not be anywhere. */
  over: boolean;
}

const poolDirectory = join(makeTemporaryDirectory(), "pool");
const manifest = join(makeTemporaryDirectory(), "manifest");
await makeSessions(poolDirectory, {
  count: 60,
  layouts: ["flat"],
  formats: ["pickle4"],
  manifest,
  values: true,
});
const pool: { readonly sid: string; readonly bytes: Buffer; readonly value: string }[] = [];
for await (const { sid, path, value = "" } of readManifest(manifest)) {
  pool.push({ sid, bytes: readFileSync(join(poolDirectory, path)), value });
}

/** The place where a situation comes about: a directory, a Redis, and what the server knows. */
export class Field {
  readonly top = makeTemporaryDirectory();
  directory = join(this.top, "sessions");
  readonly redis: RedisServer;
  /** What stands before a sid in the keys that the server reads. */
  keyPrefix = "session:";
  db = 0;
  readonly sessions: ServerSession[] = [];
  readonly #undo: (() => unknown)[] = [];

  constructor(redis: RedisServer) {
    this.redis = redis;
    mkdirSync(this.directory);
  }

  /** Makes ordinary sessions, saved ten minutes ago. */
  makeSessions(count: number, directory = this.directory, first = 0): void {
    for (const { sid, bytes, value } of pool.slice(first, first + count)) {
      this.saveBytes(join(directory, `werkzeug_${sid}.sess`), sid, bytes, value);
    }
  }

  /** Saves a file as a session that the server has. */
  saveBytes(path: string, sid: string, bytes: string | Buffer, value?: string, ageMs = 600_000): ServerSession {
    this.write(path, bytes, ageMs);
    const session: ServerSession = {
      sid,
      path,
      values: new Set(value === undefined ? [] : [value]),
      over: false,
    };
    this.sessions.push(session);
    return session;
  }

  /** Writes a file as a server does: under another name first. */
  write(path: string, bytes: string | Buffer, ageMs = 600_000): void {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = join(this.top, "being-written");
    writeFileSync(temporary, bytes);
    const seconds = (Date.now() - ageMs) / 1000;
    utimesSync(temporary, seconds, seconds);
    renameSync(temporary, path);
  }

  session(index: number): ServerSession {
    const session = this.sessions[index];
    assert.ok(session !== undefined, `there is no session ${index}`);
    return session;
  }

  keyOf(index: number): string {
    return this.keyPrefix + this.session(index).sid;
  }

  /** A server on Redis saves a session: its expiry instant bears no sign of the value. */
  async serverSaves(index: number, value: string, lifetimeMs: number | "kept" | "none" = 604_800_000): Promise<void> {
    this.session(index).values.add(value);
    const key = this.keyOf(index);
    if (lifetimeMs === "kept") await this.ask("SET", key, value, "KEEPTTL");
    else if (lifetimeMs === "none") await this.ask("SET", key, value);
    else await this.ask("SET", key, value, "PX", lifetimeMs);
  }

  /** One command to Redis, as its operator. */
  ask(...command: readonly RedisArgument[]): Promise<RedisReply> {
    return redisCommand(this.redis, ...command);
  }

  async info(name: string): Promise<number> {
    return Number(new RegExp(`${name}:(\\d+)`).exec(String(await this.ask("INFO", "all")))?.[1]);
  }

  /** A Redis user `app` with these rules after all rights. */
  async allow(...rules: readonly string[]): Promise<void> {
    await this.ask("ACL", "SETUSER", "app", "reset", "on", ">pw", "~*", "&*", "+@all", ...rules);
  }

  /** A run before the one in question; it must end so. */
  async before(args: readonly string[], exit = 0): Promise<void> {
    const { exitCode, stderr } = await run([...args, ...between(this.directory, this.redis), "--json"]);
    assert.equal(exitCode, exit, `the run before (${args.join(" ")}): ${stderr}`);
  }

  /** Waits until so many session keys are in Redis. */
  async untilKeys(count: number): Promise<void> {
    const giveUpAt = Date.now() + 20_000;
    while ((await this.countKeys()) < count) {
      if (Date.now() > giveUpAt) throw new Error(`There were never ${count} keys.`);
    }
  }

  async countKeys(): Promise<number> {
    const replies = await redisPipeline({ ...this.redis, db: this.db }, [["KEYS", "session:*"]]);
    const [keys] = replies;
    if (!Array.isArray(keys)) throw new Error(`Redis does not list its keys: ${String(keys)}`);
    return keys.length;
  }

  /** Regular files in the session directory and the folders in it. */
  countFiles(): number {
    return readdirSync(this.directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .length;
  }

  isOnDisk({ path }: ServerSession): boolean {
    if (existsSync(path)) return true;
    const folder = dirname(path);
    return (
      existsSync(folder) &&
      readdirSync(folder).some((name) => name.startsWith(".tele-sessions-") && name.endsWith(basename(path)))
    );
  }

  /** Something to be undone when the situation is over, the latest first. */
  later(undo: () => unknown): void {
    this.#undo.unshift(undo);
  }

  async clear(): Promise<void> {
    for (const undo of this.#undo) await undo();
  }
}
