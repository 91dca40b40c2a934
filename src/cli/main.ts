import { readFileSync } from "node:fs";
import { ReportError, SettingsError } from "../model/errors.js";
import { endedBy, exitCodeOf, explainError, worstOf } from "../report/exit-code.js";

const oldestNode = 20;

/** Runs a command line, without the program's name, and sets the process's exit code. */
export async function main(commandLine: readonly string[]): Promise<void> {
  // Neither a reader that went away (`| head`) nor a full disk behind stderr ends the run.
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", noteLostOutput);
  process.on("uncaughtException", dieOfBug);
  settleOn(await exitCodeOfRun(commandLine));
}

/** Ends the process with this code, unless a worse one is settled already. */
function settleOn(exitCode: number): void {
  process.exitCode = worstOf([exitCode, ...(typeof process.exitCode === "number" ? [process.exitCode] : [])]);
}

/** Modules are loaded by whoever needs them, when it does: starting takes longer than most of what a command line may ask for. */
async function exitCodeOfRun(commandLine: readonly string[]): Promise<number> {
  const version = packageVersion();
  try {
    refuseOldNode();
    if (commandLine.length === 1 && ["--version", "-V"].includes(commandLine[0] ?? "")) {
      process.stdout.write(`${version}\n`);
      return 0;
    }
    const { invoke } = await import("./invoke.js");
    return await invoke(commandLine, version);
  } catch (error) {
    const { refuse } = await import("./refuse.js");
    return refuse(error, commandLine, version);
  }
}

function refuseOldNode(): void {
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    throw new SettingsError(`Node ${process.versions.node} is too old: ${oldestNode} or later is needed`);
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version }: { version: string } = JSON.parse(text);
  return version;
}

/** A stdout that a full disk stands behind is a report that could not be written; it shows before the run's end or after it. */
function noteLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  const lost = new ReportError(`stdout could not be written (${error.code})`);
  process.stderr.write(`tele-sessions: ${lost.message}\n`);
  settleOn(exitCodeOf(endedBy(lost)));
}

function dieOfBug(error: unknown): never {
  process.stderr.write(`tele-sessions: ${explainError(error)}\n`);
  process.exit(exitCodeOf(endedBy(new Error("unexpected", { cause: error }))));
}
