import { type Conversion, type ConversionOptions, convertSession } from "../convert/convert-session.js";
import type { LifetimeOrigin } from "../convert/lifetime.js";
import type { Candidate } from "../model/entry.js";
import type { FailureReason, SessionOutcome } from "../model/outcome.js";
import type { FileStamp, ReadSession, SessionFile } from "../model/session-file.js";
import type { OtherLocations } from "../source/other-locations.js";
import type { Reading } from "../source/read-session-file.js";
import { pathOf } from "../source/recent-files.js";

/** A session that was read and converted, ready to be compared with Redis. */
export interface Prepared {
  readonly file: SessionFile;
  readonly stamp: Pick<FileStamp, "mtimeMs" | "ctimeMs">;
  readonly candidate: Candidate;
  readonly lifetimeOrigin: LifetimeOrigin;
  /** The outcome if it is written: `copied`. */
  readonly outcome: SessionOutcome;
}

/** A session that may be written. */
export type ConvertedSession = Extract<Conversion, { readonly kind: "entry" }>;

/** A session file that goes no further. */
export interface Finished {
  readonly file: SessionFile;
  readonly outcome: SessionOutcome;
  /** Whether the session is over by its own `deletion_time`. */
  readonly isOver: boolean;
}

/**
 * Converts a session file that was read, or tells what became of it. `locations`: where another
 * file of the same session may lie.
 */
export function prepareSession(
  file: SessionFile,
  reading: Reading,
  locations: OtherLocations,
  options: ConversionOptions,
): Prepared | Finished {
  const { sid } = file;
  const finished = (outcome: SessionOutcome, isOver = false): Finished => {
    return { file, outcome: located(outcome, file), isOver };
  };
  if (reading.kind !== "read") return finished(unreadOutcome(sid, reading));
  const { read, stamp } = reading;
  if (locations.laterFile(file, stamp) !== undefined) {
    return finished({ sid, kind: "superseded", bytesRead: read.bytes.length, bytesWritten: 0 });
  }
  const conversion = convertSession(read, sid, options, Date.now());
  const bytes = conversion.kind === "entry" ? conversion.entry.value.length : 0;
  const outcome = conversionOutcome(sid, read, conversion, bytes);
  if (conversion.kind !== "entry") {
    return finished(outcome, conversion.kind === "expired" && conversion.deletedAtMs !== undefined);
  }
  const { entry, fullLifetimeMs, lifetimeOrigin } = conversion;
  return {
    file,
    stamp: { mtimeMs: stamp.mtimeMs, ctimeMs: stamp.ctimeMs },
    candidate: { entry, mtimeMs: read.mtimeMs, fullLifetimeMs },
    lifetimeOrigin,
    outcome,
  };
}

/** What becomes of a file that was not read. */
export function unreadOutcome(sid: string, reading: Exclude<Reading, { readonly kind: "read" }>): SessionOutcome {
  if (reading.kind === "failed") return failed({ sid, bytesRead: 0 }, reading.reason, reading.detail);
  return { sid, kind: reading.kind, bytesRead: 0, bytesWritten: 0 };
}

/**
 * The outcome of a conversion. An entry counts as `copied`, with `bytesWritten`, until Redis says
 * otherwise.
 */
export function conversionOutcome(
  sid: string,
  read: ReadSession,
  conversion: Conversion,
  bytesWritten = 0,
): SessionOutcome {
  const { format } = conversion;
  const bytesRead = read.bytes.length;
  if (conversion.kind === "failed") {
    return failed({ sid, format, bytesRead }, conversion.reason, conversion.detail, conversion.suspicious);
  }
  const { facts, warning } = conversion;
  const kind = conversion.kind === "expired" ? "expired" : "copied";
  const lifetime = conversion.kind === "entry" ? { expiresAtMs: conversion.entry.expiresAtMs } : {};
  const { mtimeMs } = read;
  const outcome = { sid, kind, format, facts, mtimeMs, ...lifetime, bytesRead, bytesWritten } as const;
  return warning === undefined ? outcome : { ...outcome, warning };
}

/** Why a session is in doubt. */
export const inDoubtDetail = "in doubt: Redis holds another value, and it is not known which is newer";

/** An outcome, with the path of the file if it failed. */
export function located(outcome: SessionOutcome, file: SessionFile): SessionOutcome {
  const { failure } = outcome;
  return failure === undefined ? outcome : { ...outcome, failure: { ...failure, path: pathOf(file) } };
}

/** A session that failed, with what is known of it. */
export function failed(
  known: Pick<SessionOutcome, "sid" | "bytesRead" | "format" | "facts">,
  reason: FailureReason,
  detail: string,
  suspicious?: true,
): SessionOutcome {
  const failure = { sid: known.sid, reason, detail, ...(suspicious && { suspicious }) };
  return { ...known, kind: "failed", failure, bytesWritten: 0 };
}
