import type { Conversion } from "../../convert/convert-session.js";
import type { Candidate, Entry } from "../../model/entry.js";
import type { FailureReason, OutcomeKind, SessionOutcome } from "../../model/outcome.js";
import type { FileStamp, ReadSession, SessionFile } from "../../model/session-file.js";
import type { Reading } from "../../source/read-session-file.js";
import { pathOf } from "../../source/recent-files.js";
import type { BatchOutcomes } from "./lane-result.js";
import type { Settlement } from "./settle-entries.js";

/** What a lane works with. */
export interface LaneParts {
  /** Told of `filesAhead` files before the first of them is read. */
  readonly ahead: (batch: readonly SessionFile[]) => Promise<void>;
  readonly read: (file: SessionFile) => Reading;
  /** Whether another file holds the same session later. */
  readonly isSuperseded: (file: SessionFile, stamp: FileStamp) => boolean;
  /** What earlier runs say about a session: whether it may replace what Redis holds, and what a missing key means. */
  readonly judge: (file: SessionFile, stamp: FileStamp, session: ConvertedSession) => Judgement;
  /** Told what became of each session that was settled, unless it is deferred. */
  readonly noteSettled: (entry: WrittenEntry, kind: OutcomeKind) => void;
  /** Deletes copy-written keys of sessions that are over by their own `deletion_time`. Throws where the run must end. */
  readonly deleteOver: (files: readonly SessionFile[]) => Promise<void>;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** One settlement for each candidate, in their order. Throws where the run must end. */
  readonly settle: (candidates: readonly Candidate[]) => Promise<readonly Settlement[]>;
  /**
   * Of what was written through one connection, takes back the keys of sessions whose files are gone since: their owners logged out. Gives
   * back their files. Throws where the run must end.
   */
  readonly takeBackGone: (
    written: readonly WrittenEntry[],
    timesLost: number,
  ) => Promise<ReadonlySet<SessionFile>>;
  /** Which connection writes: what is written through one that was lost meanwhile is not taken back. */
  readonly timesLost: () => number;
}

/** A session file whose entry was written, or whose key was renewed. */
export interface WrittenEntry {
  readonly file: SessionFile;
  readonly candidate: Candidate;
}

/** What earlier runs say about a session. */
export type Judgement = Pick<Candidate, "ifMissing" | "covered" | "unmodifiedSinceMark">;

/** A session that may be written. */
export type ConvertedSession = Extract<Conversion, { readonly kind: "entry" }>;

/** Files that may be read ahead at a time. */
export const filesAhead = 64;
/** Bytes of values that go to Redis at a time. */
const largestPipeline = 4 * 1024 * 1024;

interface Pending extends WrittenEntry {
  readonly outcome: SessionOutcome;
}

/** Does everything for a batch of session files: read, convert, settle. Only names go in and only outcomes come out. */
export async function runLane(batch: readonly SessionFile[], parts: LaneParts): Promise<BatchOutcomes> {
  const done: Done = { outcomes: [], deferred: [] };
  try {
    await workThrough(batch, parts, done);
    return done;
  } catch (error) {
    return { ...done, error };
  }
}

interface Done {
  readonly outcomes: SessionOutcome[];
  /** Files whose outcome waits until the whole directory was seen. */
  readonly deferred: SessionFile[];
}

async function workThrough(batch: readonly SessionFile[], parts: LaneParts, done: Done): Promise<void> {
  const over: SessionFile[] = [];
  let pending: Pending[] = [];
  let pendingBytes = 0;
  for (const [index, file] of batch.entries()) {
    if (index % filesAhead === 0) await parts.ahead(batch.slice(index, index + filesAhead));
    const result = convertFile(file, parts, over);
    if (!("candidate" in result)) {
      done.outcomes.push(located(result, file));
      continue;
    }
    pending.push(result);
    pendingBytes += result.candidate.entry.value.length;
    if (pendingBytes >= largestPipeline) {
      await settlePending(pending, parts, done);
      pending = [];
      pendingBytes = 0;
    }
  }
  await settlePending(pending, parts, done);
  if (over.length > 0) await parts.deleteOver(over);
}

