import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import type { Task } from "../migrate/run.js";
import type { RunOutput, UnconnectedRun } from "../migrate/run-context.js";
import type { LedgerCounts } from "../model/ledger.js";
import { countOf } from "../model/number-text.js";
import {
  type Difference,
  type Failure,
  type FailureReason,
  outcomesOf,
  type SessionOutcome,
} from "../model/outcome.js";
import type { Reporter } from "../model/progress.js";
import type { Allowance, RunOptions } from "../model/run-options.js";
import { forgetPass, ledgersOf, newRunRecord, type RunRecord, secondsOf } from "../model/run-record.js";
import { shortSid, showable } from "../model/showable.js";
import { tooManyFailed } from "../model/too-many-failed.js";
import { buildReport, type RunReport, reportedDifference, reportedFailure } from "../report/build-report.js";
import { exitCodeOf, explainError } from "../report/exit-code.js";
import { exitStatuses } from "../report/exit-statuses.js";
import { ReportFile } from "../report/report-file.js";
import { type Doing, summaryText } from "../report/summary.js";
import { textStyle } from "../report/text-style.js";
import type { ConnectedCommand } from "../settings/setting-definition.js";
import { resolveDirectories } from "../source/directories/resolve-directories.js";
import { canAsk } from "./ask-person.js";
import { confirmPurge } from "./confirm-purge.js";
import { confirmRemoval } from "./confirm-removal.js";
import { plainReporter } from "./plain-reporter.js";
import { listenForStop, type StopRequest } from "./stop-signals.js";

/** What a run is part of. */
export interface RunContext {
  /** As the report names it. */
  readonly command: ConnectedCommand | "stop-after-init";
  readonly task: Task;
  readonly version: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly terminal: NodeJS.WriteStream;
  /** Whether the terminal shows block characters. */
  readonly unicode: boolean;
  /** `TERM`; absent where there is none. */
  readonly terminalType: string | undefined;
}

/**
 * Tasks that remove every session file. A file that holds no session stays, and does not change the
 * exit code.
 */
const removesEverything: ReadonlySet<Task> = new Set(["purge-unconditionally", "purge-unverified"]);

/** Differences that a report holds; a report file has every one. */
const mostDifferences = 100;

/** What a task's outcomes and summary are those of. */
const doings: Readonly<Record<Task, Doing>> = {
  copy: "copy",
  purge: "purge",
  "purge-unconditionally": "purge",
  "purge-unverified": "purge",
  verify: "verify",
};

/** Runs a task from the first step to the report, whatever happens in between. Gives back the exit code. */
export async function conductRun(settings: RunOptions, context: RunContext): Promise<number> {
  const { output } = settings;
  let reportFile: ReportFile | undefined;
  const onFailure = (failure: Failure) => reportFile?.addFailure(reportedFailure(failure, output.showIds));
  const onDifference = (difference: Difference) => {
    record.differenceCount++;
    if (record.differences.length < mostDifferences) record.differences.push(difference);
    reportFile?.addDifference(reportedDifference(difference, output.showIds));
  };
  const doing = doings[context.task];
  const record = newRunRecord(outcomesOf[doing], { onFailure, onDifference });
  const beginAgain = () => {
    forgetPass(record, { onFailure, onDifference });
    reportFile?.forgetFindings();
  };
  const discardReport = () => reportFile?.discard();
  process.once("exit", discardReport);
  const reporter = await chooseReporter(settings, context);
  const stop = listenForStop(settings.run.maxDurationMs, (reason) =>
    reporter.say(
      reason === "time"
        ? "the time of --max-duration is up: finishing what is in flight"
        : `${reason}: finishing what is in flight; a second one stops at once`,
    ),
  );
  try {
    if (output.report !== null) reportFile = new ReportFile(output.report);
    if (context.task === "purge-unverified") await confirmRemoval(settings, context, stop.signal);
    const out = {
      ...outputOf(settings, record, reporter),
      onRestart: beginAgain,
      onFailure,
      onDifference,
      confirmPurge: (askPersistence: () => Promise<boolean | undefined>) =>
        askBeforePurge(askPersistence, settings, context, record, stop.signal),
    };
    await runInDirectories(context.task, { options: settings, record, out, stop: stop.signal });
  } catch (error) {
    record.errors.push(error);
  }
  const exitCode = closeBooks(settings, context, record, stop, reportFile);
  process.off("exit", discardReport);
  stop.release();
  return exitCode;
}

/** Asks before the first step of `purge` and `copy --purge`. The pre-deploy step asks nothing. */
async function askBeforePurge(
  askPersistence: () => Promise<boolean | undefined>,
  { removal, run: { dryRun } }: RunOptions,
  context: RunContext,
  { directories, redis }: RunRecord,
  stop: AbortSignal,
): Promise<void> {
  const { command } = context;
  const asks = command === "purge" || (command === "copy" && removal.purge);
  if (!asks || removal.yes || dryRun || redis === null || !canAsk(context)) return;
  const persists = await askPersistence();
  await confirmPurge({ doing: command, directories, redis, persists }, context, stop);
}

