import { countOf } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { RunOptions } from "../../model/run-options.js";
import { ledgersOf, type RunRecord, tooManyFailed } from "../../model/run-record.js";
import { maxLineLength, showable } from "../../model/showable.js";
import { buildReport } from "../../report/build-report.js";
import { exitCodeOf, exitCodeOfError, explainError } from "../../report/exit-code.js";
import { reportMetrics } from "../../report/metrics/metrics-text.js";
import type { reportPage } from "../../report/page/report-page.js";
import type { PageFile } from "../../report/page-file.js";
import { type ReportFile, toStdout } from "../../report/report-file.js";
import type { Report } from "../../report/schema/report-schema.js";
import { summaryText } from "../../report/summary/summary.js";
import { type ClosingWords, terminationText } from "../../report/termination-log.js";
import { type TextStyle, textStyle } from "../../report/text-style.js";
import type { LogFacts, Say } from "../progress/log-line.js";
import { isColored, type RunContext } from "../run-context.js";
import { screenColumns } from "../screen-columns.js";
import type { StopRequest } from "../stop-signals.js";
import type { EndFiles } from "./end-files.js";
import { exitLine, mendLine, nextLine } from "./last-line.js";
import { mendStep, nextStep } from "./next-step.js";
import { type UnfinishedRun, whyExit, whyExitAlone } from "./why-exit.js";

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
  readonly endFiles: EndFiles;
  readonly say: Say;
}

/** The command whose outcomes and summary a task has. */
export function commandOf(task: RunContext["task"]): SessionCommand {
  if (task === "verify-reverse") return "verify --reverse";
  return task === "purge-unconditionally" || task === "purge-unverified" ? "purge" : task;
}

/** Writes the report file, then errors, the closing words and JSON. Returns the exit code. */
export function finishRun(run: EndedRun): number {
  const { options, record, reportFile, page, endFiles, say } = run;
  const { output } = options;

  const sessionWarnings = ledgersOf(record).flatMap(({ warnings }) => [...warnings]);
  for (const [text, count] of sessionWarnings) {
    const warning = `${countOf(count, "time")}: ${text}`;
    record.warnings.push(warning);
    if (!output.quiet) say("warning", warning);
  }
  const attempt = (write: () => void) => {
    try {
      write();
    } catch (error) {
      record.errors.push(error);
    }
  };
  attempt(() => reportFile?.finish(reportOf(run)));
  const reportPath = output.report === toStdout ? null : output.report;
  attempt(() => page?.file.finish(page.make(page.file.withFindings(reportOf(run)), reportPath)));
  attempt(() => endFiles.writeMetrics(() => reportMetrics(reportOf(run))));
  attempt(() => endFiles.writeWords(() => terminationTextOf(run)));
  // Built again, because it may have to report that its own file failed.
  const report = reportOf(run);
  sayClosingWords(run, report);
  if (output.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.exitCode;
}

/** Errors, the summary, and what to do next or why the run ends. `--quiet` leaves one line at most. */
function sayClosingWords(run: EndedRun, report: Report): void {
  const { options, record, say } = run;
  const { output } = options;
  const style = textStyle(isColored(output));
  const { exitCode } = report;
  const facts = endFacts(report);
  if (output.quiet) {
    say("end", exitCode === 0 ? "" : exitLine(exitCode, whyExitAlone(unfinished(run, report)), style), facts);
    return;
  }
  const { errors, summary, mend, end } = closingWords(run, report, style);
  for (const [index, text] of errors.entries()) {
    say("error", text, { exitCode: exitCodeOfError(record.errors[index]) });
  }
  if (summary !== "") say("summary", summary);
  say("end", mend === undefined ? end : `${mend}\n${end}`, facts);
}

function closingWords(run: EndedRun, report: Report, style: TextStyle): ClosingWords {
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
    ...(mend === undefined ? {} : { mend: mendLine(mend) }),
    end:
      exitCode === 0
        ? nextLine(nextStep(reported))
        : exitLine(exitCode, whyExit(unfinished(run, report)), style),
  };
}

function unfinished({ options, context, record }: EndedRun, report: Report): UnfinishedRun {
  const command = commandOf(context.task);
  const purges = command === "copy" && options.removal.purge;
  return { command, report, errors: record.errors, maxFailed: options.run.maxFailed, purges };
}

/** Sids are cut, even with `--show-ids`: whoever may look at the pod sees it. */
function terminationTextOf(run: EndedRun): string {
  const report = reportOf(run, false);
  return terminationText(closingWords(run, report, textStyle(false)), run.record.warnings, report.exitCode);
}

/** What a program wants to know of the end, without a second file to read. */
function endFacts({ command, dryRun, exitCode, outcome, listed, sessions, seconds }: Report): LogFacts {
  return { command, dryRun, exitCode, outcome, listed, sessions, seconds };
}

function reportOf({ options, context, record, stop }: EndedRun, showIds = options.output.showIds): Report {
  const { run, source, target } = options;
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
  return buildReport({ ...facts, ...taken, showIds }, record);
}

/** Whether there is anything to sum up. A run refused before its first session has said why. */
function reachedSessions({ exitCode, sessions }: Report): boolean {
  return exitCode === 0 || sessions.found > 0 || sessions.unvisited > 0;
}
