import { countOf } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { RunOptions } from "../../model/run-options.js";
import { ledgersOf, type RunRecord, tooManyFailed } from "../../model/run-record.js";
import { maxLineLength, showable } from "../../model/showable.js";
import { buildReport } from "../../report/build-report.js";
import { exitCodeOf, exitCodeOfError, explainError } from "../../report/exit-code.js";
import type { reportPage } from "../../report/page/report-page.js";
import type { PageFile } from "../../report/page-file.js";
import { type ReportFile, toStdout } from "../../report/report-file.js";
import type { Report } from "../../report/schema/report-schema.js";
import { summaryText } from "../../report/summary/summary.js";
import { textStyle } from "../../report/text-style.js";
import type { LogFacts, Say } from "../progress/log-line.js";
import { isColored, type RunContext } from "../run-context.js";
import { screenColumns } from "../screen-columns.js";
import type { StopRequest } from "../stop-signals.js";
import { exitLine, mendLine, nextLine } from "./last-line.js";
import { mendStep, nextStep } from "./next-step.js";
import { whyExit, whyExitAlone } from "./why-exit.js";

/** A run after its last step. */
export interface EndedRun {
  readonly options: RunOptions;
  readonly context: RunContext;
  readonly record: RunRecord;
  readonly stop: StopRequest;
  /** Absent if no report file is wanted, or none could be created. */
  readonly reportFile: ReportFile | undefined;
  /** Absent if no page is wanted, or none could be created. */
  readonly page: { readonly file: PageFile; readonly make: typeof reportPage } | undefined;
  readonly say: Say;
}

/** The command whose outcomes and summary a task has. */
export function commandOf(task: RunContext["task"]): SessionCommand {
  return task === "copy" || task === "verify" ? task : "purge";
}

/** Writes the report file, then errors, the closing words and JSON. Returns the exit code. */
export function finishRun(run: EndedRun): number {
  const { options, record, reportFile, page, say } = run;
  const { output } = options;

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
  sayClosingWords(run, report);
  if (output.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.exitCode;
}

/** Errors, the summary, and what to do next or why the run ends. `--quiet` leaves one line at most. */
function sayClosingWords(run: EndedRun, report: Report): void {
  const { options, context, record, say } = run;
  const { output } = options;
  const style = textStyle(isColored(output));
  const command = commandOf(context.task);
  const purges = command === "copy" && options.removal.purge;
  const { exitCode } = report;
  const unfinished = { command, report, errors: record.errors, maxFailed: options.run.maxFailed, purges };
  const facts = endFacts(report);
  if (output.quiet) {
    say("end", exitCode === 0 ? "" : exitLine(exitCode, whyExitAlone(unfinished), style), facts);
    return;
  }
  for (const error of record.errors) {
    say("error", explainError(error), { exitCode: exitCodeOfError(error) });
  }
  if (reachedSessions(report)) {
    const { notes, memoryNeeded } = record;
    const summary = { command, report, reportPath: output.report, purges, memoryNeeded, notes };
    say("summary", summaryText(summary, screenColumns(), style).trimEnd());
  }
  const reported = { options, context, report };
  const mend = exitCode === 0 ? undefined : mendStep(reported, record.ledger.counts.inDoubt);
  const lines = [
    ...(mend === undefined ? [] : [mendLine(mend)]),
    exitCode === 0 ? nextLine(nextStep(reported)) : exitLine(exitCode, whyExit(unfinished), style),
  ];
  say("end", lines.join("\n"), facts);
}

/** What a program wants to know of the end, without a second file to read. */
function endFacts({ command, dryRun, exitCode, outcome, listed, sessions, seconds }: Report): LogFacts {
  return { command, dryRun, exitCode, outcome, listed, sessions, seconds };
}

function reportOf({ options, context, record, stop }: EndedRun): Report {
  const { output, run, source, target } = options;
  // These purges remove every session: a file that holds none stays, which is not their failure.
  const removesAll = context.task === "purge-unconditionally" || context.task === "purge-unverified";
  const failedTooMany = !removesAll && tooManyFailed(record, run.maxFailed);
  const exitCode = exitCodeOf(record, failedTooMany, stop.reason());
  const warnings = [...record.warnings, ...record.errors.map(explainError)].map((warning) =>
    showable(warning, maxLineLength),
  );
  const { version, command } = context;
  const { dryRun } = run;
  const facts = { version, command, dryRun, exitCode, warnings, settings: options.shown };
  const taken = { shard: source.shard, prefix: target.prefix };
  return buildReport({ ...facts, ...taken, showIds: output.showIds }, record);
}

/** Whether there is anything to sum up. A run refused before its first session has said why. */
function reachedSessions({ exitCode, sessions }: Report): boolean {
  return exitCode === 0 || sessions.found > 0 || sessions.unvisited > 0;
}
