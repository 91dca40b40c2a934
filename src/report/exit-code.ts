import { RedisError, RedisForgotError, ReportError, SettingsError, SourceError } from "../model/errors.js";
import type { RunOutcome } from "../model/report.js";
import { showable } from "../model/showable.js";

const longestLine = 4096;

export type StopSignal = "SIGHUP" | "SIGINT" | "SIGTERM";

/** How a run ended. */
export interface RunEnd {
  /** Everything that ended it or kept it from being whole; several may apply. */
  readonly errors: readonly unknown[];
  readonly signal: StopSignal | undefined;
  /** Whether more sessions failed than `--max-failed` allows. */
  readonly tooManyFailed: boolean;
  /** Whether differences were found, files were left that a purge was to remove, or keys evicted meanwhile. */
  readonly partial: boolean;
  /** Whether the time of `--max-duration` was up. */
  readonly outOfTime: boolean;
}

/** A run that was ended by an error before anything else was known of it. */
export function endedBy(error: unknown): RunEnd {
  return { errors: [error], signal: undefined, tooManyFailed: false, partial: false, outOfTime: false };
}

const signalCodes: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Where several apply, the first of these counts. */
const precedence = [70, 130, 143, 129, 2, 5, 3, 6, 1, 4, 0];

export function worstOf(codes: readonly number[]): number {
  return precedence.find((code) => codes.includes(code)) ?? 0;
}

export function exitCodeOf({ errors, signal, tooManyFailed, partial, outOfTime }: RunEnd): number {
  return worstOf([
    ...errors.map(codeOfError),
    ...(signal === undefined ? [] : [signalCodes[signal]]),
    ...(tooManyFailed ? [1] : []),
    ...(partial ? [4] : []),
    ...(outOfTime ? [6] : []),
  ]);
}

/** What a report calls an exit code. */
export function outcomeOf(exitCode: number): RunOutcome {
  switch (exitCode) {
    case 0:
      return "complete";
    case 1:
    case 4:
    case 6:
      return "partial";
    case 2:
    case 5:
      return "refused";
    case 129:
    case 130:
    case 143:
      return "interrupted";
    default:
      return "failed";
  }
}

function codeOfError(error: unknown): number {
  if (error instanceof SettingsError) return 2;
  if (error instanceof RedisError) return error.kind === "refused" ? 5 : 3;
  const isLoss = [SourceError, ReportError, RedisForgotError].some((type) => error instanceof type);
  return isLoss ? 3 : 70;
}

/** An error as a sentence for people. One that is a bug shows where it happened, never what it said: that may hold a value. */
export function explainError(error: unknown): string {
  if (codeOfError(error) !== 70 && error instanceof Error) {
    return error.message
      .split("\n")
      .map((line) => showable(line, longestLine))
      .join("\n");
  }
  const name = error instanceof Error ? error.name : typeof error;
  const frames =
    error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  return [`a bug in tele-sessions, please report it: ${name}`, ...frames].join("\n");
}
