import { version } from "../library/version.js";
import { ReportError, SettingsError, systemReason } from "../model/errors.js";
import { exitCodeOfError, explainError, explainExitCode, worstOf } from "../report/exit-code.js";
import { listenForStateRequests } from "./progress/state-signals.js";

/** For programs that import the package: one bundle holds it all, each module once. */
export * from "../library/index.js";

const minNode = 20;

/** Runs a command line, given without the program's name, and sets the exit code of the process. */
export async function main(commandLine: readonly string[]): Promise<void> {
  // NO_COLOR wins. With both, Node from 22 on warns on stderr as soon as something loads `assert`.
  if (process.env["NO_COLOR"]) delete process.env["FORCE_COLOR"];
  // Neither a reader that goes away (`| head`) nor a full disk under stderr ends the run.
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", noteLostOutput);
  process.on("uncaughtException", dieOfBug);
  listenForStateRequests();
  endWith(await exitCodeOfRun(commandLine));
}

/** Sets the exit code, unless a worse one is set already. */
function endWith(exitCode: number): void {
  process.exitCode = worstOf([exitCode, Number(process.exitCode ?? 0)]);
}

/** Loads modules late: loading them all takes longer than most of what a command line asks for. */
async function exitCodeOfRun(commandLine: readonly string[]): Promise<number> {
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
  if (Number.parseInt(process.versions.node, 10) < minNode) {
    throw new SettingsError(`Node ${process.versions.node} is too old: install Node ${minNode} or later`);
  }
}

/** Treats an error on stdout, such as a full disk, as a lost report. It may come after the run. */
function noteLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  endWith(sayLast(new ReportError(`stdout could not be written: ${systemReason(error)}`)));
}

function dieOfBug(error: unknown): never {
  process.exit(sayLast(error));
}

/** Says an error that nothing else can say any more. Returns its exit code. */
function sayLast(error: unknown): number {
  const exitCode = exitCodeOfError(error);
  const { meaning } = explainExitCode(exitCode);
  process.stderr.write(`error: ${explainError(error)}\nExit ${exitCode}: ${meaning}\n`);
  return exitCode;
}
