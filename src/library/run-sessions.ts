import type { Task } from "../migrate/run.js";
import type { RunOptions } from "../model/run-options.js";
import type { ConnectedCommand } from "../settings/setting-definition.js";
import { newRun, performRun, type RunHost, reportOf } from "./perform-run.js";
import { type AnyOptions, readOptions } from "./read-options.js";
import type { Report } from "./report.js";
import { sessionResult } from "./session-result.js";
import { newStopRequest } from "./stop-request.js";
import { version } from "./version.js";

const progressEveryMs = 1000;

function taskOf(command: ConnectedCommand, { removal, files }: RunOptions): Task {
  if (command === "purge" && removal.unverified) return "purge-unverified";
  return command === "verify" && files.reverse ? "verify-reverse" : command;
}

/**
 * Does a run for a program.
 * @throws SettingsError if an option is wrong, and what a callback threw, once the run has stopped.
 */
export async function runSessions(command: ConnectedCommand, given: AnyOptions): Promise<Report> {
  const { signal, onWarning, onProgress, onOutcome } = given;
  const resolved = readOptions(command, given);
  // A copy collects outcomes only for somebody who wants them.
  const options = { ...resolved, output: { ...resolved.output, list: onOutcome !== undefined } };
  const run = newRun(options, { command, task: taskOf(command, options), version });
  const stop = newStopRequest(options.run.maxDurationMs);
  const abort = () => stop.stopFor("SIGTERM");
  let thrown: { readonly error: unknown } | undefined;
  const call = (callback: () => void) => {
    try {
      callback();
    } catch (error) {
      thrown ??= { error };
      abort();
    }
  };
  const showProgress = () => call(() => onProgress?.(run.progress.state));
  const { showIds } = options.output;
  const host: RunHost = {
    begin: () => undefined,
    showWarning: (text) => call(() => onWarning?.(text)),
    explain: () => undefined,
    onOutcome: onOutcome ? (outcome) => call(() => onOutcome(sessionResult(outcome, showIds))) : () => undefined,
    onRestart: () => undefined,
    // Whoever wrote the program has decided.
    confirmPurge: async () => undefined,
    confirmUnverified: async () => undefined,
    end: () => undefined,
  };
  const showing = onProgress && setInterval(showProgress, progressEveryMs).unref();
  if (onProgress) run.progress.listen(showProgress);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  await performRun(run, host, stop.signal);
  signal?.removeEventListener("abort", abort);
  clearInterval(showing);
  stop.release();
  if (thrown !== undefined) throw thrown.error;
  return reportOf(run, stop.reason());
}
