import { type Check, failedBy } from "../../model/check.js";
import { RedisError } from "../../model/errors.js";
import type { RunOptions } from "../../model/run-options.js";
import type { OpenRun } from "../open-run.js";
import type { Judged } from "./judged.js";
import { checkEviction, checkMemory } from "./memory.js";
import { checkPermissions } from "./permissions.js";
import { checkOtherRuns, checkPersistence, checkReplicas } from "./purge-checks.js";

/**
 * Checks whether a connected run can succeed. Goes on after a failure, except that nothing is
 * estimated without the permissions for it. Throws `RedisError` if Redis is lost meanwhile.
 */
export async function checkConnected({ run, checks }: OpenRun, judged: Judged): Promise<readonly Check[]> {
  const { options } = run;
  const { command, purges, isCheck, hasDirectories } = judged;
  // A verification only reads, and names what it may not read.
  if (command === "verify") return checks;
  const isCopy = command === "copy";
  const permissions = await checkPermissions(run, judged);
  const isPermitted = permissions.verdict !== "fail";
  // What only warns is left out if the operator asked for that.
  const full = !options.run.skipCheck;
  const found: Check[] = [...checks];
  // What is missing without need shows where it matters.
  if (isCheck || !isPermitted) found.push(permissions);
  const isRehearsal = isCheck || options.run.dryRun;
  const memory = isCopy && isPermitted && hasDirectories ? await checkMemory(run, isRehearsal) : undefined;
  if (memory !== undefined) found.push(memory);
  if (isCopy && full) found.push(await checkEviction(run, memory));
  if (isCopy && full && !isCheck) found.push(...checkMissedSettings(options));
  if ((purges && full) || isCheck) found.push(await checkPersistence(run));
  if (options.removal.waitReplicas > 0) found.push(asFarAsItMatters(await checkReplicas(run), purges));
  if (purges || isCheck) {
    const { message, ...others } = await checkOtherRuns(run);
    // A copy may be made even if its purge is refused.
    const judgedOthers = isCopy ? { ...others, stopsLate: true } : { ...others, ...(message && { message }) };
    found.push(asFarAsItMatters(judgedOthers, purges));
  }
  return found;
}

/** What only a purge needs is no more than a warning for a copy. */
export function asFarAsItMatters(check: Check, purges: boolean): Check {
  if (purges || check.verdict !== "fail") return check;
  const { exitCode: _, ...rest } = check;
  return { ...rest, verdict: "warn" };
}

/** The check that an error of a connection decided. Rethrows any other error. */
export function checkFailedBy(error: unknown): Check {
  if (!(error instanceof RedisError)) throw error;
  const name = error.explanation?.isLogin === true ? "login" : "reachable";
  return failedBy(name, error, error.kind === "refused" ? 5 : 3);
}

/** What deserves a second look among the settings. */
export function checkSettings({ warnings, warningsEvenIfQuiet, ...options }: RunOptions): readonly Check[] {
  return [
    ...checkMissedSettings(options),
    ...[...warningsEvenIfQuiet, ...warnings].map(
      (found): Check => ({ name: "settings", verdict: "warn", found, remedy: null }),
    ),
  ];
}

/** Settings that session_redis before 18.0 does not read. */
function checkMissedSettings({ missedByOldApplets }: Pick<RunOptions, "missedByOldApplets">): readonly Check[] {
  return missedByOldApplets.map(({ name: title, found, remedy }) => {
    return { name: "settings", title, verdict: "warn", found, remedy, message: `${title}: ${found}. ${remedy}` };
  });
}
