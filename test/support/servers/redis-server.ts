import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { caretaker } from "../process/caretaker.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../process/temporary-directory.js";
import type { ProvidedProgram } from "../programs/provide-program.js";
import { provideRedis } from "../programs/provide-redis.js";
import { findFreePort } from "./free-port.js";
import { RedisReplyError } from "./redis-client.js";
import { redisCommand } from "./redis-command.js";

/** A Redis server that a test started. It is an address for `redisCommand`. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string;
  readonly pid: number;
  /** Where it works: its socket, its log (`redis.log`), what it saves. */
  readonly directory: string;
  /** Waits until the server has ended, whoever ends it. */
  waitForEnd(): Promise<void>;
  /**
   * Ends it (SIGTERM, after 5 s SIGKILL), waits for that, and removes its directory. Once is as
   * good as twice.
   */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Further switches of redis-server, after ours: `["--maxmemory", "50mb"]`. */
  readonly args?: readonly string[];
  /** The configuration file of a Sentinel, if it is to be one. */
  readonly sentinel?: string;
  /** The port, where it has to be a certain one. It must be free. */
  readonly port?: number;
  /** A directory to work in, where it has to be a certain one: it is not removed by `stop`. */
  readonly directory?: string;
  /** How to run Redis, where that is not `provideRedis()`. */
  readonly program?: ProvidedProgram;
  /** How to find a port, where that is not `findFreePort`. */
  readonly findPort?: () => Promise<number>;
}

const attempts = 5;
const startMs = 30_000;
const stopMs = 5_000;

/**
 * Starts a Redis of the test's own on 127.0.0.1 and a Unix socket, without persistence, and waits
 * until it answers.
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const program = options.program ?? (await provideRedis());
  const { port, findPort = findFreePort } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(port ?? (await findPort()), program, options);
    } catch (error) {
      // Between finding a port and listening on it another process may have taken it.
      const taken = error instanceof Error && /in use|already allocated/i.test(error.message);
      if (!taken || port !== undefined || attempt === attempts) throw error;
    }
  }
}

/**
 * One running server. It does not keep this process from ending: a test that forgot to stop it
 * would hang.
 */
interface Running {
  readonly pid: number;
  /** The process that ends when the server does. Whoever waits for its end must `ref` it. */
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  end(): Promise<void>;
}

async function startOn(port: number, program: ProvidedProgram, options: RedisServerOptions): Promise<RedisServer> {
  const directory = options.directory ?? makeTemporaryDirectory();
  const socketPath = join(directory, "redis.sock");
  const log = join(directory, "redis.log");
  const args = [
    ...(options.sentinel === undefined ? [] : [options.sentinel, "--sentinel"]),
    ...["--port", String(port), "--unixsocket", socketPath, "--unixsocketperm", "700", "--dir", directory],
    ...["--save", "", "--appendonly", "no", "--daemonize", "no"],
    ...(program.kind === "program" ? ["--bind", "127.0.0.1"] : ["--bind", "0.0.0.0", "--protected-mode", "no"]),
    ...(options.args ?? []),
  ];
  const running =
    program.kind === "program"
      ? runProgram(program.path, args, log)
      : await runContainer(program, port, args, directory);

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await running.end();
    if (options.directory === undefined) removeTemporaryDirectory(directory);
  };
  try {
    await waitForAnswer(program.kind === "program" ? { path: socketPath } : { port }, running);
  } catch (error) {
    await running.end();
    const reason = error instanceof Error ? error.message : String(error);
    const written = program.kind === "program" ? readFileSync(log, "utf8").trimEnd() : "";
    await stop();
    throw new Error(`${reason}\n${written}`.trimEnd());
  }
  return {
    host: "127.0.0.1",
    port,
    socketPath,
    directory,
    pid: running.pid,
    waitForEnd: () => {
      running.child.ref();
      return running.ended;
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

function runProgram(path: string, args: readonly string[], log: string): Running {
  const output = openSync(log, "a");
  // Apart from our process group: a Ctrl-C in the terminal is ours to answer.
  const child = spawn(path, args, { stdio: ["ignore", output, output], detached: true });
  closeSync(output);
  if (child.pid === undefined) throw new Error(`${path} cannot be started.`);
  child.unref();
  const spare = caretaker.killAtEnd(child.pid);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      spare();
      resolve();
    });
  });
  return { pid: child.pid, child, ended, end: () => endProcess(child, ended) };
}

async function endProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill("SIGTERM");
  const bound = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await ended;
  clearTimeout(bound);
}

async function runContainer(
  { docker, image }: Extract<ProvidedProgram, { kind: "container" }>,
  port: number,
  args: readonly string[],
  directory: string,
): Promise<Running> {
  const call = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(docker, [...words])).stdout.trim();
  // The directory has the same path inside as outside, and files in it are ours.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const id = await call(
    ...["run", "--detach", "--rm", "--entrypoint", "redis-server", "--user", user],
    ...["--volume", `${directory}:${directory}`, "--publish", `127.0.0.1:${port}:${port}`, image, ...args],
  );
  const release = caretaker.removeContainerAtEnd(docker, id);
  const pid = Number(await call("inspect", "--format", "{{.State.Pid}}", id));
  const child = spawn(docker, ["wait", id], { stdio: "ignore", detached: true });
  child.unref();
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      release();
      resolve();
    });
  });
  return {
    pid,
    child,
    ended,
    end: async () => {
      child.ref();
      await call("stop", "--time", String(stopMs / 1000), id).catch(() => undefined);
      await ended;
    },
  };
}

async function waitForAnswer(address: { path: string } | { port: number }, running: Running): Promise<void> {
  let over = false;
  const ended = running.ended.then(() => {
    over = true;
  });
  const giveUpAt = Date.now() + startMs;
  while (!over) {
    try {
      await redisCommand(address, "PING");
      return;
    } catch (error) {
      // Any answer but LOADING comes from a server that is up; one that wants a password says
      // NOAUTH.
      if (error instanceof RedisReplyError && !error.message.startsWith("LOADING")) return;
      if (Date.now() > giveUpAt) throw new Error(`Redis did not answer within ${startMs / 1000} s.`);
    }
    await Promise.race([ended, sleep(5)]);
  }
  throw new Error("Redis ended as soon as it was started.");
}
