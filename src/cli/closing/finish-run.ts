import { type PreparedRun, reportOf } from "../../library/perform-run.js";
import { commandOf } from "../../library/run-context.js";
import type { StopRequest } from "../../library/stop-request.js";
import { exitCodeOfError, explainError } from "../../report/exit-code.js";
import type { reportPage } from "../../report/page/report-page.js";
import type { PageFile } from "../../report/page-file.js";
import { type ReportFile, toStdout } from "../../report/report-file.js";
import type { Report } from "../../report/schema/report-schema.js";
import { summaryText } from "../../report/summary/summary.js";
import { textStyle } from "../../report/text-style.js";
import { isColored } from "../is-colored.js";
import type { LogFacts, Say } from "../progress/log-line.js";
import { screenColumns } from "../screen-columns.js";
import { exitLine, mendLine, nextLine } from "./last-line.js";
import { mendStep, nextStep } from "./next-step.js";
import { whyExit, whyExitAlone } from "./why-exit.js";

/** A run after its last step. */
export interface EndedRun {
  readonly run: PreparedRun;
  readonly stop: StopRequest;
  /** Absent if no report file is wanted, or none could be created. */
  readonly reportFile: ReportFile | undefined;
  /** Absent if no page is wanted, or none could be created. */
  readonly page: { readonly file: PageFile; readonly make: typeof reportPage } | undefined;
  readonly say: Say;
}

/** Writes the report file, then errors, the closing words and JSON. Returns the exit code. */
export function finishRun({ run, stop, reportFile, page, say }: EndedRun): number {
  const { record } = run;
  const { output } = run.options;
  const report = () => reportOf(run, stop.reason());
  try {
    reportFile?.finish(report());
  } catch (error) {
    record.errors.push(error);
  }
  try {
    const reportPath = output.report === toStdout ? null : output.report;
    page?.file.finish(page.make(page.file.withFindings(report()), reportPath));
  } catch (error) {
    record.errors.push(error);
  }
  // Made again, because it may have to report that its own file failed.
  const last = report();
  sayClosingWords(run, last, say);
  if (output.json) process.stdout.write(`${JSON.stringify(last)}\n`);
  return last.exitCode;
}

/** Errors, the summary, and what to do next or why the run ends. `--quiet` leaves one line at most. */
function sayClosingWords({ options, context, record }: PreparedRun, report: Report, say: Say): void {
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

/** Whether there is anything to sum up. A run refused before its first session has said why. */
function reachedSessions({ exitCode, sessions }: Report): boolean {
  return exitCode === 0 || sessions.found > 0 || sessions.unvisited > 0;
}
