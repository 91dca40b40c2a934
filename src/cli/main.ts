import { readFileSync } from "node:fs";
import { newRunRecord, secondsOf } from "../migrate/run-record.js";
import { ReportError, SettingsError } from "../model/errors.js";
import { outcomesOf } from "../model/outcome.js";
import { showable } from "../model/showable.js";
import { buildReport, type RunReport } from "./build-report.js";
import { resolveCommandSettings, resolveStepSwitches } from "./command-settings.js";
import type { RunContext } from "./conduct-run.js";
import { endedBy, exitCodeOf, explainError, worstOf } from "./exit-code.js";
import { fileSystemReader } from "./file-system-reader.js";
import { type Invocation, parseCommandLine } from "./program.js";
import { ReportFile } from "./report-file.js";
import type { Task } from "./run-task.js";
import { type ConnectedCommand, connectedCommands } from "./setting-definition.js";
import type { TypedSettings } from "./settings.js";

const oldestNode = 20;
const defaultColumns = 100;
const longestWarning = 4096;

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

async function exitCodeOfRun(commandLine: readonly string[]): Promise<number> {
  const version = packageVersion();
  try {
    refuseOldNode();
    const invocation = parseCommandLine(commandLine, {
      version,
      columns: process.stdout.columns ?? defaultColumns,
    });
    return await invoke(invocation, version);
  } catch (error) {
    return refuse(error, commandLine, version);
  }
}

async function invoke(invocation: Invocation, version: string): Promise<number> {
  if ("text" in invocation) {
    process.stdout.write(invocation.text);
    return 0;
  }
  const { kind, typed } = invocation;
  if (kind !== "stop-after-init") return conduct(kind, taskOf(kind, typed), typed, version);
  const { redis, copyExisting, purgeExisting } = resolveStepSwitches(process.env);
  if (!redis) return doNothing(typed, "TELE_SESSION_REDIS is off", version);
  if (copyExisting) {
    return conduct(kind, "copy", purgeExisting ? { ...typed, purge: true } : typed, version);
  }
  if (purgeExisting) return conduct(kind, "purge-unconditionally", typed, version);
  const switches = ["COPY", "PURGE"].map((verb) => `TELE_SESSION_REDIS_${verb}_EXISTING_FS_SESSIONS`);
  return doNothing(typed, `${switches.join(" and ")} are off`, version);
}

function taskOf(command: ConnectedCommand, typed: TypedSettings): Task {
  return command === "purge" && typed.unverified === true ? "purge-unverified" : command;
}

async function conduct(
  command: RunContext["command"],
  task: Task,
  typed: TypedSettings,
  version: string,
): Promise<number> {
  const settingsOf = command === "stop-after-init" ? "copy" : command;
  const settings = resolveCommandSettings(settingsOf, typed, process.env, fileSystemReader);
  const { conductRun } = await import("./conduct-run.js");
  return conductRun(settings, contextOf(command, task, version));
}

/** The pre-deploy step where a switch is off: says so, and leaves the report of a run that had nothing to do. */
function doNothing({ json, quiet, report: path }: TypedSettings, reason: string, version: string): number {
  const report = emptyReport("stop-after-init", version, [], 0);
  if (typeof path === "string") new ReportFile(path).finish(report);
  if (quiet !== true) process.stderr.write(`Nothing to do: ${reason}.\n`);
  if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
}

/** Says why nothing was begun, also to whoever reads JSON. */
function refuse(error: unknown, commandLine: readonly string[], version: string): number {
  const exitCode = exitCodeOf(endedBy(error));
  const message = explainError(error);
  process.stderr.write(`tele-sessions: ${message}\n`);
  if (commandLine.includes("--json")) {
    const named = connectedCommands.find((name) => commandLine.includes(name)) ?? "copy";
    const command = commandLine.includes("--stop-after-init") ? "stop-after-init" : named;
    const report = emptyReport(command, version, [showable(message, longestWarning)], exitCode);
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  return exitCode;
}

/** The report of a run that touched nothing. */
function emptyReport(
  command: string,
  version: string,
  warnings: readonly string[],
  exitCode: number,
): RunReport {
  const kinds = command === "purge" || command === "verify" ? outcomesOf[command] : outcomesOf.copy;
  const record = newRunRecord(kinds, () => undefined);
  const facts = { ...record, version, command, dryRun: false, showIds: false, prefix: null, warnings };
  return buildReport({ ...facts, seconds: secondsOf(record) }, record.ledger, record.tally, exitCode);
}

function contextOf(command: RunContext["command"], task: Task, version: string): RunContext {
  const { env } = process;
  const language = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    command,
    task,
    version,
    stdin: process.stdin,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    terminal: process.stderr,
    unicode: /utf-?8/i.test(language) && env["TERM"] !== "linux",
    terminalType: env["TERM"],
  };
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
