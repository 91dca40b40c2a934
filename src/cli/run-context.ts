import type { Task } from "../migrate/run.js";
import type { RunOptions } from "../model/run-options.js";
import type { ConnectedCommand } from "../settings/setting-definition.js";

/** What surrounds a run: what was asked for, and the process's streams. */
export interface RunContext {
  /** As the report names it. */
  readonly command: ConnectedCommand | "stop-after-init";
  readonly task: Task;
  readonly version: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly terminal: NodeJS.WriteStream;
  /** Whether the terminal shows block characters. */
  readonly unicode: boolean;
  /** `TERM`; undefined if it is not set. */
  readonly terminalType: string | undefined;
}

/** The context of a run in this process. */
export function processContext(command: RunContext["command"], task: Task, version: string): RunContext {
  const { env } = process;
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    command,
    task,
    version,
    stdin: process.stdin,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    terminal: process.stderr,
    unicode: /utf-?8/i.test(locale) && env["TERM"] !== "linux",
    terminalType: env["TERM"],
  };
}

/** Whether the terminal is one that a person can watch and that understands control sequences. */
export function isCapable({ terminal, terminalType }: RunContext): boolean {
  return terminal.isTTY === true && terminalType !== "dumb";
}

export function isColored({ color }: RunOptions["output"], context: RunContext): boolean {
  return color === "auto" ? isCapable(context) : color === "always";
}
