import { newRun, performRun, type RunHost } from "../library/perform-run.js";
import type { RunContext } from "../library/run-context.js";
import { sessionResult } from "../library/session-result.js";
import type { RunOutput } from "../migrate/run-context.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { RunOptions, ShownSetting } from "../model/run-options.js";
import { reportedDifference, reportedFailure } from "../report/build-report.js";
import { PageFile } from "../report/page-file.js";
import { ReportFile } from "../report/report-file.js";
import { wrapText } from "../report/wrap-text.js";
import { EndFiles } from "./closing/end-files.js";
import { finishRun } from "./closing/finish-run.js";
import { type Asked, canAsk, confirmPurge, confirmUnverified } from "./confirm-removal.js";
import type { Reporter } from "./progress/log-line.js";
import { startReporter } from "./progress/start-reporter.js";
import { messageColumns, screenColumns } from "./screen.js";
import { listenForStop } from "./stop-signals.js";

const asked: Asked = { stdin: process.stdin, terminal: process.stderr };

/** Runs a command and reports on it, whatever happens in between. Returns the exit code. */
export async function runCommand(options: RunOptions, context: RunContext): Promise<number> {
  const { output } = options;
  let reportFile: ReportFile | undefined;
  let pageFile: PageFile | undefined;
  const endFiles = new EndFiles();
  const run = newRun(options, context, {
    onFailure: (failure) => {
      pageFile?.addFailure(failure);
      reportFile?.addFailure(reportedFailure(failure, output.showIds));
    },
    onDifference: (difference) => {
      pageFile?.addDifference(difference);
      reportFile?.addDifference(reportedDifference(difference, output.showIds));
    },
  });
  const discardReport = () => {
    reportFile?.discard();
    pageFile?.discard();
  };
  process.once("exit", discardReport);
  const { progress } = run;
  const reporter = await startReporter(options, progress);
  const stop = listenForStop(options.run.maxDurationMs, (reason) =>
    reporter.say(
      "stop",
      reason === "time"
        ? "--max-duration is over: finishing what is in flight"
        : `${reason}: finishing what is in flight; a second signal stops at once`,
    ),
  );
  const host: RunHost = {
    begin: () => {
      endFiles.open(output);
      if (output.report !== null) reportFile = new ReportFile(output.report);
      if (output.html !== null) pageFile = new PageFile(output.html);
    },
    showWarning: (text) => reporter.say("warning", text),
    explain: explainTo(options, reporter),
    onOutcome: output.list && !output.quiet ? sayOutcome(reporter, output.showIds) : () => undefined,
    onRestart: () => {
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
    confirmUnverified: (listing) => confirmUnverified(options, listing, asked, stop.signal),
    end: () => reporter.end(),
  };
  await performRun(run, host, stop.signal);
  // Few runs need what makes the page.
  const page = pageFile && { file: pageFile, make: (await import("../report/page/report-page.js")).reportPage };
  const exitCode = finishRun({ run, stop, reportFile, page, endFiles, say: reporter.say });
  process.off("exit", discardReport);
  stop.release();
  return exitCode;
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

/** The settings of a run: first those that somebody gave, with what gave them, then the defaults. */
function settingsText(shown: readonly ShownSetting[], columns: number): string {
  const given = shown.filter(({ origin }) => origin !== "default");
  const width = Math.max(0, ...given.map(({ name }) => name.length));
  const lines = given.map(({ name, value, origin }) => {
    const source = origin === name ? "flag" : origin;
    return wrapText(`  ${name.padEnd(width)}  `, `${value}  (${source})`, columns);
  });
  const defaults = shown.flatMap(({ name, value, origin }) => (origin === "default" ? [`${name} ${value}`] : []));
  return ["settings", ...lines, wrapText("  by default: ", defaults.join(", "), columns, 4)].join("\n");
}

function sayOutcome({ say }: Reporter, showIds: boolean): (outcome: SessionOutcome) => void {
  return (outcome) => {
    const result = sessionResult(outcome, showIds);
    const because = result.reason === undefined ? "" : ` ${result.reason}: ${result.detail}`;
    say("session", `${result.session} ${result.outcome}${because}`, { ...result });
  };
}

/** Whether a person is asked before the first step of `purge` or `copy --purge`. */
function asksBeforePurge({ removal, run }: RunOptions, command: RunContext["command"]): boolean {
  const purges = command === "purge" || (command === "copy" && removal.purge);
  return purges && !removal.yes && !run.dryRun && canAsk(asked);
}
