import { readFileSync } from "node:fs";
import { SettingsError } from "../model/errors.js";
import { showable } from "../model/showable.js";
import { buildReport } from "./build-report.js";
import { conductRun, type RunContext } from "./conduct-run.js";
import { resolveCopySettings, resolveStepSwitches } from "./copy-settings.js";
import { exitCodeOf, explainError } from "./exit-code.js";
import { fileSystemReader } from "./file-system-reader.js";
import { type Invocation, parseCommandLine } from "./program.js";
import { newRunRecord, secondsOf } from "./run-record.js";

const oldestNode = 20;
const defaultColumns = 100;

/** Runs a command line, without the program's name, and sets the process's exit code. */
export async function main(commandLine: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endOutputOnly);
  process.on("uncaughtException", dieOfBug);
  process.exitCode = await exitCodeOfRun(commandLine);
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
  const context = contextOf(invocation.kind, version);
  if (invocation.kind === "stop-after-init") {
    const { redis, copyExisting } = resolveStepSwitches(process.env);
    if (!redis || !copyExisting) {
      const variable = redis ? "TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS" : "TELE_SESSION_REDIS";
      process.stderr.write(`Nothing to do: ${variable} is off.\n`);
      return 0;
    }
  }
  const settings = resolveCopySettings(invocation.typed, process.env, fileSystemReader);
  return conductRun(settings, context);
}

/** Says why nothing was begun, also to whoever reads JSON. */
function refuse(error: unknown, commandLine: readonly string[], version: string): number {
  const exitCode = exitCodeOf({ errors: [error], signal: undefined, tooManyFailed: false });
  const message = explainError(error);
  process.stderr.write(`tele-sessions: ${message}\n`);
  if (commandLine.includes("--json")) {
    const record = newRunRecord(() => undefined);
    const warnings = [showable(message, 4096)];
    const command = commandLine.includes("--stop-after-init") ? "stop-after-init" : "copy";
    const facts = { ...record, version, command, dryRun: false, showIds: false, prefix: null, warnings };
    const report = buildReport(
      { ...facts, seconds: secondsOf(record) },
      record.ledger,
      record.tally,
      exitCode,
    );
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  return exitCode;
}

function contextOf(command: RunContext["command"], version: string): RunContext {
  const { env } = process;
  const language = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    command,
    version,
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

/** A reader that went away (`| head`) ends output, not the run. */
function endOutputOnly(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function dieOfBug(error: unknown): never {
  process.stderr.write(`tele-sessions: ${explainError(error)}\n`);
  process.exit(
    exitCodeOf({
      errors: [new Error("unexpected", { cause: error })],
      signal: undefined,
      tooManyFailed: false,
    }),
  );
}
