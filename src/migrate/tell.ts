import { SourceError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { ScanTally } from "../model/session-file.js";
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
  out.warn(
    `${countOf(longSids, "session id")} of 84 or more characters: session_redis reads them only from 19.0 on ` +
      "(84 characters; none is known to read the 86 of saas-19.1). Before 19.0 their owners are logged out " +
      "at the switch",
    { evenIfQuiet: true },
  );
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

/** Throws `SourceError` if a scatter folder could not be read: the run is not complete. */
export function refuseUnreadable({ unreadable }: ScanTally): void {
  const [first] = unreadable;
  if (first === undefined) return;
  const others = unreadable.length - 1;
  throw new SourceError(others === 0 ? first.message : `${first.message}, and ${others} more`);
}
