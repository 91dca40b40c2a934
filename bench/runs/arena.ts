import { cleanEnvironment } from "../../test/support/process/clean-environment.js";
import { binary as ownBinary } from "../../test/support/process/command.js";
import { removeTemporaryDirectory } from "../../test/support/process/temporary-directory.js";
import { redisCommand } from "../../test/support/servers/redis-command.js";
import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import { openLocalSurroundings } from "../surroundings/local-surroundings.js";
import type { Surroundings } from "../surroundings/surroundings.js";
import { type Contestant, type ContestantName, contestants } from "./contestants.js";
import { countEntries } from "./count-entries.js";
import { digestEntries } from "./digest-entries.js";
import type { Format, SessionDirectory } from "./session-directories.js";
import { type Taken, timedRun } from "./timed-run.js";

export interface ArenaOptions {
  readonly redis: RedisServer;
  readonly programs: RivalPrograms;
  readonly surroundings: Surroundings;
  readonly format: Format;
  /** An empty directory: the contestants' HOME and where they run. */
  readonly home: string;
  /** The tele-sessions to measure; the one of this checkout by default. */
  readonly binary?: string;
}

/** A contestant's run, and what came of it. */
export interface ContestantRun extends Taken {
  /** Session entries in Redis after it. */
  readonly entries: number;
}

/**
 * Lets one contestant run at a time, each finding files and Redis as it should, and holds it to
 * what it must have done.
 */
export class Arena {
  readonly #options: ArenaOptions;
  /** The directory that tele-sessions has copied into Redis, where that is just what Redis holds. */
  #copied: string | undefined;

  constructor(options: ArenaOptions) {
    this.#options = options;
  }

  /**
   * Runs a contestant once. `fresh` has the same files as `original`, and goes: for who removes
   * files. Throws where it fails, says that it dealt with another number of sessions, or leaves
   * another number of entries in Redis.
   */
  async run(name: ContestantName, original: SessionDirectory, fresh?: SessionDirectory): Promise<ContestantRun> {
    const { surroundings } = this.#options;
    const contestant: Contestant = contestants[name];
    const files = fresh ?? original;
    await this.#bringRedis(contestant, original);
    await surroundings.prepare(files.directory);

    this.#copied = undefined;
    const taken = await this.#start(contestant, files, surroundings);
    if (name === "copy" || contestant.finds === "a copy") this.#copied = original.directory;

    const { sessions } = original;
    const count = contestant.count(taken.stdout);
    const counts = await Promise.all(this.#servers.map(countEntries));
    const entries = counts.reduce((sum, one) => sum + one, 0);
    const expected = contestant.leaves === "nothing" ? 0 : sessions;
    if (count !== sessions) throw new Error(`${contestant.title}: ${count} of ${sessions} sessions`);
    if (entries !== expected) throw new Error(`${contestant.title}: ${entries} of ${expected} entries`);
    if (fresh !== undefined) removeTemporaryDirectory(fresh.directory);
    return { ...taken, entries };
  }

  /** A digest of every session's key and value. */
  async digest(): Promise<string> {
    return (await Promise.all(this.#servers.map(digestEntries))).join(" ");
  }

  get #servers(): readonly RedisServer[] {
    const { redis, surroundings } = this.#options;
    return surroundings.servers ?? [redis];
  }

  async #bringRedis(contestant: Contestant, files: SessionDirectory): Promise<void> {
    const { redis, surroundings } = this.#options;
    if (contestant.finds === "a copy" && this.#copied === files.directory) return;
    await Promise.all(this.#servers.map((server) => redisCommand(server, "FLUSHALL", "SYNC")));
    if (contestant.finds === "a copy" && files.sessions > 0) {
      const isElsewhere = surroundings.servers !== undefined;
      const near = isElsewhere ? surroundings : await openLocalSurroundings(redis, this.#options.programs);
      await this.#start(contestants.copy, files, near);
    }
  }

  #start(contestant: Contestant, files: SessionDirectory, surroundings: Surroundings): Promise<Taken> {
    const { programs, format, home, binary = ownBinary } = this.#options;
    const { host, port, before, environment } = surroundings;
    const { flags = ["--host", host, "--port", String(port)], node = process.execPath } = surroundings;
    const task = { ...files, format, host, port, flags, binary, node };
    const { command, ...input } = contestant.start(programs, task);
    return timedRun(
      { command: [...before, ...command], ...input },
      {
        measurer: programs.measurer,
        environment: { ...cleanEnvironment(home), ...environment },
        cwd: home,
      },
    );
  }
}
