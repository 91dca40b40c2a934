import type { Conversion } from "../convert/convert-session.js";
import type { Entry } from "../model/entry.js";
import type { FailureReason, SessionOutcome } from "../model/outcome.js";
import type { ReadSession, SessionFile } from "../model/session-file.js";
import type { Write } from "../redis/write-entries.js";
import type { Reading } from "../source/read-session-file.js";

/** What a lane works with. */
export interface LaneParts {
  readonly read: (file: SessionFile) => Reading;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** One result for each entry, in their order. Throws where the run must end. */
  readonly write: (entries: readonly Entry[]) => Promise<readonly Write[]>;
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
  readonly entry: Entry;
  readonly outcome: SessionOutcome;
}

/** Does everything for a batch of session files: read, convert, write. Only names go in and only outcomes come out. */
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
    if (!("entry" in result)) {
      outcomes.push(result);
      continue;
    }
    pending.push(result);
    pendingBytes += result.entry.value.length;
    if (pendingBytes >= largestPipeline) {
      await writePending(pending, parts, outcomes);
      pending = [];
      pendingBytes = 0;
    }
  }
  await writePending(pending, parts, outcomes);
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
  const { entry } = conversion;
  return { entry, outcome: { ...decoded, kind: "copied", bytesWritten: entry.value.length } };
}

async function writePending(
  pending: readonly Pending[],
  parts: LaneParts,
  outcomes: SessionOutcome[],
): Promise<void> {
  if (pending.length === 0) return;
  const writes = await parts.write(pending.map(({ entry }) => entry));
  for (const [index, { outcome }] of pending.entries()) {
    const write = writes[index];
    if (write === undefined || write.kind === "failed") {
      outcomes.push(failed(outcome, "redis-error", write?.detail ?? "no reply"));
    } else
      outcomes.push(write.kind === "copied" ? outcome : { ...outcome, kind: write.kind, bytesWritten: 0 });
  }
}

function failed(
  known: Pick<SessionOutcome, "sid" | "bytesRead" | "format" | "facts">,
  reason: FailureReason,
  detail: string,
): SessionOutcome {
  return { ...known, kind: "failed", failure: { sid: known.sid, reason, detail }, bytesWritten: 0 };
}
