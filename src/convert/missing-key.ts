import type { IfMissing } from "../model/entry.js";
import type { DirectoryFacts, DirectoryMark, Expirations, KeyEvidence } from "../model/mark.js";
import type { ServerWorks } from "../model/server-evidence.js";
import { type FileStamp, fileTimeSlackMs } from "../model/session-file.js";
import { type LifetimeOrigin, secondsFor } from "./lifetime.js";

/** A modification this close to now, in milliseconds, suggests that a server works on files. */
export const activityWindowMs = 4 * 3600 * 1000;
/** File times with fractions lag by at most a tick of the kernel's clock, milliseconds. */
const fineTimeMs = 50;

/** Where the server of a session directory keeps its sessions now (spec.md section 4). */
export function locateServer(
  keys: KeyEvidence,
  { mark, latestMtimeMs }: Pick<DirectoryFacts, "mark" | "latestMtimeMs">,
  nowMs: number,
): ServerWorks {
  if (keys === "server-saved") return "redis";
  if (keys === "unknown") return "unknown";
  const isRecent = Math.abs(nowMs - latestMtimeMs) < activityWindowMs;
  const savesFiles =
    mark === undefined ||
    (isRecent && mayBeModifiedSince({ mtimeMs: latestMtimeMs, ctimeMs: 0 }, mark.startedMs, false));
  return savesFiles ? "files" : "unknown";
}

/** A session whose key is missing. */
export interface MissingSession {
  readonly stamp: Pick<FileStamp, "mtimeMs" | "ctimeMs">;
  readonly fullLifetimeMs: number;
  readonly lifetimeOrigin: LifetimeOrigin;
}

/** Whether a directory's mark covers a file: there is one, and the file was not modified since. */
export function isCoveredByMark(stamp: MissingSession["stamp"], facts: DirectoryFacts | undefined): boolean {
  if (facts?.mark === undefined) return false;
  return !mayBeModifiedSince(stamp, facts.mark.startedMs, facts.changeTimesCount);
}

/**
 * Decides whether to write a missing key, or to take it for a session that ended in Redis (spec.md
 * section 4, "Marks"). `current` stands in for a mark that names no expirations.
 */
export function explainMissing(
  session: MissingSession,
  facts: DirectoryFacts | undefined,
  current: Expirations,
  nowMs: number,
): IfMissing {
  if (facts?.mark === undefined || !isCoveredByMark(session.stamp, facts)) return "write";
  const { mark, serverWorks, endedCounts, latestMtimeMs, whole } = facts;
  if (!endedCounts || serverWorks === "files") return "write";
  const keyExpiredMs = latestExpiryOfKey(session, mark, current);
  // The server still saved to files after the key expired, so nobody logged out of Redis before
  // that.
  if (keyExpiredMs < nowMs && latestMtimeMs > Math.max(keyExpiredMs, mark.startedMs)) return "write";
  if (whole) return "ended";
  return keyExpiredMs < nowMs || serverWorks === "unknown" ? "unknown" : "ended";
}

/** When a key from earlier copies expired at the latest, milliseconds since the epoch. */
function latestExpiryOfKey(
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
 * Whether a complete run without `--on-conflict keep` has read the file as it is now. Then the
 * value in Redis is newer and a purge may remove the file, so file times count as up to 2 s late.
 */
export function isUnmodifiedSinceMark(stamp: MissingSession["stamp"], facts: DirectoryFacts | undefined): boolean {
  const startedMs = facts?.mark?.startedWithoutKeepMs;
  return startedMs !== undefined && stamp.mtimeMs <= startedMs - fileTimeSlackMs;
}

/**
 * Whether a file may have been modified since an instant, milliseconds since the epoch (spec.md
 * section 1). Change times count unless something like a chown touched every file. Times in whole
 * seconds may lag by 2 s; finer ones count as exact. Otherwise a user saved just before a copy, who
 * then logs out of Redis, would come back with the next copy.
 */
export function mayBeModifiedSince(
  { mtimeMs, ctimeMs }: Pick<FileStamp, "mtimeMs" | "ctimeMs">,
  sinceMs: number,
  changeTimesCount: boolean,
): boolean {
  return latest(mtimeMs) > sinceMs || (changeTimesCount && latest(ctimeMs) > sinceMs);
}

/** The latest instant that a file time may stand for. */
function latest(timeMs: number): number {
  return timeMs + (timeMs % 1000 === 0 ? fileTimeSlackMs : fineTimeMs);
}
