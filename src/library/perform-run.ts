import { checkDirectories, checkRemovable } from "../migrate/preflight/directories.js";
import { refuseFailed } from "../migrate/preflight/refuse-failed.js";
import { startReaderThreads } from "../migrate/readers/start-reader-threads.js";
import type { RunOutput } from "../migrate/run-context.js";
import { listingText, threadsText } from "../migrate/tell.js";
import type { FindingListeners } from "../model/ledger.js";
import { countOf } from "../model/number-text.js";
import { outcomesOf } from "../model/outcome.js";
import { RunProgress } from "../model/progress/run-progress.js";
import type { RunOptions } from "../model/run-options.js";
import {
  forgetPass,
  ledgersOf,
  newRunRecord,
  type RunRecord,
  recordDifference,
  tooManyFailed,
} from "../model/run-record.js";
import { maxLineLength, showable } from "../model/showable.js";
import { buildReport } from "../report/build-report.js";
import { exitCodeOf, explainError, type StopReason } from "../report/exit-code.js";
import type { Report } from "../report/schema/report-schema.js";
import type { Listing } from "../source/list-sessions.js";
import { commandOf, type RunContext } from "./run-context.js";
import { warnAs } from "./warn-as.js";

/** Milliseconds between two looks at how far the run has come. */
const sampleEveryMs = 100;

/** A run, from before its first step until after its last. */
export interface PreparedRun {
  readonly options: RunOptions;
  readonly context: RunContext;
  readonly record: RunRecord;
  readonly progress: RunProgress;
  readonly listeners: Required<FindingListeners>;
}

/** Who watches a run, and answers for the person whose run it is. */
export interface RunHost extends Pick<RunOutput, "explain" | "onOutcome" | "onRestart" | "confirmPurge"> {
  /** Comes before everything else. What it throws ends the run. */
  readonly begin: () => void;
  readonly showWarning: (text: string) => void;
  /** Asks before `purge --unverified`. Throws `SettingsError` unless somebody confirms it. */
  readonly confirmUnverified: (listing: Listing) => Promise<void>;
  /** Nothing more is shown of what the run does. */
  readonly end: () => void;
}

/** `findings` hears of every failure and difference. */
export function newRun(options: RunOptions, context: RunContext, findings: FindingListeners = {}): PreparedRun {
  const listeners: Required<FindingListeners> = {
    onFailure: (failure) => findings.onFailure?.(failure),
    onDifference: (difference) => {
      recordDifference(record, difference);
      findings.onDifference?.(difference);
    },
  };
  const record = newRunRecord(outcomesOf[commandOf(context.task)], listeners);
  return { options, context, record, listeners, progress: new RunProgress(record, options.run.dryRun) };
}

/** Does a run. Whatever ends it comes to stand in its record. */
export async function performRun(run: PreparedRun, host: RunHost, stop: AbortSignal): Promise<void> {
  const { options, record, listeners, progress } = run;
  const { explain, onOutcome, confirmPurge } = host;
  const sampling = setInterval(() => record.timeline.sample(), sampleEveryMs).unref();
  const warn = warnAs(options, record.warnings, host.showWarning);
  const onRestart = () => {
    record.timeline.mark("restart");
    forgetPass(record, listeners);
    host.onRestart();
  };
  try {
    host.begin();
    const out = { ...listeners, progress, warn, explain, onOutcome, onRestart, confirmPurge };
    await runInDirectories(run, out, { host, stop });
  } catch (error) {
    record.errors.push(...(error instanceof AggregateError ? error.errors : [error]));
  }
  host.end();
  progress.enter({ name: "finishing" });
  clearInterval(sampling);
  record.timeline.end();
  for (const [text, count] of ledgersOf(record).flatMap(({ warnings }) => [...warnings])) {
    warn(`${countOf(count, "time")}: ${text}`);
  }
}

/** Runs a task in the session directories. Throws whatever ends the run. */
async function runInDirectories(
  { options, context: { task }, record }: PreparedRun,
  out: RunOutput,
  { host, stop }: { readonly host: RunHost; readonly stop: AbortSignal },
): Promise<void> {
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
    await host.confirmUnverified(listing);
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
    await runTask(task, { options, record, out, stop, listing }, threads);
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** The report of a run as it stands. `stopped`: why it was asked to stop; undefined if it was not. */
export function reportOf(
  { options, context, record }: PreparedRun,
  stopped: StopReason | undefined,
  showIds = options.output.showIds,
): Report {
  const { run, source, target } = options;
  // These purges remove every session: a file that holds none stays, which is not their failure.
  const removesAll = context.task === "purge-unconditionally" || context.task === "purge-unverified";
  const failedTooMany = !removesAll && tooManyFailed(record, run.maxFailed);
  const exitCode = exitCodeOf(record, failedTooMany, stopped);
  const warnings = [...record.warnings, ...record.errors.map(explainError)].map((warning) =>
    showable(warning, maxLineLength),
  );
  const { version, command } = context;
  const facts = { version, command, dryRun: run.dryRun, exitCode, warnings, settings: options.shown, showIds };
  return buildReport({ ...facts, shard: source.shard, prefix: target.prefix }, record);
}
