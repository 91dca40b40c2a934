import { coarseTimeMs } from "../model/coarse-time.js";
import type { IfMissing } from "../model/entry.js";
import type { DirectoryFacts, DirectoryMark, Expirations, KeyEvidence } from "../model/mark.js";
import type { ServerWorks } from "../model/report.js";
import type { FileStamp } from "../model/session-file.js";
import { type LifetimeOrigin, secondsFor } from "./lifetime.js";
import { isModifiedSince } from "./modified-since.js";

/** A modification that is older does not tell that the server still works on files. */
export const recentMs = 4 * 3600 * 1000;

/** Where the server of a session directory works (spec.md section 4). */
export function locateServer(
  keys: KeyEvidence,
  { mark, latestMtimeMs }: Pick<DirectoryFacts, "mark" | "latestMtimeMs">,
  nowMs: number,
): ServerWorks {
  if (keys === "server-saved") return "redis";
  if (keys === "unknown") return "unknown";
  const isRecent = Math.abs(nowMs - latestMtimeMs) < recentMs;
  const savesFiles =
    mark === undefined ||
    (isRecent && isModifiedSince({ mtimeMs: latestMtimeMs, ctimeMs: 0 }, mark.startedMs, false));
  return savesFiles ? "files" : "unknown";
}

/** A session of which the key is missing. */
export interface MissingSession {
  readonly stamp: Pick<FileStamp, "mtimeMs" | "ctimeMs">;
  readonly fullLifetimeMs: number;
  readonly lifetimeOrigin: LifetimeOrigin;
}

/** Whether a directory's mark counts for a file: it was not modified since. */
export function isCovered(stamp: MissingSession["stamp"], facts: DirectoryFacts): boolean {
  return facts.mark !== undefined && !isModifiedSince(stamp, facts.mark.startedMs, facts.changeTimesCount);
}

/**
 * What a missing key means: to be written, or a session that ended in Redis (spec.md section 4, "Marks"). The current expirations count for a mark
 * that names none.
 */
export function explainMissing(
  session: MissingSession,
  facts: DirectoryFacts,
  current: Expirations,
  nowMs: number,
): IfMissing {
  const { mark, serverWorks, endedCounts, latestMtimeMs, whole } = facts;
  if (mark === undefined || !endedCounts || serverWorks === "files" || !isCovered(session.stamp, facts)) {
    return "write";
  }
  const overMs = keyIsOverAt(session, mark, current);
  // The server still saved in files after the key ran out, so nobody can have logged out of Redis before.
  if (overMs < nowMs && latestMtimeMs > Math.max(overMs, mark.startedMs)) return "write";
  if (whole) return "ended";
  return overMs < nowMs || serverWorks === "unknown" ? "unknown" : "ended";
}

/** When a key that earlier copies wrote has run out for certain, milliseconds since the epoch. */
function keyIsOverAt(
  { stamp, fullLifetimeMs, lifetimeOrigin }: MissingSession,
  mark: DirectoryMark,
  current: Expirations,
): number {
  const lifetimeMs =
    lifetimeOrigin === "own" ? fullLifetimeMs : 1000 * secondsFor(lifetimeOrigin, mark.shortest ?? current);
  const startMs = mark.ttl === "remaining" ? stamp.mtimeMs : Math.max(stamp.mtimeMs, mark.renewedMs);
  return startMs + lifetimeMs;
}

/**
 * Whether a complete run that did not keep what Redis held read a file as it is: then Redis's value
 * is the later one, and a purge may remove the file. So every file time counts as up to 2 s late.
 */
export function isUnmodifiedSinceMark(
  stamp: MissingSession["stamp"],
  facts: DirectoryFacts | undefined,
): boolean {
  const startedMs = facts?.mark?.startedWithoutKeepMs;
  return startedMs !== undefined && stamp.mtimeMs <= startedMs - coarseTimeMs;
}
