import { checkDirectories, checkRemovable } from "../migrate/preflight/directories.js";
import { refuseFailed } from "../migrate/preflight/refuse-failed.js";
import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import type { RunOutput, UnconnectedRun } from "../migrate/run-context.js";
import type { FindingListeners } from "../model/ledger.js";
import { outcomesOf, type SessionOutcome } from "../model/outcome.js";
import { RunProgress } from "../model/progress/run-progress.js";
import type { RunOptions } from "../model/run-options.js";
import { forgetPass, newRunRecord, recordDifference } from "../model/run-record.js";
import { maxDetailLength, shortSid, showable } from "../model/showable.js";
import { reportedDifference, reportedFailure } from "../report/build-report.js";
import { PageFile } from "../report/page-file.js";
import { ReportFile } from "../report/report-file.js";
import { wrapText } from "../report/wrap-text.js";
import { type Asked, canAsk } from "./ask-person.js";
import { EndFiles } from "./closing/end-files.js";
import { commandOf, finishRun } from "./closing/finish-run.js";
import { confirmPurge, confirmUnverified } from "./confirm-removal.js";
import { listingText, settingsText, threadsText } from "./explanations.js";
import { chooseReporter } from "./progress/choose-reporter.js";
import { progressFacts } from "./progress/progress-facts.js";
import { stateText } from "./progress/progress-text.js";
import type { Reporter } from "./progress/reporter.js";
import { answerStateRequests } from "./progress/state-signals.js";
import type { RunContext } from "./run-context.js";
import { messageColumns, screenColumns } from "./screen-columns.js";
import { listenForStop } from "./stop-signals.js";
import { warnAs } from "./warn-as.js";

/** Milliseconds between two looks at how far the run has come. */
const sampleEveryMs = 100;
const asked: Asked = { stdin: process.stdin, terminal: process.stderr };

/** Runs a command and reports on it, whatever happens in between. Returns the exit code. */
export async function runCommand(options: RunOptions, context: RunContext): Promise<number> {
  const { output, run } = options;
  let reportFile: ReportFile | undefined;
  let pageFile: PageFile | undefined;
  const endFiles = new EndFiles();
  const listeners = {
    onFailure: (failure) => {
      pageFile?.addFailure(failure);
      reportFile?.addFailure(reportedFailure(failure, output.showIds));
    },
    onDifference: (difference) => {
      recordDifference(record, difference);
      pageFile?.addDifference(difference);
      reportFile?.addDifference(reportedDifference(difference, output.showIds));
    },
  } satisfies FindingListeners;
  const record = newRunRecord(outcomesOf[commandOf(context.task)], listeners);
  const discardReport = () => {
    reportFile?.discard();
    pageFile?.discard();
  };
  process.once("exit", discardReport);
  const progress = new RunProgress(record, run.dryRun);
  const reporter = await chooseReporter(options, progress);
  answerStateRequests(() => {
    const { state } = progress;
    reporter.say("state", stateText(state), progressFacts(state));
  });
  const stop = listenForStop(run.maxDurationMs, (reason) =>
    reporter.say(
      "stop",
      reason === "time"
        ? "--max-duration is over: finishing what is in flight"
        : `${reason}: finishing what is in flight; a second signal stops at once`,
    ),
  );
  const sampling = setInterval(() => record.timeline.sample(), sampleEveryMs).unref();
  try {
    endFiles.open(output);
    if (output.report !== null) reportFile = new ReportFile(output.report);
    if (output.html !== null) pageFile = new PageFile(output.html);
    const out: RunOutput = {
      ...listeners,
      progress,
      warn: warnAs(options, record.warnings, reporter.say),
      explain: explainTo(options, reporter),
      onOutcome: output.list && !output.quiet ? sayOutcome(reporter, output.showIds) : () => undefined,
      onRestart: () => {
        record.timeline.mark("restart");
        forgetPass(record, listeners);
        reportFile?.forgetFindings();
        pageFile?.forgetFindings();
      },
      confirmPurge: async (listing, askPersistence) => {
        if (!asksBeforePurge(options, context.command)) return;
        const copies = context.command === "copy";
        const plan = { options, listing, copies, persists: await askPersistence() };
        progress.enter({ name: "asking" });
        await confirmPurge(plan, asked, stop.signal);
        progress.enter({ name: "preparing" });
      },
    };
    await runInDirectories(context.task, { options, record, out, stop: stop.signal });
  } catch (error) {
    record.errors.push(...(error instanceof AggregateError ? error.errors : [error]));
  }
  reporter.end();
  progress.enter({ name: "finishing" });
  clearInterval(sampling);
  record.timeline.end();
  const page = pageFile && { file: pageFile, make: await loadPage() };
  const exitCode = finishRun({
    options,
    context,
    record,
    stop,
    reportFile,
    page,
    endFiles,
    say: reporter.say,
  });
  process.off("exit", discardReport);
  stop.release();
  return exitCode;
}

/** What makes the page is loaded once the run is over: few runs need it. */
async function loadPage() {
  return (await import("../report/page/report-page.js")).reportPage;
}

/** Runs a task in the session directories. Throws whatever ends the run. */
async function runInDirectories(
  task: RunContext["task"],
  unlisted: Omit<UnconnectedRun, "listing">,
): Promise<void> {
  const { options, record, out, stop } = unlisted;
  const { progress } = out;
  let listed = 0;
  const { directories, listing, checks } = await checkDirectories(options, stop, {
    onDirectories: (found) => {
      record.directories = found;
      progress.enter({ name: "listing", done: () => listed });
    },
    onListed: (count) => {
      listed = count;
    },
  });
  record.directories = directories;
  const purges = commandOf(task) === "purge" || (task === "copy" && options.removal.purge);
  refuseFailed(purges ? [...checks, checkRemovable(listing)] : checks, out.warn);
  if (task === "purge-unverified") {
    if (!options.removal.yes) progress.enter({ name: "asking" });
    await confirmUnverified(options, listing, asked, stop);
  }
  progress.enter({ name: "preparing" });
  const reads = task === "copy" || task === "verify";
  const threads = reads ? startReaderThreads(options, listing.count) : [];
  progress.threads = threads.length + 1;
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

/** Says each text once, and only to those who asked for it. Begins with the settings. */
function explainTo({ output, shown }: RunOptions, { say }: Reporter): RunOutput["explain"] {
  if (!output.verbose || output.quiet) return () => undefined;
  const said = new Set<string>();
  say("note", settingsText(shown, screenColumns()));
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    say("note", wrapText("", text, messageColumns()));
  };
}

function sayOutcome({ say }: Reporter, showIds: boolean): (outcome: SessionOutcome) => void {
  return ({ sid, kind, failure }) => {
    const session = showIds ? sid : shortSid(sid);
    const why = failure && { reason: failure.reason, detail: showable(failure.detail, maxDetailLength) };
    const because = why === undefined ? "" : ` ${why.reason}: ${why.detail}`;
    say("session", `${session} ${kind}${because}`, { session, outcome: kind, ...why });
  };
}

/** Whether a person is asked before the first step of `purge` or `copy --purge`. */
function asksBeforePurge({ removal, run }: RunOptions, command: RunContext["command"]): boolean {
  const purges = command === "purge" || (command === "copy" && removal.purge);
  return purges && !removal.yes && !run.dryRun && canAsk(asked);
}
