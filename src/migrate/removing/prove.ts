import type { Conversion } from "../../convert/convert-session.js";
import type { Comparison } from "../../convert/decide-conflict.js";
import type { Candidate } from "../../model/entry.js";
import type { SessionOutcome } from "../../model/outcome.js";
import type { ExactStamp, FileStamp, ReadSession, SessionFile } from "../../model/session-file.js";
import type { StoredText, StoredValue } from "../../model/stored-value.js";
import type { ExactReading } from "../../source/read-session-file.js";
import { type ConvertedSession, conversionOutcome, failed, unreadOutcome } from "../prepare-session.js";

/** What files are proven with. */
export interface ProofParts {
  /** Reads a file at its own path and nowhere else. */
  readonly read: (file: SessionFile) => ExactReading;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** Absent if Redis is not asked: every file that holds a session may be removed. */
  readonly redis?: RedisParts;
}

/** What files are proven with if Redis is asked. */
export interface RedisParts {
  /** A newer file of this session; `undefined` if there is none. */
  readonly laterFile: (file: SessionFile, stamp: FileStamp) => SessionFile | undefined;
  /** What Redis holds now. Throws what `SessionStore` throws. */
  readonly look: (sids: readonly string[]) => Promise<readonly StoredValue[]>;
  readonly compare: (candidate: Candidate, stored: StoredText) => Comparison;
  /** Whether a complete run that did not keep what Redis held read the file as it is. */
  readonly isUnmodified: (file: SessionFile, stamp: FileStamp) => boolean;
  /** What a missing key means: its session ended in Redis, or should be there. */
  readonly explainMissing: (file: SessionFile, stamp: FileStamp, session: ConvertedSession) => "ended" | "absent";
  /** Which sids Redis has a key for now. Throws what `SessionStore` throws. */
  readonly exist: (sids: readonly string[]) => Promise<readonly boolean[]>;
  /** Whether files are removed that Redis does not hold. Sessions that failed stay anyway. */
  readonly unconditional: boolean;
}

/** A session file that may be removed. */
export interface ProvenFile {
  readonly file: SessionFile;
  readonly exact: ExactStamp;
  /** Last modification, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** Last change of the file or its name: the later of its times, milliseconds since the epoch. */
  readonly changedMs: number;
  /**
   * Whether its times show every change since it was read. A younger file may change without that.
   */
  readonly settled: boolean;
  /** The outcome if it is removed. */
  readonly outcome: SessionOutcome;
  /** Whether Redis holds an equal or newer entry. */
  readonly stored: boolean;
}

/** A proven file, or its outcome. `leaves`: whether the purge was to remove it, and left it. */
export type Proof =
  | { readonly proven: ProvenFile }
  | { readonly file: SessionFile; readonly outcome: SessionOutcome; readonly leaves: boolean };

/** A file that changed this recently may change again with the same times, milliseconds. */
export const youngMs = 2000;

/** Files of expired sessions stay as long as servers keep them [odoo/http.py, `session_gc`]. */
const expiredForMs = 7 * 24 * 3600 * 1000;

/** Reads and converts a file, or tells what became of it. */
function readSession(
  file: SessionFile,
  parts: ProofParts,
): ReadFile | Extract<Proof, { readonly outcome: SessionOutcome }> {
  const reading = parts.read(file);
  if (reading.kind !== "read") {
    return { file, outcome: unreadOutcome(file.sid, reading), leaves: reading.kind === "failed" };
  }
  const conversion = parts.convert(reading.read, file.sid);
  if (conversion.kind === "failed") {
    const outcome = conversionOutcome(file.sid, reading.read, conversion);
    return { file, outcome, leaves: !removesAll(parts) };
  }
  return { file, reading, conversion };
}

/** Whether every session is removed. Then a file that holds none was not left. */
function removesAll({ redis }: ProofParts): boolean {
  return redis === undefined || redis.unconditional;
}

/** A file that may be removed as it was read, though Redis may not hold it. */
function provenOf({ file, reading: { read, stamp, exact }, conversion }: ReadFile): ProvenFile {
  const { mtimeMs, openedAtMs } = read;
  const changedMs = Math.max(stamp.mtimeMs, stamp.ctimeMs);
  const outcome = { ...conversionOutcome(file.sid, read, conversion), kind: "removed" as const };
  return { file, exact, mtimeMs, changedMs, settled: changedMs < openedAtMs - youngMs, outcome, stored: false };
}

interface ReadFile {
  readonly file: SessionFile;
  readonly reading: Extract<ExactReading, { readonly kind: "read" }>;
  readonly conversion: Exclude<Conversion, { readonly kind: "failed" }>;
}

/**
 * Proves a batch: files that Redis holds an equal or newer entry of, and expired ones, may be
 * removed; if Redis is not asked, every file that holds a session. Changes nothing. Throws what
 * `SessionStore` throws.
 */
