import { inspect, redisNeedOf } from "../migrate/inspect/inspect.js";
import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import { type Inspection, newInspection } from "../model/inspection.js";
import { RunProgress } from "../model/progress/run-progress.js";
import { Timeline } from "../model/progress/timeline.js";
import type { RunOptions } from "../model/run-options.js";
import { newScanTally, type ScanTally } from "../model/session-file.js";
import { maxLineLength, showable } from "../model/showable.js";
import type { Warn } from "../model/warn.js";
import { exitCodeOf, explainError, explainExitCode } from "../report/exit-code.js";
import { type InspectionFacts, inspectionReport } from "../report/inspection/inspection-report.js";
import { inspectionText, plantedAlarm } from "../report/inspection/inspection-text.js";
import { textStyle } from "../report/text-style.js";
import { resolveDirectories } from "../source/directories/resolve-directories.js";
import { type Listing, listSessions } from "../source/list-sessions.js";
import { chooseReporter } from "./progress/choose-reporter.js";
import type { Say } from "./progress/log-line.js";
import { progressFacts } from "./progress/progress-facts.js";
import { stateText } from "./progress/progress-text.js";
import { answerStateRequests } from "./progress/state-signals.js";
import { isColored } from "./run-context.js";
import { shellWord } from "./shell-word.js";
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
  show(options, seen, { version, exitCode });
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
  const warn = warnAs(options, seen, say);
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

/** Keeps each warning once, and shows it. Begins with the warnings about settings. */
function warnAs({ output, ...options }: RunOptions, { warnings }: Seen, say: Say): Warn {
  const warn: Warn = (text, { evenIfQuiet = false } = {}) => {
    if (warnings.includes(text)) return;
    warnings.push(text);
    if (evenIfQuiet || !output.quiet) say("warning", text);
  };
  for (const warning of options.warningsEvenIfQuiet) warn(warning, { evenIfQuiet: true });
  for (const warning of options.warnings) warn(warning);
  return warn;
}

/** Writes errors, the text, the last line and JSON. */
function show(
  options: RunOptions,
  seen: Seen,
  { version, exitCode }: { readonly version: string; readonly exitCode: number },
): void {
  const { output, conversion } = options;
  const style = textStyle(isColored(output));
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const facts = factsOf(options, seen, { version, exitCode });
  const report = inspectionReport(facts);
  for (const error of seen.errors) say(`${style.bad("error:")} ${explainError(error)}`);
  const alarm = plantedAlarm(seen.inspection);
  if (output.quiet) {
    if (alarm !== undefined) say(`warning: ${alarm}`);
  } else if (exitCode === 0 || report.sessions.found > 0) {
    const columns = Math.min(process.stderr.columns || maxColumns, maxColumns);
    say(`${inspectionText({ facts, report }, { style, columns, ttl: conversion.ttl })}\n`);
  }
  if (exitCode !== 0) say(`${style.bad(`Exit ${exitCode}:`)} ${explainExitCode(exitCode).meaning}`);
  else if (!output.quiet) say(nextLine(options.source.names, report.listed ?? 0));
  if (output.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** Wider lines are hard to read, and a log has no width. */
const maxColumns = 80;

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

/** What follows: a command line that a shell takes as it is, but for the URL. */
function nextLine(names: readonly string[], listed: number): string {
  if (listed === 0) return "Next  nothing to copy here: is this the directory that the server uses?";
  const directories = names.map((name) => `--session-dir ${pathWord(name)}`);
  const words = ["tele-sessions check", ...directories, "--url URL"];
  const line = `Next  ${words.join(" ")}`;
  return line.length <= maxColumns ? line : `Next  ${words.join(" \\\n      ")}`;
}

/** A path for a shell. One that may hold a session id is not shown whole, so a word stands for it. */
function pathWord(path: string): string {
  return showable(path, maxLineLength).includes("…") && !path.includes("…") ? "DIR" : shellWord(path);
}