function convertFile(file: SessionFile, parts: LaneParts, over: SessionFile[]): SessionOutcome | Pending {
  const { sid } = file;
  const reading = parts.read(file);
  if (reading.kind !== "read") return unreadOutcome(sid, reading);
  if (parts.isSuperseded(file, reading.stamp)) return supersededOutcome(sid, reading.read);
  const conversion = parts.convert(reading.read, sid);
  const bytes = conversion.kind === "entry" ? conversion.entry.value.length : 0;
  const outcome = conversionOutcome(sid, reading.read, conversion, bytes);
  if (conversion.kind === "expired" && conversion.deletedAtMs !== undefined) over.push(file);
  if (conversion.kind !== "entry") return outcome;
  const { entry, fullLifetimeMs } = conversion;
  const judged = parts.judge(file, reading.stamp, conversion);
  const candidate: Candidate = { entry, mtimeMs: reading.read.mtimeMs, fullLifetimeMs, ...judged };
  return { file, candidate, outcome };
}

/** What becomes of a file that was not read. */
export function unreadOutcome(
  sid: string,
  reading: Exclude<Reading, { readonly kind: "read" }>,
): SessionOutcome {
  if (reading.kind === "failed") return failed({ sid, bytesRead: 0 }, reading.reason, reading.detail);
  return { sid, kind: reading.kind, bytesRead: 0, bytesWritten: 0 };
}

export function supersededOutcome(sid: string, read: ReadSession): SessionOutcome {
  return { sid, kind: "superseded", bytesRead: read.bytes.length, bytesWritten: 0 };
}

/** What becomes of a session by its conversion alone; `copied`, with so many bytes, stands in for an entry until it is settled. */
export function conversionOutcome(
  sid: string,
  read: ReadSession,
  conversion: Conversion,
  bytesWritten = 0,
): SessionOutcome {
  const { format } = conversion;
  const bytesRead = read.bytes.length;
  if (conversion.kind === "failed") {
    return failed({ sid, format, bytesRead }, conversion.reason, conversion.detail);
  }
  const { facts, warning } = conversion;
  const kind = conversion.kind === "expired" ? "expired" : "copied";
  const outcome = { sid, kind, format, facts, bytesRead, bytesWritten } as const;
  return warning === undefined ? outcome : { ...outcome, warning };
}

async function settlePending(
  pending: readonly Pending[],
  parts: LaneParts,
  { outcomes, deferred }: Done,
): Promise<void> {
  if (pending.length === 0) return;
  const timesLost = parts.timesLost();
  const settlements = await parts.settle(pending.map(({ candidate }) => candidate));
  // The write would undo a logout that fell between it and the reading. What was written over a
  // newer entry is not taken back: the file may be gone because another run purged it, on the
  // strength of that entry.
  const written = pending.flatMap(({ file, candidate }, index) => {
    const entry = entryInRedis(candidate, settlements[index]);
    return entry === undefined ? [] : [{ file, candidate: { ...candidate, entry } }];
  });
  const gone = await parts.takeBackGone(written, timesLost);
  for (const [index, { file, candidate, outcome }] of pending.entries()) {
    const settlement = settlements[index];
    if (settlement?.kind === "deferred") {
      deferred.push(file);
      continue;
    }
    const settled = settledOutcome(outcome, settlement);
    if (settlement !== undefined) parts.noteSettled({ file, candidate }, settlement.kind);
    outcomes.push(
      gone.has(file) ? { ...settled, kind: "vanished", bytesWritten: 0 } : located(settled, file),
    );
  }
}

/**
 * What this run left in Redis and may take back; `undefined` if it left nothing, or wrote over
 * something newer.
 */
function entryInRedis({ entry }: Candidate, settlement: Settlement | undefined): Entry | undefined {
  if (settlement?.kind === "copied") return settlement.blindly === true ? undefined : entry;
  return settlement?.kind === "identical" ? settlement.renewed : undefined;
}

function settledOutcome(
  outcome: SessionOutcome,
  settlement: Exclude<Settlement, { readonly kind: "deferred" }> | undefined,
): SessionOutcome {
  if (settlement === undefined) return failed(outcome, "redis-error", "no reply");
  if (settlement.kind === "failed") return failed(outcome, settlement.reason, settlement.detail);
  const { kind, warning, inDoubt } = settlement;
  if (kind === outcome.kind && warning === undefined) return outcome;
  const written = kind === "copied" ? outcome.bytesWritten : 0;
  return {
    ...outcome,
    kind,
    bytesWritten: written,
    ...(warning === undefined ? {} : { warning }),
    ...(inDoubt === undefined ? {} : { inDoubt }),
  };
}

/** Why a session is in doubt. */
export const inDoubtDetail = "in doubt: Redis holds another value, and nothing tells which is newer";

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
): SessionOutcome {
  return { ...known, kind: "failed", failure: { sid: known.sid, reason, detail }, bytesWritten: 0 };
}
