import { RedisError, ReportError, SettingsError, SourceError } from "../model/errors.js";
import type { RunOutcome } from "../model/report.js";

export type StopSignal = "SIGHUP" | "SIGINT" | "SIGTERM";

/** How a run ended. */
export interface RunEnd {
  /** Everything that ended it or kept it from being whole; several may apply. */
  readonly errors: readonly unknown[];
  readonly signal: StopSignal | undefined;
  /** Whether more sessions failed than `--max-failed` allows. */
  readonly tooManyFailed: boolean;
}

const signalCodes: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** The exit code of a run: of all that apply the first of 70, signals, 2, 5, 3, 1, 0. */
export function exitCodeOf(end: RunEnd): number {
  const codes = new Set(end.errors.map(codeOfError));
  if (codes.has(70)) return 70;
  if (end.signal !== undefined) return signalCodes[end.signal];
  for (const code of [2, 5, 3]) if (codes.has(code)) return code;
  return end.tooManyFailed ? 1 : 0;
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
  return error instanceof SourceError || error instanceof ReportError ? 3 : 70;
}

/** An error as a sentence for people. One that is a bug shows where it happened, never what it said: that may hold a value. */
export function explainError(error: unknown): string {
  if (codeOfError(error) !== 70 && error instanceof Error) return error.message;
  const name = error instanceof Error ? error.name : typeof error;
  const frames =
    error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  return [`a bug in tele-sessions, please report it: ${name}`, ...frames].join("\n");
}
