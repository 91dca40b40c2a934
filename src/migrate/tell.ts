import { availableParallelism } from "node:os";
import { type Explanation, SourceError } from "../model/errors.js";
import type { Survey } from "../model/mark.js";
import { bytesText, countOf, countText, durationText } from "../model/number-text.js";
import type { RedisFacts } from "../model/redis-facts.js";
import type { RunOptions } from "../model/run-options.js";
import type { KeyLayoutEvidence } from "../model/server-evidence.js";
import type { ScanTally } from "../model/session-file.js";
import { showable, showablePath } from "../model/showable.js";
import type { Listing } from "../source/list-sessions.js";
import type { SeenDirectories } from "./earlier-runs/learn.js";
import type { UnconnectedRun } from "./run-context.js";

type Told = Pick<UnconnectedRun, "record" | "out">;

/**
 * Warns of sids that some applets do not read [session_redis 12.0 to 18.0 accept 40 hex digits
 * only].
 */
export function tellLongSids({ record, out }: Told): void {
  const { longSids } = record.tally;
  if (longSids === 0) return;
  const { found, remedy } = explainLongSids(longSids);
  out.warn(`${found}. ${remedy}`, { evenIfQuiet: true });
}

/** What sids of 84 characters or more mean for the users, and how many there are. */
export function explainLongSids(count: number): Explanation {
  return {
    found:
      `${countOf(count, "session id")} of 84 or more characters: session_redis reads them only from 19.0 on ` +
      "(84 characters; none is known to read the 86 of saas-19.1)",
    remedy: "Before 19.0 their owners are logged out at the switch",
  };
}

/** Warns of sessions in doubt: a person must decide which value counts. */
export function tellDoubt({ record, out }: Told): void {
  const { inDoubt } = record.ledger.counts;
  if (inDoubt > 0) out.warn(doubtText(inDoubt), { evenIfQuiet: true });
}

/** What a person can do about conflicts in doubt. */
export function doubtText(count: number): string {
  const differ = count === 1 ? "1 session differs" : `${count} sessions differ`;
  return (
    `${differ} between file and Redis, and it is not known which is newer: the value in Redis was kept. ` +
    "If no server uses this Redis any more (it went back to files), copy with --on-conflict overwrite; " +
    "if one does, use --on-conflict keep"
  );
}

/** What it means that many keys of an earlier copy are missing. */
export function endedText(verdict: "doubtful" | "lost", seen: SeenDirectories["all"]): string {
  const all = [...seen.values()];
  const ended = all.reduce((sum, one) => sum + one.ended, 0);
  const covered = all.reduce((sum, one) => sum + one.covered, 0);
  const facts = `${ended} of ${covered} sessions that an earlier run copied are no longer in Redis`;
  const meaning =
    verdict === "lost"
      ? ", and that run was less than 3 hours ago: their keys were deleted or lost. Nothing is removed."
      : ": their keys may have been deleted.";
  return `${facts}${meaning} If the server still works on files, copy with --again`;
}

/** How people see what Redis says about itself. Undefined: it does not say. */
export function redisText(
  { version, clockLeadMs }: { readonly version: string | undefined; readonly clockLeadMs: number },
  facts: RedisFacts | null,
): string {
  const lead = Math.round(clockLeadMs / 100) / 10;
  const clock = lead === 0 ? "its clock agrees with ours" : `its clock is ${lead} s ahead of ours`;
  const known = [
    `Redis ${version === undefined ? "of a version that it does not tell" : showable(version)}`,
    facts?.role,
    facts?.persistence === true ? "saves to disk" : facts?.persistence === false ? "no persistence" : null,
    clock,
  ];
  const used = facts?.memoryBefore;
  if (used !== undefined && used !== null) {
    known.push(`uses ${bytesText(used)} of ${facts?.memoryLimit ? bytesText(facts.memoryLimit) : "no limit"}`);
  }
  return known.filter((part) => part !== null && part !== undefined).join(", ");
}

const evidenceTexts: Readonly<Record<KeyLayoutEvidence, string>> = {
  named: "--key-layout names the layout",
  found: "a server saved keys of this layout",
  both: "servers saved keys of both layouts",
  none: "nothing in Redis says otherwise",
};

/** Under which keys the sessions lie, and why. `prefix`: what stands before the sid. */
export function keysText(prefix: string, evidence: KeyLayoutEvidence): string {
  return `keys: ${showable(prefix)}<sid>, because ${evidenceTexts[evidence]}`;
}

/** Where the server works, and by what a run knows it. */
export function serverText({ keys, directories, serverWorks }: Survey, nowMs: number): string {
  const where = {
    files: "the server works on files",
    redis: "the server works on Redis",
    unknown: "it is unknown where the server works",
  }[serverWorks];
  const seen = {
    "server-saved": "Redis holds a key that a server saved",
    none: "Redis holds no key that a server saved",
    unknown: "Redis does not show whether a server saved keys",
  }[keys];
  const earlier = directories.map(({ directory, mark }) => {
    const since = mark === undefined ? null : durationText(Math.max(0, nowMs - mark.startedMs) / 1000);
    const run = since === null ? "no earlier complete run" : `a complete run ${since} ago`;
    return `${run} over ${showablePath(directory)}`;
  });
  return `${where}: ${[seen, ...earlier].join(", ")}`;
}

/** Throws `SourceError` if a scatter folder could not be read: the run is not complete. */
export function refuseUnreadable({ unreadable }: ScanTally): void {
  const [first] = unreadable;
  if (first === undefined) return;
  const others = unreadable.length - 1;
  throw new SourceError(others === 0 ? first.message : `${first.message}, and ${others} more`);
}

/** `2,010 session files in /srv/s`, for each directory. */
export function listingText({ directories, isComplete }: Listing): string {
  const found = directories.map(({ directory, count, ofAllShards }) => {
    const all = count === ofAllShards ? "" : `, of ${countText(ofAllShards)} in all shards,`;
    return `${countOf(count, "session file")}${all} in ${showablePath(directory)}`;
  });
  return `listed ${found.join(", ") || "nothing"}${isComplete ? "" : " before the run was stopped"}`;
}

/** How many threads read, and why. */
export function threadsText({ run: { lanes, maxRate } }: RunOptions, count: number): string {
  const processors = countOf(availableParallelism(), "processor");
  const reason =
    lanes !== null
      ? "--lanes asks for it"
      : count > 1
        ? `there are ${processors} and many files`
        : maxRate !== null
          ? "--max-rate is set"
          : `with ${processors} and this many files, more would be no faster`;
  return `${countOf(count, "thread")}: ${reason}`;
}
