import { warnAs } from "../library/warn-as.js";
import { inspect, redisNeedOf } from "../migrate/inspect/inspect.js";
import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import { type Inspection, newInspection } from "../model/inspection.js";
import { RunProgress } from "../model/progress/run-progress.js";
import { Timeline } from "../model/progress/timeline.js";
import type { RunOptions } from "../model/run-options.js";
import { newScanTally, type ScanTally } from "../model/session-file.js";
import { maxLineLength, showable } from "../model/showable.js";
import { exitCodeOf, exitCodeOfError, explainError, explainExitCode } from "../report/exit-code.js";
import { type InspectionFacts, inspectionReport } from "../report/inspection/inspection-report.js";
import { inspectionText, plantedAlarm } from "../report/inspection/inspection-text.js";
import { textStyle } from "../report/text-style.js";
import { resolveDirectories } from "../source/directories/resolve-directories.js";
import { type Listing, listSessions } from "../source/list-sessions.js";
import { commandText } from "./closing/command-text.js";
import { exitLine, type NextStep, nextLine } from "./closing/last-line.js";
import { isColored } from "./is-colored.js";
import { chooseReporter } from "./progress/choose-reporter.js";
import type { Say } from "./progress/log-line.js";
import { progressFacts } from "./progress/progress-facts.js";
import { stateText } from "./progress/progress-text.js";
import { answerStateRequests } from "./progress/state-signals.js";
import { screenColumns } from "./screen-columns.js";
import { listenForStop } from "./stop-signals.js";

/** What is known so far. */
interface Seen {
  readonly inspection: Inspection;
  readonly tally: ScanTally;
  readonly timeline: Timeline;
  readonly warnings: string[];
  readonly errors: unknown[];
  directories: readonly string[];
  /** Inspecting asks no Redis. */
  readonly redis: null;
  /** Absent until the directories were listed. */
  listing?: Listing;
  isComplete: boolean;
}

/** Runs `inspect`: shows what is in the session directories. Returns the exit code. */
export async function inspectCommand(options: RunOptions, version: string): Promise<number> {
  const seen: Seen = {
    inspection: newInspection(),
    tally: newScanTally(),
    timeline: new Timeline(),
    warnings: [],
    errors: [],
    directories: [],
    redis: null,
    isComplete: false,
  };
  const progress = new RunProgress(seen, false);
  const reporter = await chooseReporter(options, progress);
  answerStateRequests(() => {
    const { state } = progress;
    reporter.say("state", stateText(state), progressFacts(state));
  });
  const stop = listenForStop(null, (reason) =>
    reporter.say("stop", `${reason}: showing what was read so far; a second signal stops at once`),
  );
  try {
    await look(options, seen, { progress, say: reporter.say, stop: stop.signal });
    seen.isComplete = !stop.signal.aborted;
  } catch (error) {
    seen.errors.push(error);
  }
  reporter.end();
  const exitCode = exitCodeOf({ errors: seen.errors, partial: false }, false, stop.reason());
  show(options, seen, { version, exitCode, say: reporter.say });
  stop.release();
  return exitCode;
}

/** Lists the directories and reads their session files. Throws whatever ends the run. */
async function look(
  options: RunOptions,
  seen: Seen,
  { progress, say, stop }: { readonly progress: RunProgress; readonly say: Say; readonly stop: AbortSignal },
): Promise<void> {
  const { inspection, tally } = seen;
  const warn = warnAs(options, seen.warnings, (text) => say("warning", text));
  seen.directories = await resolveDirectories(options.source, (text) => warn(text, { evenIfQuiet: true }));
  const { directories } = seen;
  let listed = 0;
  progress.enter({ name: "listing", done: () => listed });
  const listing = await listSessions(directories, options.source.sample, stop, (count) => {
    listed = count;
  });
  seen.listing = listing;
  const threads = startReaderThreads(options, listing.selected);
  progress.threads = threads.length + 1;
  progress.enter({ name: "reading", total: listing.selected, done: () => inspection.counts.found });
  try {
    await inspect({ options, directories, warn, stop, tally, inspection }, threads);
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** Writes errors, the text, the last line and JSON. */
function show(
  options: RunOptions,
  seen: Seen,
  { version, exitCode, say }: { readonly version: string; readonly exitCode: number; readonly say: Say },
): void {
  const { output, conversion } = options;
  const style = textStyle(isColored(output));
  const facts = factsOf(options, seen, { version, exitCode });
  const report = inspectionReport(facts);
  const alarm = plantedAlarm(seen.inspection);
  const endFacts = { command: "inspect", exitCode, outcome: explainExitCode(exitCode).outcome };
  if (output.quiet) {
    if (alarm !== undefined) say("warning", alarm);
    const [first] = seen.errors;
    const why = first === undefined ? explainExitCode(exitCode).meaning : explainError(first);
    say("end", exitCode === 0 ? "" : exitLine(exitCode, why.replaceAll("\n", "; "), style), endFacts);
  } else {
    for (const error of seen.errors) say("error", explainError(error), { exitCode: exitCodeOfError(error) });
    if (exitCode === 0 || report.sessions.found > 0) {
      const look = { style, columns: Math.min(screenColumns(), maxColumns), ttl: conversion.ttl };
      say("summary", inspectionText({ facts, report }, look));
    }
    const last =
      exitCode === 0
        ? nextLine(nextStep(options, report.listed))
        : exitLine(exitCode, whyExit(exitCode), style);
    say("end", last, endFacts);
  }
  if (output.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}

function factsOf(
  { source, output }: RunOptions,
  seen: Seen,
  known: { readonly version: string; readonly exitCode: number },
): InspectionFacts {
  const { inspection, tally, listing, isComplete } = seen;
  const isSample = isComplete && listing !== undefined && listing.selected > 0;
  const alarm = plantedAlarm(inspection) ?? [];
  const warnings = [seen.warnings, alarm, seen.errors.map(explainError)].flat();
  return {
    ...known,
    directories: seen.directories.map((directory) => {
      const listed = listing?.directories.find((one) => one.directory === directory)?.count ?? 0;
      return { directory, listed };
    }),
    listed: listing?.isComplete === true ? listing.count : null,
    sample: source.sample,
    isComplete,
    inspection,
    tally,
    redis: redisNeedOf(inspection, isSample ? listing.count / listing.selected : 1),
    seconds: seen.timeline.seconds,
    showIds: output.showIds,
    warnings: warnings.map((warning) => showable(warning, maxLineLength)),
  };
}

/** Why it ended, after its errors. It touches nothing and asks no Redis. */
function whyExit(exitCode: number): string {
  if (exitCode === 2) return "nothing was touched";
  return exitCode === 3 ? "a session directory could not be used" : explainExitCode(exitCode).meaning;
}

/** Wider bars are hard to read. */
const maxColumns = 80;

/** What follows: a command line that a shell takes as it is, but for the URL. */
function nextStep({ shown }: RunOptions, listed: number | null): NextStep {
  return listed === 0
    ? { say: "nothing to copy here: is this the directory that the server uses?" }
    : { command: commandText("check", shown, ["--url URL"]) };
}
