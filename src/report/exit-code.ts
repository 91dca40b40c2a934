import { RedisError, RedisForgotError, ReportError, SettingsError, SourceError } from "../model/errors.js";
import type { RunRecord } from "../model/run-record.js";
import { maxLineLength, showable } from "../model/showable.js";
import type { RunOutcome } from "./schema/report-schema.js";

/** An exit code, with what it means to people and what a report calls it. */
interface ExitCode {
  readonly code: number;
  readonly outcome: RunOutcome;
  readonly meaning: string;
}

/** Every exit code. If several apply to a run, the first one here counts. */
export const exitCodes: readonly ExitCode[] = [
  { code: 70, outcome: "failed", meaning: "a bug in tele-sessions" },
  { code: 130, outcome: "interrupted", meaning: "stopped by SIGINT (Ctrl-C); run again to continue" },
  { code: 143, outcome: "interrupted", meaning: "stopped by SIGTERM; run again to continue" },
  { code: 129, outcome: "interrupted", meaning: "stopped by SIGHUP; run again to continue" },
  {
    code: 2,
    outcome: "refused",
    meaning: "usage or settings are wrong, or a session directory is missing; nothing was touched",
  },
  {
    code: 5,
    outcome: "refused",
    meaning:
      "refused by Redis: password, permissions, server role, certificate, memory, eviction policy or key layout",
  },
  {
    code: 3,
    outcome: "failed",
    meaning: "Redis, a session directory or the report could not be used; finished work is kept",
  },
  { code: 6, outcome: "partial", meaning: "stopped by --max-duration; run again to continue" },
  { code: 1, outcome: "partial", meaning: "finished, but more sessions failed than --max-failed allows" },
  {
    code: 4,
    outcome: "partial",
    meaning:
      "verify found differences, a purge left files, keys were evicted or lost, or too many sessions ended",
  },
  { code: 0, outcome: "complete", meaning: "every session is where it should be" },
];

export type StopSignal = "SIGHUP" | "SIGINT" | "SIGTERM";
/** Why a run was asked to stop: by a signal, or by `--max-duration`. */
export type StopReason = StopSignal | "time";

export const exitCodeOfStop: Readonly<Record<StopReason, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
  time: 6,
};

/** `tooManyFailed`: more than `--max-failed` allows. `stopped`: undefined if it was not. */
export function exitCodeOf(
  { errors, partial }: Pick<RunRecord, "errors" | "partial">,
  tooManyFailed: boolean,
  stopped: StopReason | undefined,
): number {
  return worstOf([
    ...errors.map(exitCodeOfError),
    ...(stopped === undefined ? [] : [exitCodeOfStop[stopped]]),
    ...(tooManyFailed ? [1] : []),
    ...(partial ? [4] : []),
  ]);
}

export function exitCodeOfError(error: unknown): number {
  if (error instanceof SettingsError) return 2;
  if (error instanceof RedisError) return error.kind === "refused" ? 5 : 3;
  const isLoss = [SourceError, ReportError, RedisForgotError].some((type) => error instanceof type);
  return isLoss ? 3 : 70;
}

/** The code that counts of several; 0 of none. */
export function worstOf(codes: readonly number[]): number {
  return exitCodes.find(({ code }) => codes.includes(code))?.code ?? 0;
}

/** What an exit code means to people, and what a report calls it. */
export function explainExitCode(exitCode: number): Omit<ExitCode, "code"> {
  return exitCodes.find(({ code }) => code === exitCode) ?? { outcome: "failed", meaning: "" };
}

/**
 * An error as text for people. A bug shows its stack but not its message, which may hold a value
 * from a session.
 */
export function explainError(error: unknown): string {
  if (exitCodeOfError(error) !== 70 && error instanceof Error) {
    return error.message
      .split("\n")
      .map((line) => showable(line, maxLineLength))
      .join("\n");
  }
  const name = error instanceof Error ? error.name : typeof error;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [`a bug in tele-sessions, please report it: ${name}`, ...frames].join("\n");
}
