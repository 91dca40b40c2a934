import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type CommandOptions, type CommandResult, startCommand } from "../../../support/process/command.js";
import { makeTemporaryDirectory } from "../../../support/process/temporary-directory.js";
import { redisCommand } from "../../../support/servers/redis-command.js";
import type { RedisServer, RedisServerOptions } from "../../../support/servers/redis-server.js";
import { saveSession } from "../../support/made-session.js";
import { redisOf } from "../../support/redis-of-test.js";

const sessions = 20;
const value = `{"db": "x", "uid": 2, "v": "${"x".repeat(20_000)}"}`;

/** A session directory, a Redis, and the flags and variables of a command. Rows change them. */
export class SetUpGround {
  readonly top = makeTemporaryDirectory();
  /** Where the sessions are. */
  readonly directory = join(this.top, "srv", "sessions");
  readonly flags = new Map<string, string>();
  readonly environment: Record<string, string> = {};
  /** The uid that runs; `undefined`: the test's own. */
  uid: number | undefined;
  readonly #test: TestContext;

  constructor(test: TestContext) {
    this.#test = test;
    this.flags.set("--session-dir", this.directory);
    this.fill();
    for (let path = this.directory; path !== tmpdir() && path !== "/"; path = dirname(path)) {
      chmodSync(path, 0o755);
    }
  }

  /** The sessions again, after a run that removed them. */
  fill(): void {
    for (let number = 1; number <= sessions; number++) saveSession(this.directory, number, value);
  }

  /** Starts a Redis that goes with the test, and names it with --host and --port. */
  async startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
    const redis = await redisOf(this.#test, options);
    this.nameRedis(redis);
    return redis;
  }

  nameRedis({ host, port }: { readonly host: string; readonly port: number | string }): void {
    this.flags.set("--host", host).set("--port", String(port));
  }

  /** Sets flags as a remedy names them: `--host 127.0.0.1 --port 6380`. */
  takeFlags(text: string): void {
    for (const [, flag = "", word = ""] of text.matchAll(/(--[\w-]+) ([^\s,;)]+)/g)) this.flags.set(flag, word);
  }

  /** Sends a command to Redis as a remedy names it. */
  async send(redis: RedisServer, words: string): Promise<void> {
    const reply = await redisCommand(redis, ...words.split(" "));
    if (String(reply) !== "OK") throw new Error(`${words}: ${reply}`);
  }

  /** Runs the binary with the flags that its command takes. */
  run(command: readonly string[]): Promise<CommandResult> {
    return this.start(command).result;
  }

  start(command: readonly string[]) {
    const under =
      this.uid === undefined || this.uid === 0
        ? []
        : ["setpriv", "--reuid", String(this.uid), "--regid", String(this.uid), "--clear-groups"];
    const options: CommandOptions = { environment: this.environment, under, cwd: "/" };
    const flags = [...this.flags].flatMap(([flag, word]) => (word === "" ? [flag] : [flag, word]));
    return startCommand([...command, ...flags], options);
  }

  later(undo: () => unknown): void {
    this.#test.after(undo);
  }

  removeDirectory(): void {
    rmSync(this.directory, { recursive: true });
  }

  makeDirectory(path: string): string {
    mkdirSync(path, { recursive: true });
    return path;
  }
}
