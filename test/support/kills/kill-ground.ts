import assert from "node:assert/strict";
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileTimeSlackMs } from "../../../src/model/session-file.js";
import {
  type CommandOptions,
  type CommandResult,
  type RunningCommand,
  runCommand,
  startCommand,
} from "../process/command.js";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import type { RedisUnderTest } from "../servers/redis-under-test.js";
import type { KnownSession } from "../sessions/locate-sessions.js";
import { makeSessions, readManifest } from "../sessions/make-sessions.js";
import {
  describeKillPoint,
  type KillPoint,
  type NumberedWork,
  type WatchedRun,
  type Work,
  watchOptions,
} from "./kill-point.js";

/** A purge leaves files alone that are younger than 2 s. */
const ageSeconds = 3600;
/**
 * A run looks once more at a file that changed just before. How often it looks at each must be the
 * same in every run.
 */
const restMs = fileTimeSlackMs + 100;

/** A Redis and a session directory, for one run at a time. */
export class KillGround {
  readonly redis: RedisUnderTest;
  readonly directory: string;
  /** Where runs put temporary files. */
  readonly temporary = makeTemporaryDirectory();
  readonly known: readonly KnownSession[];
  /** Holds the session files as they were made. */
  readonly #master: string;
  readonly #command: readonly string[];

  private constructor(redis: RedisUnderTest, top: string, known: readonly KnownSession[], command: readonly string[]) {
    this.redis = redis;
    this.directory = join(top, "s");
    this.#master = join(top, "master");
    this.known = known;
    this.#command = command;
  }

  static async make(redis: RedisUnderTest, sessions: number, command: readonly string[]): Promise<KillGround> {
    const top = makeTemporaryDirectory();
    const manifest = join(top, "manifest");
    await makeSessions(join(top, "master"), { count: sessions, manifest });
    const then = Date.now() / 1000 - ageSeconds;
    const known: KnownSession[] = [];
    for await (const made of readManifest(manifest)) {
      const path = join(top, "master", made.path);
      utimesSync(path, then, then);
      mkdirSync(dirname(join(top, "s", made.path)), { recursive: true });
      known.push({ made, bytes: readFileSync(path) });
    }
    return new KillGround(redis, top, known, command);
  }

  pathOf({ made }: KnownSession): string {
    return join(this.directory, made.path);
  }

  /**
   * Puts every session file into the directory again, empties Redis, and waits until the files are
   * old enough. The files are links: a run removes names and writes no file. On some file systems a
   * new file takes milliseconds if many were removed just before.
   */
  async restore(): Promise<void> {
    for (const session of this.known) {
      rmSync(this.pathOf(session), { force: true });
      linkSync(join(this.#master, session.made.path), this.pathOf(session));
    }
    await this.redis.onEach("FLUSHALL");
    await sleep(restMs);
  }

  /** What an undisturbed run does, in its order. */
  async watch(): Promise<Work[]> {
    const log = join(makeTemporaryDirectory(), "work");
    const { exitCode, stderr } = await this.#run({ log });
    assert.equal(exitCode, 0, stderr);
    const work = readdirSync(dirname(log)).flatMap((name): NumberedWork[] =>
      JSON.parse(readFileSync(join(dirname(log), name), "utf8")),
    );
    return work.sort((one, other) => one.number - other.number);
  }

  /**
   * Kills a run at that point, and waits until Redis has carried out all that it had sent: it
   * closes the connection then. With Sentinels, a failover follows. How often a run looks at a file
   * depends on how long it waits for it. So if the run ends before the point, `prepare` makes
   * everything as it was, and the next one is killed a little earlier.
   */
  async kill(point: KillPoint, prepare: () => Promise<void>): Promise<void> {
    for (let at = point.at; ; at = Math.floor(at * 0.97)) {
      const { signal, exitCode, stderr } = await this.#run({ point: { ...point, at } });
      if (signal === "SIGKILL") break;
      const where = describeKillPoint({ ...point, at });
      assert.equal(exitCode, 0, `the run was to be killed ${where}\n${stderr}`);
      assert.ok(at > 0.8 * point.at, `the run ended by itself, it was to be killed ${where}\n${stderr}`);
      await prepare();
    }
    const runs = (list: unknown) => String(list).trim().split("\n").filter(isRun).length;
    while ((await this.redis.onEach("CLIENT", "LIST")).some((list) => runs(list) > 1)) await sleep(1);
    await this.redis.upset?.();
  }

  /** A run that stands still at that point. */
  startUntil(point: KillPoint, args = this.#command): RunningCommand {
    return startCommand(this.#placed(args), this.#watching({ point, signal: "SIGSTOP" }));
  }

  /** One undisturbed run. */
  runAgain(args = this.#command): Promise<CommandResult> {
    return runCommand(this.#placed(args), { environment: this.#environment });
  }

  #run(watch: Pick<WatchedRun, "point" | "log">): Promise<CommandResult> {
    return runCommand(this.#placed(this.#command), this.#watching(watch));
  }

  #watching(watch: Pick<WatchedRun, "point" | "log" | "signal">): CommandOptions {
    const { directory, redis } = this;
    const { nodeArgs, environment } = watchOptions({ directory, redisPorts: redis.ports, ...watch });
    return { nodeArgs, environment: { ...environment, ...this.#environment } };
  }

  get #environment(): Readonly<Record<string, string>> {
    return { ...this.redis.environment, TMPDIR: this.temporary };
  }

  #placed(args: readonly string[]): string[] {
    return [...args, "--session-dir", this.directory, ...this.redis.flags];
  }
}

/** Whether a line of CLIENT LIST stands for neither a replica nor a Sentinel. */
function isRun(line: string): boolean {
  return !/ name=sentinel-| flags=S/.test(line);
}
