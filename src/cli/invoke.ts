import type { RunContext } from "../library/run-context.js";
import { SettingsError } from "../model/errors.js";
import { thisMachine } from "../settings/machine.js";
import type { TypedFlags } from "../settings/setting-sources.js";
import { parseCommandLine } from "./command-line/parse-command-line.js";
import type { Say } from "./progress/log-line.js";
import { answerStateRequests } from "./progress/state-signals.js";
import { screenColumns } from "./screen.js";
import { asksForJsonLines, asksForQuiet } from "./unparsed.js";

/** Help is no wider, so that lines stay readable. */
const maxColumns = 100;

/** Does what a command line asks for. Returns the exit code; throws if it refuses to begin. */
export async function invoke(commandLine: readonly string[], version: string): Promise<number> {
  const columns = Math.min(screenColumns(process.stdout), maxColumns);
  const invocation = parseCommandLine(commandLine, version, columns);
  if (invocation.kind === "none") {
    const wantsHelp = !asksForQuiet(commandLine) && !asksForJsonLines(commandLine);
    if (wantsHelp) process.stderr.write(`${invocation.text}\n`);
    throw new SettingsError("no command given");
  }
  if ("text" in invocation) {
    process.stdout.write(invocation.text);
    return 0;
  }
  if (invocation.kind === "completion") {
    const { completionScript } = await import("./completion/completion-script.js");
    process.stdout.write(completionScript(invocation.shell));
    return 0;
  }
  const { kind, typed } = invocation;
  if (kind === "stop-after-init") return stopAfterInit(typed, version);
  if (kind === "report") {
    const { reportCommand } = await import("./report-command.js");
    return reportCommand(invocation.files, typed, version);
  }
  if (kind === "inspect" || kind === "check") return look(kind, typed, version);
  const task = kind === "purge" && typed.unverified === true ? "purge-unverified" : kind;
  const isReverse = kind === "verify" && typed.reverse === true;
  return run(typed, { command: kind, task: isReverse ? "verify-reverse" : task, version });
}

/** Looks at the session directory, and for `check` at Redis, and changes nothing. */
async function look(command: "inspect" | "check", typed: TypedFlags, version: string): Promise<number> {
  const { resolveRunOptions } = await import("../settings/resolve-options.js");
  const options = resolveRunOptions(command, typed, thisMachine);
  answerStateRequests(() => void process.stderr.write(`${command} is at work\n`));
  if (command === "inspect") {
    const { inspectCommand } = await import("./inspect-command.js");
    return inspectCommand(options, version);
  }
  const { checkCommand } = await import("./check-command.js");
  return checkCommand(options, version);
}

/** The pre-deploy step: does what the variables say. */
async function stopAfterInit(typed: TypedFlags, version: string): Promise<number> {
  const { resolveStepSwitches } = await import("../settings/resolve-options.js");
  const { stepSwitches, isAnySet } = await import("../settings/variable-families.js");
  const { redis, copyExisting, purgeExisting } = resolveStepSwitches(process.env);
  const areOdoos =
    !isAnySet(stepSwitches, "variable", process.env) && isAnySet(stepSwitches, "odooVariable", process.env);
  const start = areOdoos ? "ODOO_SESSION_REDIS" : "TELE_SESSION_REDIS";
  if (!redis) return doNothing(typed, `${start} is off`, version);
  const command = "stop-after-init";
  if (copyExisting) {
    return run(purgeExisting ? { ...typed, purge: true } : typed, { command, task: "copy", version });
  }
  if (purgeExisting) return run(typed, { command, task: "purge-unconditionally", version });
  const switches = ["COPY", "PURGE"].map((verb) => `${start}_${verb}_EXISTING_FS_SESSIONS`);
  return doNothing(typed, `${switches.join(" and ")} are off`, version);
}

async function run(typed: TypedFlags, context: RunContext): Promise<number> {
  const command = context.command === "stop-after-init" ? "copy" : context.command;
  const { resolveRunOptions } = await import("../settings/resolve-options.js");
  const options = resolveRunOptions(command, typed, thisMachine);
  const { runCommand } = await import("./run-command.js");
  return runCommand(options, context);
}

/** The pre-deploy step with its switches off: says so, and still writes a report. */
async function doNothing(typed: TypedFlags, reason: string, version: string): Promise<number> {
  const { json, quiet, report: path, html, logFormat } = typed;
  const { buildReport } = await import("../report/build-report.js");
  const { warnOfUnknownVariables } = await import("../settings/unknown-variables.js");
  const { jsonLines, textLines } = await import("./progress/log-line.js");
  const { textStyle } = await import("../report/text-style.js");
  const { stepLine } = await import("./closing/last-line.js");
  const { EndFiles } = await import("./closing/end-files.js");
  const { reportMetrics } = await import("../report/metrics/metrics-text.js");
  const { terminationText } = await import("../report/termination-log.js");
  const format = logFormat === "json" ? jsonLines : textLines(textStyle(false));
  const say: Say = (...line) => void process.stderr.write(format(...line));
  const warnings = warnOfUnknownVariables(process.env);
  const report = buildReport({ command: "stop-after-init", version, exitCode: 0, warnings });
  if (typeof path === "string") {
    const { ReportFile } = await import("../report/report-file.js");
    new ReportFile(path).finish(report);
  }
  if (typeof html === "string") {
    const { PageFile } = await import("../report/page-file.js");
    const { reportPage } = await import("../report/page/report-page.js");
    new PageFile(html).finish(reportPage(report, null));
  }
  const summary = `Nothing to do: ${reason}.`;
  const next = stepLine({ say: "nothing more to do" });
  const pathOf = (value: TypedFlags["report"]) => (typeof value === "string" ? value : null);
  const endFiles = new EndFiles();
  endFiles.open({ metricsFile: pathOf(typed.metricsFile), terminationLog: pathOf(typed.terminationLog) });
  endFiles.writeMetrics(() => reportMetrics(report));
  endFiles.writeWords(() => terminationText({ errors: [], summary, end: next }, warnings, 0));
  for (const warning of warnings) say("warning", warning);
  if (quiet !== true) say("summary", summary);
  say("end", quiet === true ? "" : next, { exitCode: 0, outcome: "complete" });
  if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
}