export async function proveBatch(batch: readonly SessionFile[], parts: ProofParts): Promise<Proof[]> {
  const proofs: Proof[] = [];
  const readable: ReadFile[] = [];
  for (const file of batch) {
    const read = readSession(file, parts);
    if ("outcome" in read) proofs.push(read);
    else readable.push(read);
  }
  if (readable.length === 0) return proofs;
  const stored = await parts.redis?.look(readable.map(({ file }) => file.sid));
  for (const [index, one] of readable.entries()) {
    proofs.push((await proofOfSuperseded(one, parts)) ?? proofOf(one, stored?.[index], parts));
  }
  return proofs;
}

/**
 * A superseded file may be removed if the newer one is proven. `undefined` if there is no newer
 * file, or it is gone.
 */
async function proofOfSuperseded(one: ReadFile, parts: ProofParts): Promise<Proof | undefined> {
  const { redis } = parts;
  if (redis === undefined || redis.unconditional || one.conversion.facts.hasOneKey === true) return undefined;
  const { file, reading } = one;
  const later = redis.laterFile(file, reading.stamp);
  if (later === undefined) return undefined;
  const [its] = await proveBatch([later], parts);
  const proven = provenOf(one);
  if (its !== undefined && "proven" in its) return { proven: { ...proven, stored: its.proven.stored } };
  if (its === undefined || its.outcome.kind === "vanished") return undefined;
  const detail = "superseded by a file that is not proven";
  return { file, outcome: { ...proven.outcome, kind: "kept", detail }, leaves: true };
}

/**
 * Proves files again just before they are removed. Those that may have changed with the same times,
 * and those whose key is gone, are proven from the start; for the others, the key still exists.
 * Returns a proof for each. Throws what `SessionStore` throws.
 */
export async function proveAgain(proven: readonly ProvenFile[], parts: ProofParts): Promise<Proof[]> {
  const stored = proven.filter((one) => one.settled && one.stored);
  const exist = stored.length > 0 ? await parts.redis?.exist(stored.map(({ file }) => file.sid)) : [];
  const lost = new Set(stored.filter((_, index) => exist?.[index] !== true));
  const doubtful = proven.filter((one) => !one.settled || lost.has(one)).map(({ file }) => file);
  const proofs = await proveBatch(doubtful, parts);
  const others = proven.filter((one) => one.settled && !lost.has(one));
  return [...proofs.map((proof) => unlessGone(proof, parts)), ...others.map((one) => ({ proven: one }))];
}

/**
 * Another run that removes a file renames it first, so it looks just modified a moment before it is
 * gone.
 */
function unlessGone(proof: Proof, { read }: Pick<ProofParts, "read">): Proof {
  if (!("proven" in proof) || proof.proven.settled) return proof;
  const { file } = proof.proven;
  const reading = read(file);
  return reading.kind === "vanished" ? { file, outcome: unreadOutcome(file.sid, reading), leaves: false } : proof;
}

function proofOf(one: ReadFile, stored: StoredValue | undefined, parts: ProofParts): Proof {
  const { file, reading, conversion } = one;
  const { redis } = parts;
  const proven = provenOf(one);
  const { outcome } = proven;
  // A file with one session key alone may belong to something else.
  if (conversion.facts.hasOneKey === true) {
    const detail = "it holds only one of the keys that servers save";
    return { file, outcome: { ...outcome, kind: "kept", detail }, leaves: !removesAll(parts) };
  }
  if (redis === undefined) return { proven };
  const keep = (kind: "kept" | "absent" | "ended", leaves: boolean, inDoubt?: true): Proof => {
    if (redis.unconditional) return { proven };
    return { file, outcome: { ...outcome, kind, ...(inDoubt === undefined ? {} : { inDoubt }) }, leaves };
  };
  const { mtimeMs } = proven;
  if (conversion.kind === "expired") {
    return mtimeMs + expiredForMs <= Date.now() ? { proven } : keep("kept", false);
  }
  const { entry, fullLifetimeMs } = conversion;
  const { stamp } = reading;
  switch (stored?.kind) {
    case "text": {
      const unmodified = redis.isUnmodified(file, stamp) ? { unmodifiedSinceMark: true as const } : {};
      const comparison = redis.compare({ entry, mtimeMs, fullLifetimeMs, ...unmodified }, stored);
      if (comparison.kind !== "different") return { proven: { ...proven, stored: true } };
      return keep("kept", true, comparison.inDoubt);
    }
    case "nothing": {
      const reason = redis.explainMissing(file, stamp, conversion);
      return keep(reason, reason === "absent");
    }
    case "other-type": {
      const { warning: _, ...known } = outcome;
      return { file, outcome: failed(known, "wrong-redis-type", "the key holds no string"), leaves: true };
    }
    case "unreadable":
      return { file, outcome: failed(outcome, "redis-error", stored.detail), leaves: true };
    default:
      return { file, outcome: failed(outcome, "redis-error", "no reply"), leaves: true };
  }
}
