import type { Conversion } from "../convert/convert-session.js";
import type { Candidate, Entry } from "../model/entry.js";
import type { FailureReason, SessionOutcome } from "../model/outcome.js";
import type { ReadSession, SessionFile } from "../model/session-file.js";
import type { Reading } from "../source/read-session-file.js";
import type { Settlement } from "./settle-entries.js";

/** What a lane works with. */
export interface LaneParts {
  readonly read: (file: SessionFile) => Reading;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** One settlement for each candidate, in their order. Throws where the run must end. */
  readonly settle: (candidates: readonly Candidate[]) => Promise<readonly Settlement[]>;
  /** Whether a file that was read is gone: its owner logged out. */
  readonly isGone: (file: SessionFile) => boolean;
  /** Deletes keys where they still hold exactly what this run wrote. Throws where the run must end. */
  readonly takeBack: (entries: readonly Entry[]) => Promise<void>;
}

/** What a lane gives back. */
export interface LaneResult {
  /** One for each session file of the batch; where the run must end, for those that were done before. */
  readonly outcomes: readonly SessionOutcome[];
  /** What ends the run; absent where nothing does. */
  readonly error?: unknown;
}

/** Bytes of values that go to Redis at a time. */
const largestPipeline = 4 * 1024 * 1024;

interface Pending {
  readonly file: SessionFile;
  readonly candidate: Candidate;
  readonly outcome: SessionOutcome;
}

/** Does everything for a batch of session files: read, convert, settle. Only names go in and only outcomes come out. */
export async function runLane(batch: readonly SessionFile[], parts: LaneParts): Promise<LaneResult> {
  const outcomes: SessionOutcome[] = [];
  try {
    await workThrough(batch, parts, outcomes);
    return { outcomes };
  } catch (error) {
    return { outcomes, error };
  }
}

async function workThrough(
  batch: readonly SessionFile[],
  parts: LaneParts,
  outcomes: SessionOutcome[],
): Promise<void> {
  let pending: Pending[] = [];
  let pendingBytes = 0;
  for (const file of batch) {
    const result = convertFile(file, parts);
    if (!("candidate" in result)) {
      outcomes.push(result);
      continue;
    }
    pending.push(result);
    pendingBytes += result.candidate.entry.value.length;
    if (pendingBytes >= largestPipeline) {
      await settlePending(pending, parts, outcomes);
      pending = [];
      pendingBytes = 0;
    }
  }
  await settlePending(pending, parts, outcomes);
}

function convertFile(file: SessionFile, parts: LaneParts): SessionOutcome | Pending {
  const { sid } = file;
  const reading = parts.read(file);
  if (reading.kind === "failed") return failed({ sid, bytesRead: 0 }, reading.reason, reading.detail);
  if (reading.kind !== "read") return { sid, kind: reading.kind, bytesRead: 0, bytesWritten: 0 };
  const conversion = parts.convert(reading.read, sid);
  const known = { sid, format: conversion.format, bytesRead: reading.read.bytes.length };
  if (conversion.kind === "failed") return failed(known, conversion.reason, conversion.detail);
  const { facts, warning } = conversion;
  const decoded = { ...known, facts, ...(warning === undefined ? {} : { warning }) };
  if (conversion.kind === "expired") return { ...decoded, kind: "expired", bytesWritten: 0 };
  const { entry, fullLifetimeMs } = conversion;
  const candidate = { entry, mtimeMs: reading.read.mtimeMs, fullLifetimeMs };
  return { file, candidate, outcome: { ...decoded, kind: "copied", bytesWritten: entry.value.length } };
}

async function settlePending(
  pending: readonly Pending[],
  parts: LaneParts,
  outcomes: SessionOutcome[],
): Promise<void> {
  if (pending.length === 0) return;
  const settlements = await parts.settle(pending.map(({ candidate }) => candidate));
  const done = pending.map((one, index) => ({
    ...one,
    outcome: settledOutcome(one.outcome, settlements[index]),
  }));
  // A logout that fell between reading and writing would be undone by the write.
  const ended = new Set(done.filter(({ outcome, file }) => outcome.kind === "copied" && parts.isGone(file)));
  if (ended.size > 0) await parts.takeBack([...ended].map(({ candidate }) => candidate.entry));
  for (const one of done) {
    outcomes.push(ended.has(one) ? { ...one.outcome, kind: "vanished", bytesWritten: 0 } : one.outcome);
  }
}

function settledOutcome(outcome: SessionOutcome, settlement: Settlement | undefined): SessionOutcome {
  if (settlement === undefined) return failed(outcome, "redis-error", "no reply");
  if (settlement.kind === "failed") return failed(outcome, settlement.reason, settlement.detail);
  const { kind, warning } = settlement;
  const written = kind === "copied" ? outcome.bytesWritten : 0;
  return { ...outcome, kind, bytesWritten: written, ...(warning === undefined ? {} : { warning }) };
}

function failed(
  known: Pick<SessionOutcome, "sid" | "bytesRead" | "format" | "facts">,
  reason: FailureReason,
  detail: string,
): SessionOutcome {
  return { ...known, kind: "failed", failure: { sid: known.sid, reason, detail }, bytesWritten: 0 };
}
