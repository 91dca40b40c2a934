import type { Failure, SessionOutcome } from "../model/outcome.js";
import type { Report } from "../model/report.js";
import { shortSid, showable } from "../model/showable.js";
import { buildReport, reportedFailure } from "./build-report.js";
import type { CopySettings } from "./copy-settings.js";
import { exitCodeOf, explainError } from "./exit-code.js";
import { countOf } from "./number-text.js";
import { plainReporter } from "./plain-reporter.js";
import { ReportFile } from "./report-file.js";
import type { Reporter } from "./reporter.js";
import { type CopySurroundings, runCopy } from "./run-copy.js";
import { forgetPass, newRunRecord, type RunRecord, secondsOf } from "./run-record.js";
import type { Allowance } from "./settings.js";
import { listenForStop, type StopRequest } from "./stop-signals.js";
import { summaryText } from "./summary.js";
import { textStyle } from "./text-style.js";

/** What a run is part of. */
export interface RunContext {
  readonly command: "copy" | "stop-after-init";
  readonly version: string;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly terminal: NodeJS.WriteStream;
  /** Whether the terminal shows block characters. */
  readonly unicode: boolean;
  /** `TERM`; absent where there is none. */
  readonly terminalType: string | undefined;
}

/** Runs a copy from the first step to the report, whatever happens in between. Gives back the exit code. */
export async function conductRun(settings: CopySettings, context: RunContext): Promise<number> {
  const { output } = settings;
  let reportFile: ReportFile | undefined;
  const onFailure = (failure: Failure) => reportFile?.addFailure(reportedFailure(failure, output.showIds));
  const record = newRunRecord(onFailure);
  const beginAgain = () => {
    forgetPass(record, onFailure);
    reportFile?.forgetFailures();
  };
  const discardReport = () => reportFile?.discard();
  process.once("exit", discardReport);
  const reporter = await chooseReporter(settings, context);
  const stop = listenForStop((signal) =>
    reporter.say(`${signal}: finishing what is in flight; a second one stops at once`),
  );
  try {
    if (output.report !== null) reportFile = new ReportFile(output.report);
    await runCopy(settings, {
      ...surroundingsOf(settings, record, reporter, stop),
      onBeginAgain: beginAgain,
      onFailure,
    });
  } catch (error) {
    record.errors.push(error);
  }
  const exitCode = closeBooks(settings, context, record, stop, reportFile);
  process.off("exit", discardReport);
  stop.release();
  return exitCode;
}

function surroundingsOf(
  settings: CopySettings,
  record: RunRecord,
  reporter: Reporter,
  stop: StopRequest,
): Omit<CopySurroundings, "onBeginAgain" | "onFailure"> {
  const { quiet, verbose, showIds } = settings.output;
  const warn = (message: string, lasting = false) => {
    record.warnings.push(message);
    if (!quiet || lasting) reporter.say(`warning: ${message}`);
  };
  for (const warning of settings.warnings) warn(warning);
  const tell = ({ sid, kind, failure }: SessionOutcome) => {
    const reason = failure === undefined ? "" : ` ${failure.reason}: ${showable(failure.detail)}`;
    reporter.say(`${showIds ? sid : shortSid(sid)} ${kind}${reason}`);
  };
  return { record, reporter, warn, stop: stop.signal, onOutcome: verbose && !quiet ? tell : () => undefined };
}

/** Writes the report, the summary and the JSON, and says what the run came to. */
function closeBooks(
  settings: CopySettings,
  context: RunContext,
  record: RunRecord,
  stop: StopRequest,
  reportFile: ReportFile | undefined,
): number {
  const { output, run, target } = settings;
  for (const [warning, count] of record.ledger.warnings)
    record.warnings.push(`${countOf(count, "time")}: ${warning}`);
  const counts = record.ledger.counts;
  const tooManyFailed = [record.ledger, ...record.laterPasses].some(
    (ledger) => ledger.counts.outcomes.failed > allowed(run.maxFailed, counts.found),
  );
  const exitCode = () => exitCodeOf({ errors: record.errors, signal: stop.received(), tooManyFailed });
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
  const report = (): Report => buildReport(facts(), record.ledger, record.tally, exitCode());
  try {
    reportFile?.finish(report());
  } catch (error) {
    record.errors.push(error);
  }
  const final = report();
  const style = textStyle(isColored(settings, context));
  for (const error of record.errors) context.stderr(`${style.bad("error:")} ${explainError(error)}\n`);
  if (output.quiet && tooManyFailed) {
    context.stderr(`${style.bad("error:")} ${countOf(counts.outcomes.failed, "session")} failed\n`);
  }
  if (!output.quiet && reachedSessions(final)) {
    context.stderr(`${summaryText(final, counts, style, output.report)}\n`);
  }
  if (output.json) context.stdout(`${JSON.stringify(final)}\n`);
  return final.exitCode;
}

/** Whether there is anything to sum up: a run that was refused before its first session has said why. */
function reachedSessions(report: Report): boolean {
  return report.exitCode === 0 || report.sessions.found > 0 || report.sessions.unvisited > 0;
}

function allowed(allowance: Allowance, found: number): number {
  return "count" in allowance ? allowance.count : (allowance.percent / 100) * found;
}

function isColored({ output }: CopySettings, { terminal, terminalType }: RunContext): boolean {
  if (output.color !== "auto") return output.color === "always";
  return terminal.isTTY === true && terminalType !== "dumb";
}

/** A bar only where a person watches a terminal that has room for it. */
async function chooseReporter(settings: CopySettings, context: RunContext): Promise<Reporter> {
  const { output } = settings;
  const { terminal, terminalType, unicode } = context;
  const live = terminal.isTTY === true && terminal.columns > 0 && terminalType !== "dumb";
  if (output.progress && !output.quiet && !output.continuousIntegration && live) {
    const { terminalReporter } = await import("./terminal-reporter.js");
    return terminalReporter({ stream: terminal, colored: isColored(settings, context), unicode });
  }
  return plainReporter(context.stderr, output.progress && !output.quiet);
}
