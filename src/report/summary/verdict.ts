import { countOf, countText } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { Report } from "../schema/report-schema.js";
import { placeText } from "../shards.js";

/** The first sentence of a summary, and whether it is a good one. */
export interface Verdict {
  readonly text: string;
  readonly isGood: boolean;
}

/** What is judged: a run with its report. */
export interface Judged {
  readonly command: SessionCommand;
  readonly report: Report;
  /** Whether the files are to be removed after the copy. */
  readonly purges: boolean;
}

/** What a run came to in one sentence or two. */
export function verdictOf(judged: Judged): Verdict {
  const { report } = judged;
  const { outcome, dryRun, sessions } = report;
  const isGood = outcome === "complete";
  const isDry = dryRun ? "Dry run: nothing was changed. " : "";
  if (sessions.found + sessions.unvisited === 0 && isGood) {
    const place = ofKeys.has(judged.command)
      ? `session key in ${report.target.redis ?? "Redis"}`
      : `session file in ${placeText(report.source)}`;
    return { text: `Nothing to do: no ${place}.`, isGood };
  }
  const text = isGood ? goodText(judged) : `${badWord(judged)}: ${essenceOf(judged)}.`;
  return { text: `${isDry}${text}`, isGood };
}

/** The commands that take keys, and not files. */
const ofKeys: ReadonlySet<string> = new Set(["export", "verify --reverse"]);

function goodText({ command, report, purges }: Judged): string {
  const { sessions, dryRun, failures, failuresOmitted, target } = report;
  const found = sessions.found;
  const failed = failures.length + failuresOmitted;
  const done = dryRun ? "" : "Done. ";
  const place = placeText(report.source);
  if (ofKeys.has(command)) return goodExportText(report);
  if (command === "purge") {
    const removed = sessions.removed ?? 0;
    const isAll = removed === found;
    const most = isAll ? all(found, "session file") : `${countText(removed)} of ${countOf(found, "session file")}`;
    const result = dryRun ? "would be removed" : was(removed, "removed");
    return `${done}${most} of ${place} ${result}${isAll ? "" : "; the others are accounted for"}.`;
  }
  const others = `All but ${countText(failed)} of ${countOf(found, "session")}`;
  const most = `${failed === 0 ? all(found, "session") : others} of ${place}`;
  const are = is(found);
  if (command === "verify") {
    const right = (sessions.equal ?? 0) + (sessions.newer ?? 0);
    if (right === 0) return `${done}${most} ${are} accounted for; none has to be in Redis.`;
    const pronoun = found === 1 ? "it" : "they";
    return `${done}${most} ${are} in ${target.redis ?? "Redis"} as ${pronoun} should be.`;
  }
  if (dryRun) return `${most} could be copied.`;
  const { purged } = sessions;
  const removed = purges ? `; the files of ${countText(purged)} ${was(purged, "removed")}` : "";
  return `${done}${most} ${are} accounted for${removed}.`;
}

function badWord({ command, report, purges }: Judged): string {
  const { outcome, exitCode, sessions, failures } = report;
  if (outcome === "interrupted" || exitCode === 6) return "STOPPED";
  // A copy that took every session: what is wrong came after it.
  const isCopied = command === "copy" && sessions.unvisited === 0 && failures.length === 0;
  if (isCopied && purges) return "NOT REMOVED";
  if (isCopied && exitCode === 4) return "NOT SAFE";
  return outcome === "partial" && sessions.unvisited === 0 ? "NOT ALL" : "FAILED";
}

/**
 * What a run that did not end well came to, without its full stop: against everything that was
 * listed.
 */
export function essenceOf({ command, report, purges }: Judged): string {
  if (ofKeys.has(command)) return exportEssence(report);
  const { sessions, listed, dryRun, exitCode, outcome } = report;
  const { unvisited } = sessions;
  const atLeast = listed === null && unvisited > 0 ? "at least " : "";
  const total = `${atLeast}${countText(sessions.found + unvisited)}`;
  const notReached =
    unvisited > 0
      ? `; ${atLeast}${countText(unvisited)} ${was(unvisited, "not reached")}`
      : listed === null
        ? "; how many were not reached is not known"
        : "";
  const failed = report.failures.length + report.failuresOmitted;
  if (command === "purge") {
    const removed = sessions.removed ?? 0;
    const result = dryRun ? "would be removed" : was(removed, "removed");
    return `${countText(removed)} of ${total} session files ${result}${notReached}`;
  }
  if (command === "verify") {
    const right = (sessions.equal ?? 0) + (sessions.newer ?? 0);
    const bad = (sessions.missing ?? 0) + (sessions.different ?? 0) + (sessions["wrong-lifetime"] ?? 0) + failed;
    if (outcome !== "partial" || unvisited > 0 || bad === 0) {
      return `${countText(right)} of ${total} sessions ${is(right)} in Redis as they should be${notReached}`;
    }
    return `${countText(bad)} of ${total} sessions ${is(bad)} not in Redis as they should be`;
  }
  if (exitCode === 1 && unvisited === 0) {
    const result = dryRun ? "could not be copied" : `${is(failed)} not in Redis`;
    return `${countText(failed)} of ${total} sessions ${result}; their owners must log in again`;
  }
  const { copied = 0, identical = 0, kept = 0 } = sessions;
  const stored = copied + identical + kept;
  const inRedis = `${countText(stored)} of ${total} sessions ${dryRun ? "could be" : is(stored)} in Redis`;
  if (purges) {
    const { purged } = sessions;
    const removed = `${countText(purged)} of their files ${dryRun ? "would be removed" : was(purged, "removed")}`;
    return `${inRedis}${notReached}; ${removed}`;
  }
  return exitCode === 4 ? `${inRedis}, but keys were evicted or lost, or too many ended` : `${inRedis}${notReached}`;
}

/** The verdict of an export, or of a comparison of all keys with their files, that ended well. */
function goodExportText(report: Report): string {
  const { sessions, dryRun, source, target, failures, failuresOmitted } = report;
  const failed = failures.length + failuresOmitted;
  const found = countOf(sessions.found, "session");
  const most = failed === 0 ? all(sessions.found, "session") : `All but ${countText(failed)} of ${found}`;
  const inRedis = `${most} in ${target.redis ?? "Redis"}`;
  const are = is(sessions.found);
  if (sessions.exported === undefined) return `Done. ${inRedis} ${are} in ${placeText(source)} as they should be.`;
  return dryRun
    ? `${inRedis} could be exported.`
    : `Done. ${inRedis} ${are} in ${placeText(source)}, or accounted for.`;
}

/** What one came to that did not end well, without its full stop. */
function exportEssence(report: Report): string {
  const { sessions, dryRun } = report;
  const { exported, identical = 0, kept = 0, equal = 0, newer = 0, unvisited } = sessions;
  const right = exported === undefined ? equal + newer : exported + identical + kept;
  const are = dryRun ? "could be" : is(right);
  const notReached = unvisited === 0 ? "" : `; ${countText(unvisited)} not reached`;
  const total = countOf(sessions.found + unvisited, "session");
  return `${countText(right)} of ${total} ${are} in files as they should be${notReached}`;
}

function all(count: number, noun: string): string {
  return count === 1 ? `The only ${noun}` : `All ${countOf(count, noun)}`;
}

function is(count: number): string {
  return count === 1 ? "is" : "are";
}

function was(count: number, what: string): string {
  return `${count === 1 ? "was" : "were"} ${what}`;
}
