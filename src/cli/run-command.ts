import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import type { RunOutput, UnconnectedRun } from "../migrate/run-context.js";
import type { FindingListeners } from "../model/ledger.js";
import { outcomesOf, type SessionOutcome } from "../model/outcome.js";
import type { Reporter } from "../model/progress.js";
import type { RunOptions } from "../model/run-options.js";
import { forgetPass, newRunRecord, type RunRecord, recordDifference } from "../model/run-record.js";
import { shortSid, showable } from "../model/showable.js";
import type { Warn } from "../model/warn.js";
import { reportedDifference, reportedFailure } from "../report/build-report.js";
import { ReportFile } from "../report/report-file.js";
import { wrapText } from "../report/wrap-text.js";
import { resolveDirectories } from "../source/directories/resolve-directories.js";
import { listSessions } from "../source/list-sessions.js";
import { type Asked, canAsk } from "./ask-person.js";
import { commandOf, finishRun } from "./closing/finish-run.js";
import { confirmPurge, confirmUnverified } from "./confirm-removal.js";
import { listingText, settingsText, threadsText } from "./explanations.js";
import { plainReporter } from "./plain-reporter.js";
import { isCapable, isColored, type RunContext, showsBlocks } from "./run-context.js";
import { warningLine } from "./say.js";
import { messageColumns, screenColumns } from "./screen-columns.js";
import { listenForStop } from "./stop-signals.js";

const asked: Asked = { stdin: process.stdin, terminal: process.stderr };

/** Runs a command and reports on it, whatever happens in between. Returns the exit code. */
export async function runCommand(options: RunOptions, context: RunContext): Promise<number> {
  const { output, run } = options;
  let reportFile: ReportFile | undefined;
  const listeners = {
    onFailure: (failure) => reportFile?.addFailure(reportedFailure(failure, output.showIds)),
    onDifference: (difference) => {
      recordDifference(record, difference);
      reportFile?.addDifference(reportedDifference(difference, output.showIds));
    },
  } satisfies FindingListeners;
  const record = newRunRecord(outcomesOf[commandOf(context.task)], listeners);
  const discardReport = () => reportFile?.discard();
  process.once("exit", discardReport);
  const reporter = await chooseReporter(options);
  const stop = listenForStop(run.maxDurationMs, (reason) =>
    reporter.say(
      reason === "time"
        ? "--max-duration is over: finishing what is in flight"
        : `${reason}: finishing what is in flight; a second signal stops at once`,
    ),
  );
  try {
    if (output.report !== null) reportFile = new ReportFile(output.report);
    const out: RunOutput = {
      ...listeners,
      reporter,
      warn: warnAs(options, record, reporter),
      explain: explainTo(options, reporter),
      onOutcome: output.list && !output.quiet ? sayOutcome(reporter, output.showIds) : () => undefined,
      onRestart: () => {
        forgetPass(record, listeners);
        reportFile?.forgetFindings();
      },
      confirmPurge: async (listing, askPersistence) => {
        if (!asksBeforePurge(options, context.command)) return;
        const copies = context.command === "copy";
        const plan = { options, listing, copies, persists: await askPersistence() };
        await confirmPurge(plan, asked, stop.signal);
      },
    };
    await runInDirectories(context.task, { options, record, out, stop: stop.signal });
  } catch (error) {
    record.errors.push(error);
  }
  const exitCode = finishRun({ options, context, record, stop, reportFile });
  process.off("exit", discardReport);
  stop.release();
  return exitCode;
}

/** Runs a task in the session directories. Throws whatever ends the run. */
async function runInDirectories(
  task: RunContext["task"],
  unlisted: Omit<UnconnectedRun, "listing">,
): Promise<void> {
  const { options, record, out, stop } = unlisted;
  record.directories = await resolveDirectories(options.source, (text) =>
    out.warn(text, { evenIfQuiet: true }),
  );
  const listing = await listSessions(record.directories, options.source.sample, stop);
  if (task === "purge-unverified") await confirmUnverified(options, listing, asked, stop);
  const reads = task === "copy" || task === "verify";
  const threads = reads ? startReaderThreads(options, listing.count) : [];
  out.explain(listingText(listing));
  if (reads) out.explain(threadsText(options, threads.length + 1));
  try {
    // Loading the Redis client takes as long as everything before it, so it is loaded only when
    // there is work, and while the threads load theirs.
    const { runTask } = await import("../migrate/run.js");
    await runTask(task, { ...unlisted, listing }, threads);
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** Records each warning once, and shows it. Begins with the warnings about settings. */
function warnAs(options: RunOptions, record: RunRecord, reporter: Reporter): Warn {
  const warn: Warn = (text, { evenIfQuiet = false } = {}) => {
    if (record.warnings.includes(text)) return;
    record.warnings.push(text);
    if (evenIfQuiet || !options.output.quiet) reporter.say(warningLine(text));
  };
  for (const warning of options.warningsEvenIfQuiet) warn(warning, { evenIfQuiet: true });
  for (const warning of options.warnings) warn(warning);
  return warn;
}

/** Says each text once, and only to those who asked for it. Begins with the settings. */
function explainTo({ output, shown }: RunOptions, reporter: Reporter): RunOutput["explain"] {
  if (!output.verbose || output.quiet) return () => undefined;
  const said = new Set<string>();
  reporter.say(settingsText(shown, screenColumns()));
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    reporter.say(wrapText("", text, messageColumns()));
  };
}

function sayOutcome(reporter: Reporter, showIds: boolean): (outcome: SessionOutcome) => void {
  return ({ sid, kind, failure }) => {
    const reason = failure === undefined ? "" : ` ${failure.reason}: ${showable(failure.detail)}`;
    reporter.say(`${showIds ? sid : shortSid(sid)} ${kind}${reason}`);
  };
}

/** Whether a person is asked before the first step of `purge` or `copy --purge`. */
function asksBeforePurge({ removal, run }: RunOptions, command: RunContext["command"]): boolean {
  const purges = command === "purge" || (command === "copy" && removal.purge);
  return purges && !removal.yes && !run.dryRun && canAsk(asked);
}

/** A progress bar if a person watches a terminal that has room for it, plain lines otherwise. */
async function chooseReporter({ output }: RunOptions): Promise<Reporter> {
  const showProgress = output.progress && !output.quiet;
  const isWatched = isCapable() && process.stderr.columns > 0;
  if (showProgress && !output.continuousIntegration && isWatched) {
    const { terminalReporter } = await import("./terminal-reporter.js");
    return terminalReporter({ colored: isColored(output), unicode: showsBlocks() });
  }
  return plainReporter(showProgress);
}
