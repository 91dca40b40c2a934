import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultProxy } from "../fault-proxy.js";
import { type RedisAddress, type RedisArgument, type RedisReply, RedisReplyError } from "../redis-client.js";
import { redisCommand } from "../redis-command.js";
import { type RedisServer, startRedis } from "../redis-server.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../temporary-directory.js";

/** The Redis of one run, and what can be done to it past the proxy. */
export class SweptRedis {
  /** What the run under test knows. */
  static readonly password = "NotToBeShown";
  readonly #directory: string;
  readonly #args: readonly string[];
  readonly #errors: unknown[] = [];
  readonly #background: Promise<void>[] = [];
  #server: RedisServer;
  #proxy: FaultProxy | undefined;
  #isOver = false;
  #kills = 0;
  #isKilled = false;

  private constructor(server: RedisServer, directory: string, args: readonly string[]) {
    this.#server = server;
    this.#directory = directory;
    this.#args = args;
  }

  static async start(args: readonly string[] = []): Promise<SweptRedis> {
    const directory = makeTemporaryDirectory();
    return new SweptRedis(await startWithRights(directory, args), directory, args);
  }

  get directory(): string {
    return this.#directory;
  }

  get port(): number {
    return this.#server.port;
  }

  /** How to reach it with every right, whatever became of the right of others. */
  get address(): RedisAddress {
    return { port: this.port, ...administrator };
  }

  /** The proxy that stands before it. */
  standBehind(proxy: FaultProxy): void {
    this.#proxy = proxy;
  }

  /**
   * Sends a command, again and again while the server is not ready for it. Throws what it replies
   * else, and where it was killed.
   */
  async command(...args: readonly RedisArgument[]): Promise<RedisReply> {
    for (;;) {
      try {
        return await redisCommand(this.address, ...args);
      } catch (error) {
        if (this.#isKilled || (error instanceof RedisReplyError && !notReady.test(error.message)))
          throw error;
        await sleep(5);
      }
    }
  }

  async info(section: string): Promise<string> {
    return String(await this.command("INFO", section));
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#kills += 1;
    this.#isKilled = true;
    this.#proxy?.expectNobody();
    process.kill(this.#server.pid, "SIGKILL");
    await this.#server.waitForEnd();
  }

  /** Whether none was started in the place of a killed one. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Starts one in the place of a killed one: empty, where that one did not persist. */
  async startAgain(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    this.#isKilled = false;
    this.#server = await startWithRights(this.#directory, this.#args);
    await this.untilLoaded();
    this.#proxy?.redirect(this.port);
  }

  /** Takes back whatever was configured, so that it works again. */
  async restore(): Promise<void> {
    await this.command("ACL", "SETUSER", "default", "resetkeys", "~*", "+@all", `>${SweptRedis.password}`);
    await this.command("REPLICAOF", "NO", "ONE");
    for (const [name, value] of Object.entries(settings)) await this.command("CONFIG", "SET", name, value);
    const [, hashes] = [await this.command("SCAN", 0, "COUNT", 10_000, "TYPE", "hash")].flat();
    for (const key of [hashes ?? []].flat()) await this.command("DEL", String(key));
  }

  /** Does something beside the run, which a kill may end; `finish` waits for it. */
  meanwhile(action: () => Promise<void>): void {
    const note = (error: unknown): void => {
      this.#errors.push(error);
    };
    this.#background.push(this.untilKilled(action).catch(note));
  }

  /**
   * Does something that a kill may end: what another connection came to may be one. Throws what
   * else goes wrong.
   */
  async untilKilled(action: () => Promise<void>): Promise<void> {
    const kills = this.#kills;
    try {
      await action();
    } catch (error) {
      if (this.#kills === kills && !this.#isKilled) throw error;
    }
  }

  /** Waits for a state, or for the end of the run. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!this.#isOver && !(await isSo())) await sleep(5);
  }

  /** How many connections were made to the proxy so far. */
  connections(): number {
    return this.#proxy?.connections() ?? 0;
  }

  /** Ends what is done beside the run, which has ended. Rejects with what went wrong in it. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#background);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /** Waits until it has loaded what it saved. */
  async untilLoaded(): Promise<void> {
    try {
      await this.command("PING");
    } catch (error) {
      // One that refuses even that is as ready as it will be.
      if (!(error instanceof RedisReplyError)) throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    removeTemporaryDirectory(this.#directory);
  }
}

const notReady = /^(LOADING|BUSY|ERR max number of clients)/;

/** What faults change, as it was. */
const settings = {
  maxmemory: 0,
  "replica-serve-stale-data": "yes",
  "maxmemory-policy": "noeviction",
  maxclients: 1000,
  "min-replicas-to-write": 0,
  save: "",
  "client-output-buffer-limit": "normal 0 0 0",
};

const administrator = { username: "administrator", password: "administrator" };

function startWithRights(directory: string, args: readonly string[]): Promise<RedisServer> {
  const { username, password } = administrator;
  const rights = ["--user", username, "on", `>${password}`, "~*", "&*", "+@all"];
  return startRedis({ directory, args: ["--requirepass", SweptRedis.password, ...rights, ...args] });
}
