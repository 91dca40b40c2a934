import { SettingsError } from "../../model/errors.js";
import type { RunOptions } from "../../model/run-options.js";
import { exitCodeOfError, explainError, explainExitCode, worstOf } from "../../report/exit-code.js";
import { metricsText, type RunFacts } from "../../report/metrics/metrics-text.js";
import { NewFile } from "../../report/new-file.js";
import { type ClosingWords, TerminationLog, terminationText } from "../../report/termination-log.js";

/** Where the files go; null if one is not wanted. */
export type EndFilePaths = Pick<RunOptions["output"], "metricsFile" | "terminationLog">;

/** The files for programs that watch runs: `--metrics-file` and `--termination-log`. */
export class EndFiles {
  #metrics: NewFile | undefined;
  #termination: TerminationLog | undefined;

  /** @throws SettingsError if one cannot be written; the other one is open, if it can be. */
  open({ metricsFile, terminationLog }: EndFilePaths): void {
    const problems: SettingsError[] = [];
    const attempt = (work: () => void) => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error;
        problems.push(error);
      }
    };
    attempt(() => {
      if (terminationLog !== null) this.#termination = new TerminationLog(terminationLog);
    });
    attempt(() => {
      if (metricsFile === null) return;
      // Others, such as node_exporter, may read it.
      const file = new NewFile({ flag: "--metrics-file", path: metricsFile, mode: 0o644 });
      this.#metrics = file;
      // A second signal leaves no time to finish it.
      process.once("exit", () => file.discard());
    });
    if (problems.length > 0) throw new SettingsError(problems.map(({ message }) => message).join("\n"));
  }

  /** @throws ReportError if the metrics could not be written. */
  writeMetrics(make: () => string): void {
    this.#metrics?.finish(make());
  }

  /** @throws ReportError if the closing words could not be written. */
  writeWords(make: () => string): void {
    this.#termination?.finish(make());
  }
}

/** The end of a run that compares no sessions with Redis, or that did not begin. */
export interface PlainEnd extends Omit<RunFacts, "outcome" | "endedAt" | "startedAt"> {
  readonly words: ClosingWords;
  readonly warnings: readonly string[];
}

/** Writes both files for such a run. Returns its exit code, and what went wrong with the files. */
export function finishEndFiles(
  files: EndFiles,
  { words, warnings, ...run }: PlainEnd,
): { readonly exitCode: number; readonly errors: readonly unknown[] } {
  const errors: unknown[] = [];
  const exitCode = () => worstOf([run.exitCode, ...errors.map(exitCodeOfError)]);
  const endedMs = Date.now();
  const facts = {
    ...run,
    outcome: explainExitCode(run.exitCode).outcome,
    startedAt: new Date(endedMs - run.seconds * 1000).toISOString(),
    endedAt: new Date(endedMs).toISOString(),
  };
  attempt(errors, () => files.writeMetrics(() => metricsText(facts)));
  const all = () => ({ ...words, errors: [...words.errors, ...errors.map(explainError)] });
  attempt(errors, () => files.writeWords(() => terminationText(all(), warnings, exitCode())));
  return { exitCode: exitCode(), errors };
}

/** Writes something; what it throws joins the other errors. */
export function attempt(errors: unknown[], write: () => void): void {
  try {
    write();
  } catch (error) {
    errors.push(error);
  }
}
