import { warnAs } from "../library/warn-as.js";
import { inspect } from "../migrate/inspect/inspect.js";
import { redisNeedOf } from "../migrate/memory-need.js";
import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import { type Inspection, newInspection } from "../model/inspection.js";
import { RunProgress } from "../model/progress/run-progress.js";
import { Timeline } from "../model/progress/timeline.js";
import type { RunOptions } from "../model/run-options.js";
import { newScanTally, type ScanTally } from "../model/session-file.js";
import { shardText } from "../model/shard.js";
import { maxLineLength, showable } from "../model/showable.js";
import { exitCodeOf, explainError, explainExitCode } from "../report/exit-code.js";
import { type InspectionFacts, inspectionReport } from "../report/inspection/inspection-report.js";
import { inspectionText, plantedAlarm } from "../report/inspection/inspection-text.js";
import type { ClosingWords } from "../report/termination-log.js";
import { type TextStyle, textStyle } from "../report/text-style.js";
import { resolveDirectories } from "../source/directories/resolve-directories.js";
import { type Listing, listSessions } from "../source/list-sessions.js";
import { commandText } from "./closing/command-text.js";
import { EndFiles, finishEndFiles, type PlainEnd } from "./closing/end-files.js";
import { exitLine, type NextStep, sayClosingWords, stepLine } from "./closing/last-line.js";
import type { Say } from "./progress/log-line.js";
import { startReporter } from "./progress/start-reporter.js";
import { isColored, screenColumns } from "./screen.js";
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

/** What is known at the end. */
type Known = Pick<InspectionFacts, "version" | "exitCode">;

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
  const endFiles = new EndFiles();
  endFiles.open(options.output);
  const progress = new RunProgress(seen, false);
  const reporter = await startReporter(options, progress);
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
  const exitCodeNow = () => exitCodeOf({ errors: seen.errors, partial: false }, false, stop.reason());
  const { errors } = finishEndFiles(endFiles, endOf(options, seen, { version, exitCode: exitCodeNow() }));
  seen.errors.push(...errors);
  const exitCode = exitCodeNow();
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
  const listing = await listSessions(directories, options.source, stop, (count) => {
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
function show(options: RunOptions, seen: Seen, { say, ...known }: Known & { readonly say: Say }): void {
  const { output } = options;
  const { exitCode } = known;
  const style = textStyle(isColored(output));
  const endFacts = { command: "inspect", exitCode, outcome: explainExitCode(exitCode).outcome };
  if (output.quiet) {
    const alarm = plantedAlarm(seen.inspection);
    if (alarm !== undefined) say("warning", alarm);
    const [first] = seen.errors;
    const why = first === undefined ? explainExitCode(exitCode).meaning : explainError(first);
    say("end", exitCode === 0 ? "" : exitLine(exitCode, why.replaceAll("\n", "; "), style), endFacts);
  } else {
    sayClosingWords(say, wordsOf(options, seen, known, style), seen.errors, endFacts);
  }
  if (output.json) {
    process.stdout.write(`${JSON.stringify(inspectionReport(factsOf(options, seen, known)))}\n`);
  }
}

/** What the files for other programs say of it. */
function endOf(options: RunOptions, seen: Seen, known: Known): PlainEnd {
  return {
    ...known,
    command: "inspect",
    dryRun: false,
    shards: options.source.shard === null ? [] : [shardText(options.source.shard)],
    seconds: seen.timeline.seconds,
    // Sids are cut, even with `--show-ids`: anyone who may look at the pod sees it.
    words: wordsOf({ ...options, output: { ...options.output, showIds: false } }, seen, known, textStyle(false)),
    warnings: seen.warnings,
  };
}

/** Errors, the text, and what follows. */
function wordsOf(options: RunOptions, seen: Seen, known: Known, style: TextStyle): ClosingWords {
  const { exitCode } = known;
  const facts = factsOf(options, seen, known);
  const report = inspectionReport(facts);
  const columns = Math.min(screenColumns(), maxColumns);
  const look = { style, columns, ttl: options.conversion.ttl };
  return {
    errors: seen.errors.map(explainError),
    summary: exitCode === 0 || report.sessions.found > 0 ? inspectionText({ facts, report }, look) : "",
    end: exitCode === 0 ? stepLine(nextStep(options, report.listed)) : exitLine(exitCode, whyExit(exitCode), style),
  };
}

function factsOf({ source, output }: RunOptions, seen: Seen, known: Known): InspectionFacts {
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