/** Does a task from the first look at the session directories to the last. Throws what ends the run. */
async function runInDirectories(task: Task, unconnected: UnconnectedRun): Promise<void> {
  const { options, record, out } = unconnected;
  record.directories = await resolveDirectories(options.source, (message) => out.warn(message, true));
  const reads = task === "copy" || task === "verify";
  const threads = reads ? startReaderThreads(options, record.directories) : [];
  try {
    // Loading ioredis takes as long as everything before it, so load it only when there is work, in parallel with the threads.
    const { runTask } = await import("../migrate/run.js");
    await runTask(task, unconnected, threads);
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

function outputOf(
  settings: RunOptions,
  record: RunRecord,
  reporter: Reporter,
): Pick<RunOutput, "reporter" | "warn" | "onOutcome"> {
  const { quiet, verbose, showIds } = settings.output;
  const warn = (message: string, lasting = false) => {
    if (record.warnings.includes(message)) return;
    record.warnings.push(message);
    if (!quiet || lasting) reporter.say(`warning: ${message}`);
  };
  for (const warning of settings.lastingWarnings) warn(warning, true);
  for (const warning of settings.warnings) warn(warning);
  const tell = ({ sid, kind, failure }: SessionOutcome) => {
    const reason = failure === undefined ? "" : ` ${failure.reason}: ${showable(failure.detail)}`;
    reporter.say(`${showIds ? sid : shortSid(sid)} ${kind}${reason}`);
  };
  return { reporter, warn, onOutcome: verbose && !quiet ? tell : () => undefined };
}

/** Writes the report, the summary and the JSON, and says what the run came to. */
function closeBooks(
  settings: RunOptions,
  context: RunContext,
  record: RunRecord,
  stop: StopRequest,
  reportFile: ReportFile | undefined,
): number {
  const { output, run, target } = settings;
  for (const { warnings } of ledgersOf(record)) {
    for (const [warning, count] of warnings) {
      const told = `${countOf(count, "time")}: ${warning}`;
      record.warnings.push(told);
      if (!output.quiet) context.stderr(`warning: ${told}\n`);
    }
  }
  const { errors, partial } = record;
  const signal = stop.received();
  const outOfTime = stop.outOfTime();
  const failedTooOften = !removesEverything.has(context.task) && tooManyFailed(record, run.maxFailed);
  const exitCode = () => exitCodeOf({ errors, signal, outOfTime, tooManyFailed: failedTooOften, partial });
  const facts = () => ({
    ...record,
    version: context.version,
    command: context.command,
    dryRun: run.dryRun,
    showIds: output.showIds,
    prefix: target.prefix,
    seconds: secondsOf(record),
    warnings: [...record.warnings, ...record.errors.map(explainError)].map((warning) =>
      showable(warning, 4096),
    ),
  });
  const report = (): RunReport => buildReport(facts(), record.ledger, record.tally, exitCode());
  try {
    reportFile?.finish(report());
  } catch (error) {
    record.errors.push(error);
  }
  const final = report();
  const style = textStyle(isColored(settings, context));
  for (const error of record.errors) context.stderr(`${style.bad("error:")} ${explainError(error)}\n`);
  if (!output.quiet && reachedSessions(final)) {
    const summary = summaryText(doings[context.task], final, summedUp(record), style, output.report);
    context.stderr(`${[summary, ...record.notes].join("\n")}\n`);
  }
  if (final.exitCode !== 0) {
    context.stderr(`${style.bad(`Exit ${final.exitCode}:`)} ${meaningOf(final, run.maxFailed)}\n`);
  }
  if (output.json) context.stdout(`${JSON.stringify(final)}\n`);
  return final.exitCode;
}

/** What an exit code other than 0 means, with the number that says it best. */
function meaningOf({ exitCode, failures, failuresOmitted }: RunReport, allowed: Allowance): string {
  if (exitCode === 1) {
    const failed = countOf(failures.length + failuresOmitted, "session");
    return `${failed} failed, more than --max-failed ${allowanceText(allowed)} allows`;
  }
  return exitStatuses.find(([code]) => code === exitCode)?.[1] ?? "";
}

function allowanceText(allowance: Allowance): string {
  return "count" in allowance ? String(allowance.count) : `${allowance.percent}%`;
}

/** The outcomes of the main pass, and the reasons of every failure. */
function summedUp(record: RunRecord): Pick<LedgerCounts, "outcomes" | "reasons"> {
  const reasons = new Map<FailureReason, number>();
  for (const { counts } of ledgersOf(record)) {
    for (const [reason, count] of counts.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  return { outcomes: record.ledger.counts.outcomes, reasons };
}

/** Whether there is anything to sum up: a run that was refused before its first session has said why. */
function reachedSessions(report: RunReport): boolean {
  return report.exitCode === 0 || report.sessions.found > 0 || report.sessions.unvisited > 0;
}

function isColored({ output }: RunOptions, { terminal, terminalType }: RunContext): boolean {
  if (output.color !== "auto") return output.color === "always";
  return terminal.isTTY === true && terminalType !== "dumb";
}

/** A bar only where a person watches a terminal that has room for it. */
async function chooseReporter(settings: RunOptions, context: RunContext): Promise<Reporter> {
  const { output } = settings;
  const { terminal, terminalType, unicode } = context;
  const live = terminal.isTTY === true && terminal.columns > 0 && terminalType !== "dumb";
  if (output.progress && !output.quiet && !output.continuousIntegration && live) {
    const { terminalReporter } = await import("./terminal-reporter.js");
    return terminalReporter({ stream: terminal, colored: isColored(settings, context), unicode });
  }
  return plainReporter(context.stderr, output.progress && !output.quiet);
}
