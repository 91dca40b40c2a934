import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { caretaker } from "../../../support/process/caretaker.js";
import { provideTool } from "../../../support/programs/provide-tools.js";
import { projectRoot } from "../../../support/project.js";
import { waitUntil } from "../wait-until.js";
import type { LiveHistory } from "./live-history.js";

/**
 * `files` without ends, `files and ends` with logouts and logins, `redis` behind the switch to the
 * applet.
 */
export type LivePhase = "files" | "files and ends" | "redis" | "quiet";

/** What the server did so far. */
export interface LiveCount {
  readonly operations: number;
  readonly ends: number;
  /** Files deleted of sessions that the run under way had come to before. */
  readonly endsBehind: number;
  readonly held: number;
  /** Passes over the session directory since the last run began. */
  readonly passes: number;
  /** No file changed later. */
  readonly newestFileMs: number;
}

/** A Tele server at work in a process of its own (`test/python/live_server.py`). */
export interface LiveServer {
  /** Lets it finish what is under way and begins the phase; settled once that is so. */
  begin(phase: LivePhase): Promise<void>;
  count(): Promise<LiveCount>;
  /** Waits for a state of it. */
  until(state: string, isSo: (count: LiveCount) => boolean): Promise<void>;
  /** Deletes one key in ten by hand; gives how many that were. */
  deleteKeys(): Promise<number>;
  /** Tells it that a run begins; gives a function that tells it the run's end. */
  runBegins(name: string): Promise<() => Promise<void>>;
  /** Ends it; gives all that it did. */
  end(): Promise<LiveHistory>;
}

export interface LiveServerOptions {
  /** Is made. Its parent must be there for nothing else. */
  readonly directory: string;
  readonly redisPort: number;
  readonly seed: number;
  readonly sessions: number;
  /** How much it does at a time. */
  readonly threads: number;
  /** Whether it moves flat files into folders, as Odoo 16 does. */
  readonly scatters: boolean;
  /** Of keys that the server saves in Redis, in seconds; the full lifetime by default. */
  readonly longestLifetime?: number;
}

/** Starts it and waits until its sessions are made. It goes with the test. */
export async function startLiveServer(t: TestContext, options: LiveServerOptions): Promise<LiveServer> {
  const { directory, redisPort, seed, sessions, threads, scatters, longestLifetime } = options;
  const historyFile = `${directory}.history`;
  const script = join(projectRoot, "test", "python", "live_server.py");
  const numbers = ["--redis-port", redisPort, "--seed", seed, "--sessions", sessions, "--threads", threads].map(String);
  const further = ["--history", historyFile, ...(scatters ? ["--scatters"] : [])];
  if (longestLifetime !== undefined) further.push("--longest-lifetime", String(longestLifetime));
  const child = spawn(await provideTool("python"), ["-B", script, directory, ...numbers, ...further], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  if (child.pid === undefined) throw new Error("The live server cannot be started.");
  const spare = caretaker.killAtEnd(child.pid);
  t.after(() => child.kill("SIGKILL"));

  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  child.stdin.on("error", () => undefined);
  const waiting: { take: (line: string) => void; fail: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.take(line));
  let over: Error | undefined;
  child.once("close", (code) => {
    spare();
    over = new Error(`The live server ended with ${code}: ${complaint}`);
    for (const { fail } of waiting.splice(0)) fail(over);
  });
  const answer = (): Promise<string> =>
    new Promise((take, fail) => {
      if (over === undefined) waiting.push({ take, fail });
      else fail(over);
    });
  const ask = (line: string): Promise<string> => {
    const answered = answer();
    child.stdin.write(`${line}\n`);
    return answered;
  };

  const count = async (): Promise<LiveCount> => JSON.parse(await ask("count"));

  await answer();
  return {
    begin: async (phase) => {
      await ask(phase);
    },
    count,
    until: (state, isSo) => waitUntil(state, async () => isSo(await count())),
    deleteKeys: async () => JSON.parse(await ask("delete keys")).deleted,
    runBegins: async (name) => {
      await ask(`run begins ${name}`);
      return async () => {
        await ask("run ended");
      };
    },
    end: async () => {
      await ask("end");
      return JSON.parse(readFileSync(historyFile, "utf8"));
    },
  };
}
