import { countOf } from "../model/number-text.js";
import type { FailureReason, SessionCommand } from "../model/outcome.js";
import type { Allowance, RunOptions } from "../model/run-options.js";
import { ledgersOf, type RunRecord, tooManyFailed } from "../model/run-record.js";
import { maxLineLength, showable } from "../model/showable.js";
import { buildReport } from "../report/build-report.js";
import { exitCodeOf, exitCodeOfError, explainError, explainExitCode } from "../report/exit-code.js";
import type { reportPage } from "../report/page/report-page.js";
import type { PageFile } from "../report/page-file.js";
import { type ReportFile, toStdout } from "../report/report-file.js";
import type { Report } from "../report/schema/report-schema.js";
import { summaryText } from "../report/summary.js";
import { type TextStyle, textStyle } from "../report/text-style.js";
import type { LogFacts, Say } from "./progress/log-line.js";
import { isColored, type RunContext } from "./run-context.js";
import type { StopRequest } from "./stop-signals.js";

/** A run after its last step. */
export interface EndedRun {
  readonly options: RunOptions;
  readonly context: RunContext;
  readonly record: RunRecord;
  readonly stop: StopRequest;
  /** Absent if no report file is wanted, or none could be created. */
  readonly reportFile: ReportFile | undefined;
  readonly say: Say;
  /** Absent if no page is wanted, or none could be created. */
  readonly page: { readonly file: PageFile; readonly make: typeof reportPage } | undefined;
}

/** The command whose outcomes and summary a task has. */
export function commandOf(task: RunContext["task"]): SessionCommand {
  return task === "copy" || task === "verify" ? task : "purge";
}

/** Writes the report file, then errors, summary, exit code and JSON. Returns the exit code. */
export function finishRun(run: EndedRun): number {
  const { options, context, record, reportFile, page, say } = run;
  const { output } = options;
  const style = textStyle(isColored(output));

  const sessionWarnings = ledgersOf(record).flatMap(({ warnings }) => [...warnings]);
  for (const [text, count] of sessionWarnings) {
    const warning = `${countOf(count, "time")}: ${text}`;
    record.warnings.push(warning);
    if (!output.quiet) say("warning", warning);
  }
  try {
    reportFile?.finish(reportOf(run));
  } catch (error) {
    record.errors.push(error);
  }
  try {
    const reportPath = output.report === toStdout ? null : output.report;
    page?.file.finish(page.make(page.file.withFindings(reportOf(run)), reportPath));
  } catch (error) {
    record.errors.push(error);
  }
  // Built again, because it may have to report that its own file failed.
  const report = reportOf(run);
  const { exitCode } = report;
  for (const error of record.errors) {
    say("error", explainError(error), { exitCode: exitCodeOfError(error) });
  }
  if (!output.quiet && reachedSessions(report)) {
    const command = commandOf(context.task);
    const summary = { command, report, reasons: failureReasonsOf(record), reportPath: output.report };
    say("summary", [summaryText(summary, style), ...record.notes].join("\n"));
  }
  say("end", lastLineOf(report, options.run.maxFailed, style), endFacts(report));
  if (output.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return exitCode;
}

/** Why a run ended as it did; empty if all is well. */
function lastLineOf(report: Report, maxFailed: Allowance, style: TextStyle): string {
  const { exitCode } = report;
  if (exitCode === 0) return "";
  const why = exitCode === 1 ? tooManyFailedText(report, maxFailed) : explainExitCode(exitCode).meaning;
  return `${style.bad(`Exit ${exitCode}:`)} ${why}`;
}

/** What a program wants to know of the end, without a second file to read. */
function endFacts({ command, dryRun, exitCode, outcome, listed, sessions, seconds }: Report): LogFacts {
  return { command, dryRun, exitCode, outcome, listed, sessions, seconds };
}

function reportOf({ options, context, record, stop }: EndedRun): Report {
  const { output, run, target } = options;
  // These purges remove every session: a file that holds none stays, which is not their failure.
  const removesAll = context.task === "purge-unconditionally" || context.task === "purge-unverified";
  const failedTooMany = !removesAll && tooManyFailed(record, run.maxFailed);
  const exitCode = exitCodeOf(record, failedTooMany, stop.reason());
  const warnings = [...record.warnings, ...record.errors.map(explainError)].map((warning) =>
    showable(warning, maxLineLength),
  );
  const { version, command } = context;
  const { dryRun } = run;
  const facts = { version, command, dryRun, exitCode, warnings };
  return buildReport({ ...facts, showIds: output.showIds, prefix: target.prefix }, record);
}

/** Whether there is anything to sum up. A run refused before its first session has said why. */
function reachedSessions({ exitCode, sessions }: Report): boolean {
  return exitCode === 0 || sessions.found > 0 || sessions.unvisited > 0;
}

/** How many sessions failed in any pass, by reason. */
function failureReasonsOf(record: RunRecord): ReadonlyMap<FailureReason, number> {
  const reasons = new Map<FailureReason, number>();
  for (const { counts } of ledgersOf(record)) {
    for (const [reason, count] of counts.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  return reasons;
}

function tooManyFailedText({ failures, failuresOmitted }: Report, allowed: Allowance): string {
  const failed = countOf(failures.length + failuresOmitted, "session");
  const allowance = "count" in allowed ? allowed.count : `${allowed.percent}%`;
  return `${failed} failed, more than --max-failed ${allowance} allows`;
}
