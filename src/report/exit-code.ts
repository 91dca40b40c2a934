import { RedisError, RedisForgotError, ReportError, SettingsError, SourceError } from "../model/errors.js";
import type { RunRecord } from "../model/run-record.js";
import { maxLineLength, showable } from "../model/showable.js";
import type { RunOutcome } from "./schema/report-schema.js";

/** An exit code, with what it means to people and what a report calls it. */
interface ExitCode {
  readonly code: number;
  readonly outcome: RunOutcome;
  readonly meaning: string;
  /** What a person does about it; null if it is nothing. */
  readonly todo: string | null;
  /** What a job runner does about it. */
  readonly job: "done" | "fail" | "retry";
}

/** Every exit code. If several apply to a run, the first one here counts. */
export const exitCodes: readonly ExitCode[] = [
  {
    code: 70,
    outcome: "failed",
    meaning: "a bug in tele-sessions",
    todo: "report it with its stack, which holds no secrets",
    job: "fail",
  },
  stopped(130, "Ctrl-C (SIGINT)"),
  stopped(143, "SIGTERM"),
  stopped(129, "SIGHUP"),
  {
    code: 2,
    outcome: "refused",
    meaning: "usage or settings are wrong, or a session directory is missing; nothing was touched",
    todo:
      "the message names the flag, the variable or the path; a directory with files but no session is probably one " +
      "level too high or too low, and the message suggests the right one",
    job: "fail",
  },
  {
    code: 5,
    outcome: "refused",
    meaning: "refused by Redis: password, permissions, server role, certificate, memory, eviction policy or key layout",
    todo: "the message names the command, the permission, the limit or the policy, and what to change",
    job: "fail",
  },
  {
    code: 3,
    outcome: "failed",
    meaning: "Redis, a session directory or the report could not be used; finished work is kept",
    todo: "make sure that Redis, the directory and the report can be used, then run the same command again",
    job: "retry",
  },
  { ...stopped(6, "--max-duration"), outcome: "partial" },
  {
    code: 1,
    outcome: "partial",
    meaning: "finished, but more sessions failed than --max-failed allows",
    todo:
      "look at the reasons in the summary or in the report; damaged sessions stay damaged, and --max-failed allows a " +
      "number or a percentage of them",
    job: "fail",
  },
  {
    code: 4,
    outcome: "partial",
    meaning: "verify found differences, a purge left files, keys were evicted or lost, or too many sessions ended",
    todo:
      "after verify: copy again, or export again if it was --reverse; after a purge: look at what it left; after a " +
      "copy or an export: Redis evicted or lost keys, or too many sessions ended, and nothing was removed",
    job: "fail",
  },
  { code: 0, outcome: "complete", meaning: "every session is where it should be", todo: null, job: "done" },
];

function stopped(code: number, by: string): ExitCode {
  return {
    code,
    outcome: "interrupted",
    meaning: `stopped by ${by}`,
    todo: "run the same command again to go on",
    job: "retry",
  };
}

export type StopSignal = "SIGHUP" | "SIGINT" | "SIGTERM";
/** Why a run was asked to stop: by a signal, or by `--max-duration`. */
export type StopReason = StopSignal | "time";

export const exitCodeOfStop: Readonly<Record<StopReason, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143, time: 6 };

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
export function explainExitCode(exitCode: number): Pick<ExitCode, "outcome" | "meaning"> {
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
