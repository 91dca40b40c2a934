import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { projectRoot } from "../project.js";
import { caretaker } from "./caretaker.js";
import { cleanEnvironment } from "./clean-environment.js";
import { searchOutput } from "./search-output.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "./temporary-directory.js";
import { makeTranscript } from "./transcript.js";

/** The built command line, as npm installs it. */
export const binary = join(projectRoot, "bin", "tele-sessions.js");

/** Names an executable for the tests to run in place of the binary, from the checkout on. */
export const executableVariable = "TELE_SESSIONS_BINARY";
const named = process.env[executableVariable];
/** Its path; absent if the tests run the binary. */
export const executable = named === undefined ? undefined : resolve(projectRoot, named);

/** The words that start the command line: the binary under Node, or the executable. */
export const program: readonly string[] = executable ? [executable] : [process.execPath, binary];

export interface CommandOptions {
  /** Variables beside the clean ones; `undefined` takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where it runs; a new, empty directory by default. */
  readonly cwd?: string;
  /** What stands on its standard input; nothing by default. */
  readonly input?: string;
  /** Killed after so many milliseconds; a minute by default. */
  readonly timeLimitMs?: number;
  /** Switches for Node itself: `["--max-old-space-size=200"]`. */
  readonly nodeArgs?: readonly string[];
  /** A command that is given Node's own to run: `["nice"]`. */
  readonly under?: readonly string[];
}

export interface CommandResult {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the binary that is under way. */
export interface RunningCommand {
  readonly pid: number;
  /** What it has written so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /**
   * Waits until it has written something that matches, to stdout or stderr. Rejects if it ends
   * before.
   */
  waitFor(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Settled when it has ended. Rejects where it ran into the time limit. */
  readonly result: Promise<CommandResult>;
}

/**
 * Runs the built binary and waits for its end. Its environment is clean: the PATH and the locale
 * are ours, HOME is a new, empty directory, nothing of TELE_*, REDIS* or XDG_* is set. Rejects
 * where it runs into the time limit, and where it printed something secret.
 */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startCommand(args, options).result;
}

/** Like `runCommand`, for a test that has something to do meanwhile. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { environment = {}, input, timeLimitMs = 60_000, nodeArgs = [], under = [] } = options;
  const home = makeTemporaryDirectory();
  const started = executable ? program : [process.execPath, ...nodeArgs, binary];
  const [first = "", ...words] = [...under, ...started, ...args];
  const child = spawn(first, words, {
    cwd: options.cwd ?? home,
    env: { ...cleanEnvironment(home), ...(executable && optionsForNode(nodeArgs)), ...environment },
    stdio: "pipe",
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("The command cannot be started.");
  const spare = caretaker.killAtEnd(pid);

  let stdout = "";
  let stderr = "";
  const transcript = makeTranscript();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    transcript.append(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    transcript.append(text);
  });
  // A command that ends without reading its input is no fault.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");

  const result = new Promise<CommandResult>((resolve, reject) => {
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeLimitMs);
    child.once("exit", spare);
    child.once("close", (exitCode, signal) => {
      clearTimeout(limit);
      removeTemporaryDirectory(home);
      transcript.end();
      try {
        searchOutput(stdout + stderr, args);
      } catch (error) {
        return reject(error);
      }
      if (late) reject(new Error(`Not over after ${timeLimitMs / 1000} s: ${args.join(" ")}\n${stdout}${stderr}`));
      else resolve({ exitCode, signal, stdout, stderr });
    });
  });

  return {
    pid,
    result,
    waitFor: transcript.waitFor,
    output: () => ({ stdout, stderr }),
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** An executable hands all its arguments to the program: Node's own come in a variable. */
function optionsForNode(nodeArgs: readonly string[]): Record<string, string> {
  if (nodeArgs.length === 0) return {};
  // It starts without what `--import` belongs to. `--require` warns of an ES module.
  const words = nodeArgs.map((word) =>
    word === "--import" ? "--require" : word.startsWith("file:") ? fileURLToPath(word) : word,
  );
  return { NODE_OPTIONS: ["--disable-warning=ExperimentalWarning", ...words].join(" ") };
}
