import { type PreparedRun, reportOf } from "../../library/perform-run.js";
import { commandOf } from "../../library/run-context.js";
import type { StopRequest } from "../../library/stop-request.js";
import { explainError } from "../../report/exit-code.js";
import { reportMetrics } from "../../report/metrics/metrics-text.js";
import type { reportPage } from "../../report/page/report-page.js";
import type { PageFile } from "../../report/page-file.js";
import { type ReportFile, toStdout } from "../../report/report-file.js";
import type { Report } from "../../report/schema/report-schema.js";
import { summaryText } from "../../report/summary/summary.js";
import { type ClosingWords, terminationText } from "../../report/termination-log.js";
import { type TextStyle, textStyle } from "../../report/text-style.js";
import type { Say } from "../progress/log-line.js";
import { isColored, screenColumns } from "../screen.js";
import { attempt, type EndFiles } from "./end-files.js";
import { exitLine, sayClosingWords, stepLine } from "./last-line.js";
import { mendStep, nextStep } from "./next-step.js";
import { type UnfinishedRun, whyExit, whyExitAlone } from "./why-exit.js";

/** A run after its last step. */
export interface EndedRun {
  readonly run: PreparedRun;
  readonly stop: StopRequest;
  /** Absent if no report file is wanted, or none could be created. */
  readonly reportFile: ReportFile | undefined;
  /** Absent if no page is wanted, or none could be created. */
  readonly page: { readonly file: PageFile; readonly make: typeof reportPage } | undefined;
  readonly endFiles: EndFiles;
  readonly say: Say;
}

/** Writes the report file, then errors, the closing words and JSON. Returns the exit code. */
export function finishRun({ run, stop, reportFile, page, endFiles, say }: EndedRun): number {
  const { output } = run.options;
  const { errors } = run.record;
  const report = (showIds = output.showIds) => reportOf(run, stop.reason(), showIds);
  attempt(errors, () => reportFile?.finish(report()));
  const reportPath = output.report === toStdout ? null : output.report;
  attempt(errors, () => page?.file.finish(page.make(page.file.withFindings(report()), reportPath)));
  attempt(errors, () => endFiles.writeMetrics(() => reportMetrics(report())));
  // Sids are cut, even with `--show-ids`: anyone who may look at the pod sees it.
  attempt(errors, () => endFiles.writeWords(() => terminationTextOf(run, report(false))));
  // Made again, because it may have to report that its own file failed.
  const last = report();
  sayEnd(run, last, say);
  if (output.json) process.stdout.write(`${JSON.stringify(last)}\n`);
  return last.exitCode;
}

/** Errors, the summary, and what to do next or why the run ends. `--quiet` leaves one line at most. */
function sayEnd(run: PreparedRun, report: Report, say: Say): void {
  const { output } = run.options;
  const style = textStyle(isColored(output));
  // What a program wants to know of the end, without a second file to read.
  const { command, dryRun, exitCode, outcome, listed, sessions, seconds } = report;
  const facts = { command, dryRun, exitCode, outcome, listed, sessions, seconds };
  if (output.quiet) {
    say("end", exitCode === 0 ? "" : exitLine(exitCode, whyExitAlone(unfinished(run, report)), style), facts);
  } else sayClosingWords(say, closingWords(run, report, style), run.record.errors, facts);
}

function closingWords(run: PreparedRun, report: Report, style: TextStyle): ClosingWords {
  const { options, context, record } = run;
  const { command, purges } = unfinished(run, report);
  const { exitCode } = report;
  const { notes, memoryNeeded } = record;
  const summarised = { command, report, reportPath: options.output.report, purges, memoryNeeded, notes };
  const reported = { options, context, report };
  const mend = exitCode === 0 ? undefined : mendStep(reported, record.ledger.counts.inDoubt);
  return {
    errors: record.errors.map(explainError),
    summary: reachedSessions(report) ? summaryText(summarised, screenColumns(), style).trimEnd() : "",
    ...(mend === undefined ? {} : { mend: stepLine(mend, "Mend") }),
    end: exitCode === 0 ? stepLine(nextStep(reported)) : exitLine(exitCode, whyExit(unfinished(run, report)), style),
  };
}

function unfinished({ options, context, record }: PreparedRun, report: Report): UnfinishedRun {
  const command = commandOf(context.task);
  const purges = command === "copy" && options.removal.purge;
  return { command, report, errors: record.errors, maxFailed: options.run.maxFailed, purges };
}

function terminationTextOf(run: PreparedRun, report: Report): string {
  return terminationText(closingWords(run, report, textStyle(false)), run.record.warnings, report.exitCode);
}

/** Whether there is anything to sum up. A run refused before its first session has said why. */
function reachedSessions({ exitCode, sessions }: Report): boolean {
  return exitCode === 0 || sessions.found > 0 || sessions.unvisited > 0;
}
