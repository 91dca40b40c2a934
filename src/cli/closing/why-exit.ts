import { RedisError, RedisForgotError, ReportError, SourceError } from "../../model/errors.js";
import { countIf, countText } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { Allowance } from "../../model/run-options.js";
import { exitCodeOfError, explainError, explainExitCode } from "../../report/exit-code.js";
import { essenceOf, type Judged } from "../../report/summary/verdict.js";

/** A run that did not end well. */
export interface UnfinishedRun extends Judged {
  readonly errors: readonly unknown[];
  readonly maxFailed: Allowance;
}

/** Why a run ends with its exit code, after what else was printed. */
export function whyExit(run: UnfinishedRun): string {
  const { command, report, errors, maxFailed } = run;
  const { exitCode, sessions } = report;
  switch (exitCode) {
    case 1:
      return `more sessions failed than --max-failed ${allowanceText(maxFailed)} allows`;
    case 2:
      return "nothing was touched";
    case 3:
      return sessions.found + sessions.unvisited === 0
        ? `${lostPart(errors)}. Nothing was done yet: run the same command again`
        : `${lostPart(errors)}. What was done stays done: run the same command again`;
    case 4:
      return whyPartial[command](run);
    case 5:
      return sessions.found + sessions.unvisited === 0 ? "Redis refuses this run" : "Redis refused to go on";
    case 70:
      return explainExitCode(exitCode).meaning;
    default:
      return `${explainExitCode(exitCode).meaning}. Run the same command again to go on`;
  }
}

/** Why a run ended, if nothing else is printed: with its errors, or with its result. */
export function whyExitAlone(run: UnfinishedRun): string {
  const { report, errors } = run;
  const { found, unvisited } = report.sessions;
  const own = errors.filter((error) => exitCodeOfError(error) === report.exitCode).map(explainError);
  const essence = found + unvisited > 0 ? [essenceOf(run)] : [];
  const facts = own.length > 0 ? [...own, ...essence] : [whyExit(run), ...essence];
  return facts.map((fact) => fact.replaceAll("\n", "; ").replace(/[.;:]$/, "")).join(". ");
}

function allowanceText(allowed: Allowance): string {
  return "count" in allowed ? countText(allowed.count) : `${allowed.percent}%`;
}

function lostPart(errors: readonly unknown[]): string {
  const isAny = (type: abstract new (...args: never[]) => Error) => errors.some((error) => error instanceof type);
  if (isAny(RedisError) || isAny(RedisForgotError)) return "Redis could not be used";
  if (isAny(SourceError)) return "a session directory could not be used";
  return isAny(ReportError) ? "the report could not be written" : "something could not be used";
}

const whyPartial: Readonly<Record<SessionCommand, (run: UnfinishedRun) => string>> = {
  copy: whyCopyIsPartial,
  purge: whatPurgeLeft,
  verify: whatDiffers,
  export: () => "keys were evicted during the export: the warnings say more",
  "verify --reverse": whatDiffers,
};

function whyCopyIsPartial({ purges }: UnfinishedRun): string {
  return purges
    ? "the session files were not all removed: the warnings say why"
    : "keys were evicted or lost, or too many sessions ended: the warnings say more";
}

function whatPurgeLeft({ report: { sessions, dryRun } }: UnfinishedRun): string {
  const { absent = 0, denied = 0, kept = 0, failed = 0 } = sessions;
  const parts = [
    ...countIf(absent, "that Redis does not hold"),
    ...countIf(denied, "that this user may not remove"),
    ...countIf(kept, "kept"),
    ...countIf(failed, "failed"),
  ];
  const left = dryRun ? "would be left" : "left";
  return parts.length > 0
    ? `session files ${left}: ${parts.join(", ")}`
    : "nothing more was removed: the warnings say why";
}

function whatDiffers({ report: { sessions } }: UnfinishedRun): string {
  const { missing = 0, different = 0 } = sessions;
  const parts = [
    ...countIf(missing, "missing"),
    ...countIf(different, "different"),
    ...countIf(sessions["wrong-lifetime"] ?? 0, "with a wrong lifetime"),
  ];
  return parts.join(", ") || "not every session could be compared: the warnings say why";
}
