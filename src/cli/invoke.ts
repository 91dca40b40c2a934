import type { Task } from "../migrate/run.js";
import { fileSystemReader } from "../settings/file-system-reader.js";
import type { TypedFlags } from "../settings/read-settings.js";
import type { ConnectedCommand } from "../settings/setting-definition.js";
import type { RunContext } from "./conduct-run.js";
import { parseCommandLine } from "./program.js";

const defaultColumns = 100;

/** Does what a command line asks for, and gives back the exit code. Throws where it is refused before anything is begun. */
export async function invoke(commandLine: readonly string[], version: string): Promise<number> {
  const columns = process.stdout.columns ?? defaultColumns;
  const invocation = parseCommandLine(commandLine, { version, columns });
  if ("text" in invocation) {
    process.stdout.write(invocation.text);
    return 0;
  }
  const { kind, typed } = invocation;
  if (kind !== "stop-after-init") return conduct(kind, taskOf(kind, typed), typed, version);
  const { resolveStepSwitches } = await import("../settings/resolve-options.js");
  const { redis, copyExisting, purgeExisting } = resolveStepSwitches(process.env);
  const { stepSwitches, isAnySet } = await import("../settings/variable-families.js");
  const areOdoos =
    !isAnySet(stepSwitches, "variable", process.env) && isAnySet(stepSwitches, "odooVariable", process.env);
  const start = areOdoos ? "ODOO_SESSION_REDIS" : "TELE_SESSION_REDIS";
  if (!redis) return doNothing(typed, `${start} is off`, version);
  if (copyExisting) {
    return conduct(kind, "copy", purgeExisting ? { ...typed, purge: true } : typed, version);
  }
  if (purgeExisting) return conduct(kind, "purge-unconditionally", typed, version);
  const switches = ["COPY", "PURGE"].map((verb) => `${start}_${verb}_EXISTING_FS_SESSIONS`);
  return doNothing(typed, `${switches.join(" and ")} are off`, version);
}

function taskOf(command: ConnectedCommand, typed: TypedFlags): Task {
  return command === "purge" && typed.unverified === true ? "purge-unverified" : command;
}

async function conduct(
  command: RunContext["command"],
  task: Task,
  typed: TypedFlags,
  version: string,
): Promise<number> {
  const settingsOf = command === "stop-after-init" ? "copy" : command;
  const { resolveRunOptions } = await import("../settings/resolve-options.js");
  const settings = resolveRunOptions(settingsOf, typed, process.env, fileSystemReader);
  const { conductRun } = await import("./conduct-run.js");
  return conductRun(settings, contextOf(command, task, version));
}

/** The pre-deploy step where a switch is off: says so, and leaves the report of a run that had nothing to do. */
async function doNothing(
  { json, quiet, report: path }: TypedFlags,
  reason: string,
  version: string,
): Promise<number> {
  const { emptyReport } = await import("../report/empty-report.js");
  const { warnOfUnknownVariables } = await import("../settings/unknown-variables.js");
  const warnings = warnOfUnknownVariables(process.env);
  const report = emptyReport("stop-after-init", version, warnings, 0);
  if (typeof path === "string") {
    const { ReportFile } = await import("../report/report-file.js");
    new ReportFile(path).finish(report);
  }
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  if (quiet !== true) process.stderr.write(`Nothing to do: ${reason}.\n`);
  if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
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
