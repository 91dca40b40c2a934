import { type Check, messageOf } from "../../model/check.js";
import { RedisError, SettingsError, SourceError } from "../../model/errors.js";
import type { Warn } from "../../model/warn.js";

/**
 * Warns of what a run can do without. Throws an `AggregateError` with an error for each check that
 * failed, if the run must not begin.
 */
export function refuseFailed(checks: readonly Check[], warn: Warn): void {
  const failed = checks.filter(({ verdict, stopsLate }) => verdict === "fail" && stopsLate !== true);
  for (const check of checks) {
    if (check.verdict === "ok" || failed.includes(check)) continue;
    warn(messageOf(check), { evenIfQuiet: check.evenIfQuiet === true });
  }
  if (failed.length > 0) throw new AggregateError(failed.map(errorOf), "checks failed");
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
