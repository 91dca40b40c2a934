import { spawn } from "node:child_process";
import { join } from "node:path";
import { caretaker } from "../process/caretaker.js";
import { cleanEnvironment } from "../process/clean-environment.js";
import { program } from "../process/command.js";
import { searchOutput } from "../process/search-output.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../process/temporary-directory.js";
import { makeTranscript } from "../process/transcript.js";
import { provideTool } from "../programs/provide-tools.js";
import { projectRoot } from "../project.js";

export interface TerminalOptions {
  /** 80 by default. 0 is what some terminals report. */
  readonly columns?: number;
  /** 24 by default. */
  readonly rows?: number;
  /** The variable TERM; `xterm-256color` by default. */
  readonly term?: string;
  /** Variables beside the clean ones of `cleanEnvironment`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it runs; a new, empty directory by default. */
  readonly cwd?: string;
  /** Killed after so many milliseconds; a minute by default. */
  readonly timeLimitMs?: number;
}

export interface TerminalResult {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  /** The number of the signal that ended it, or `null`. */
  readonly signal: number | null;
  /** Everything that was written to the terminal, control sequences and echoed keys as well. */
  readonly output: string;
}

/** A command that runs in a pseudo-terminal. */
export interface Terminal {
  /** What has been written so far. */
  output(): string;
  /** Waits until that matches. Rejects if the command ends before. */
  waitFor(pattern: RegExp): Promise<void>;
  /** Presses keys: `"yes\r"`, `"\x03"` for Ctrl-C. */
  type(keys: string): void;
  /** Settled when the command has ended. Rejects where it ran into the time limit. */
  readonly result: Promise<TerminalResult>;
}

/** Runs the built binary in a real pseudo-terminal, its three streams connected to it. */
export function openTerminal(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
  return openTerminalWith([...program, ...args], options);
}

/** Like `openTerminal`, with any command. */
export async function openTerminalWith(command: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
  const { columns = 80, rows = 24, term = "xterm-256color", environment = {}, timeLimitMs = 60_000 } = options;
  const home = makeTemporaryDirectory();
  const script = join(projectRoot, "test", "python", "terminal.py");
  const child = spawn(await provideTool("python"), [script, JSON.stringify({ columns, rows }), ...command], {
    cwd: options.cwd ?? home,
    env: { ...cleanEnvironment(home), TERM: term, ...environment },
    stdio: "pipe",
  });
  if (child.pid === undefined) throw new Error("The terminal cannot be opened.");
  // The end of the terminal's process hangs up on the command.
  const spare = caretaker.killAtEnd(child.pid);

  const transcript = makeTranscript();
  let report = "";
  child.stdout.setEncoding("utf8").on("data", transcript.append);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    report += text;
  });
  child.stdin.on("error", () => undefined);

  const result = new Promise<TerminalResult>((resolve, reject) => {
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeLimitMs);
    child.once("exit", spare);
    child.once("close", () => {
      clearTimeout(limit);
      removeTemporaryDirectory(home);
      transcript.end();
      const output = transcript.text();
      try {
        searchOutput(output, command);
      } catch (error) {
        return reject(error);
      }
      if (late) return reject(new Error(`Not over after ${timeLimitMs / 1000} s: ${command.join(" ")}\n${output}`));
      const [last = ""] = report.trimEnd().split("\n").slice(-1);
      const status = parseStatus(last);
      return status === undefined
        ? reject(new Error(`The terminal failed:\n${report}`))
        : resolve({ ...status, output });
    });
  });

  return {
    output: transcript.text,
    waitFor: transcript.waitFor,
    type: (keys) => {
      child.stdin.write(keys);
    },
    result,
  };
}

function parseStatus(line: string): { exitCode: number | null; signal: number | null } | undefined {
  const match = /^\{"code": (\d+|null), "signal": (\d+|null)\}$/.exec(line);
  if (match === null) return undefined;
  const [, code = "null", signal = "null"] = match;
  return {
    exitCode: code === "null" ? null : Number(code),
    signal: signal === "null" ? null : Number(signal),
  };
}
