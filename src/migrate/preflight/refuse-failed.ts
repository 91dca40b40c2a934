import { type Check, messageOf } from "../../model/check.js";
import { RedisError, SettingsError, SourceError } from "../../model/errors.js";
import type { Warn } from "../../model/warn.js";

/**
 * Warns of what a run can do without. Throws an `AggregateError` with an error for each check that
 * failed, if the run must not begin.
 */
export function refuseFailed(checks: readonly Check[], warn: Warn): void {
  for (const check of checks) {
    const warns = check.verdict === "warn" || (check.verdict === "fail" && check.stopsLate === true);
    if (warns) warn(messageOf(check), { evenIfQuiet: check.evenIfQuiet === true });
  }
  const errors = checks.filter(stopsRun).map(errorOf);
  if (errors.length > 0) throw new AggregateError(errors, "checks failed");
}

/** Whether a run ends because of it before its first step. */
function stopsRun({ verdict, stopsLate }: Check): boolean {
  return verdict === "fail" && stopsLate !== true;
}

/** The checks of session directories: all others are of Redis. */
const ofDirectories: ReadonlySet<string> = new Set(["readable", "directory", "space"]);

function errorOf(check: Check): Error {
  const { found, remedy, exitCode } = check;
  const explanation = remedy === null ? undefined : { found, remedy };
  if (exitCode === 2) return new SettingsError(messageOf(check), explanation);
  if (ofDirectories.has(check.name)) return new SourceError(messageOf(check), explanation);
  return new RedisError(exitCode === 5 ? "refused" : "unavailable", messageOf(check), explanation);
}
