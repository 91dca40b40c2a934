import type { Comparison } from "../../convert/compare-stored.js";
import type { Conversion } from "../../convert/convert-session.js";
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
  /** A newer file of this session; `undefined` if there is none. */
  readonly laterFile: (file: SessionFile, stamp: FileStamp) => SessionFile | undefined;
  /** What Redis holds now. Throws what `SessionStore` throws. */
  readonly look: (sids: readonly string[]) => Promise<readonly StoredValue[]>;
  readonly compare: (candidate: Candidate, stored: StoredText) => Comparison;
  /** Whether a complete run that did not keep what Redis held read the file as it is. */
  readonly isUnmodified: (file: SessionFile, stamp: FileStamp) => boolean;
  /** What a missing key means: its session ended in Redis, or should be there. */
  readonly explainMissing: (
    file: SessionFile,
    stamp: FileStamp,
    session: ConvertedSession,
  ) => "ended" | "absent";
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

/** Every file that holds a session may be removed. Does not ask Redis. */
export async function proveUnasked(
  batch: readonly SessionFile[],
  parts: Pick<ProofParts, "read" | "convert">,
): Promise<Proof[]> {
  return batch.map((file) => {
    const read = readSession(file, parts, true);
    if ("outcome" in read) return read;
    const { reading, conversion } = read;
    const outcome = { ...conversionOutcome(file.sid, reading.read, conversion), kind: "removed" as const };
    if (conversion.facts.hasOneKey === true)
      return { file, outcome: { ...outcome, kind: "kept" }, leaves: false };
    return { proven: { file, ...timesOf(reading), outcome, stored: false } };
  });
}

/** Reads and converts a file, or tells what became of it. */
function readSession(
  file: SessionFile,
  { read, convert }: Pick<ProofParts, "read" | "convert">,
  /** Whether every session is removed: then a file that holds none was not left. */
  isUnconditional: boolean,
): ReadFile | Extract<Proof, { readonly outcome: SessionOutcome }> {
  const reading = read(file);
  if (reading.kind !== "read") {
    return { file, outcome: unreadOutcome(file.sid, reading), leaves: reading.kind === "failed" };
  }
  const conversion = convert(reading.read, file.sid);
  if (conversion.kind === "failed") {
    const outcome = conversionOutcome(file.sid, reading.read, conversion);
    return { file, outcome, leaves: !isUnconditional };
  }
  return { file, reading, conversion };
}

/** What a removal compares. */
function timesOf({
  read: { mtimeMs, openedAtMs },
  stamp,
  exact,
}: Extract<ExactReading, { readonly kind: "read" }>): Pick<
  ProvenFile,
  "exact" | "mtimeMs" | "changedMs" | "settled"
> {
  const changedMs = Math.max(stamp.mtimeMs, stamp.ctimeMs);
  return { exact, mtimeMs, changedMs, settled: changedMs < openedAtMs - youngMs };
}

interface ReadFile {
  readonly file: SessionFile;
  readonly reading: Extract<ExactReading, { readonly kind: "read" }>;
  readonly conversion: Exclude<Conversion, { readonly kind: "failed" }>;
}

/**
 * Proves a batch: files that Redis holds an equal or newer entry of, and expired ones, may be
 * removed. Changes nothing. Throws what `SessionStore` throws.
 */
export async function proveBatch(batch: readonly SessionFile[], parts: ProofParts): Promise<Proof[]> {
  const proofs: Proof[] = [];
  const readable: ReadFile[] = [];
  for (const file of batch) {
    const read = readSession(file, parts, parts.unconditional);
    if ("outcome" in read) proofs.push(read);
    else readable.push(read);
  }
  if (readable.length === 0) return proofs;
  const stored = await parts.look(readable.map(({ file }) => file.sid));
  for (const [index, one] of readable.entries()) {
    proofs.push((await proofOfSuperseded(one, parts)) ?? proofOf(one, stored[index], parts));
  }
  return proofs;
}

/**
 * A superseded file may be removed if the newer one is proven. `undefined` if there is no newer
 * file, or it is gone.
 */
async function proofOfSuperseded(one: ReadFile, parts: ProofParts): Promise<Proof | undefined> {
  const { file, reading, conversion } = one;
  if (parts.unconditional || conversion.facts.hasOneKey === true) return undefined;
  const later = parts.laterFile(file, reading.stamp);
  if (later === undefined) return undefined;
  const [its] = await proveBatch([later], parts);
  const outcome = { ...conversionOutcome(file.sid, reading.read, conversion), kind: "removed" as const };
  if (its !== undefined && "proven" in its) {
    return { proven: { file, ...timesOf(reading), outcome, stored: its.proven.stored } };
  }
  if (its === undefined || its.outcome.kind === "vanished") return undefined;
  const detail = "superseded by a file that is not proven";
  return { file, outcome: { ...outcome, kind: "kept", detail }, leaves: true };
}

/**
 * Proves files again just before they are removed. Those that may have changed with the same times,
 * and those whose key is gone, are proven from the start; for the others, the key still exists.
 * Returns a proof for each. Throws what `SessionStore` throws.
 */
export async function proveAgain(proven: readonly ProvenFile[], parts: ProofParts): Promise<Proof[]> {
  const stored = proven.filter((one) => one.settled && one.stored);
  const exist = stored.length > 0 ? await parts.exist(stored.map(({ file }) => file.sid)) : [];
  const lost = new Set(stored.filter((_, index) => exist[index] !== true));
  const doubtful = proven.filter((one) => !one.settled || lost.has(one));
  const proofs = (
    await proveBatch(
      doubtful.map(({ file }) => file),
      parts,
    )
  ).map((proof) => unlessGone(proof, parts));
  const others = proven.filter((one) => one.settled && !lost.has(one));
  return [...proofs, ...others.map((one) => ({ proven: one }))];
}

/**
 * Another run that removes a file renames it first, so it looks just modified a moment before it is
 * gone.
 */
function unlessGone(proof: Proof, { read }: Pick<ProofParts, "read">): Proof {
  if (!("proven" in proof) || proof.proven.settled) return proof;
  const { file } = proof.proven;
  const reading = read(file);
  return reading.kind === "vanished"
    ? { file, outcome: unreadOutcome(file.sid, reading), leaves: false }
    : proof;
}

/** Proves files again without asking Redis. */
export async function proveUnaskedAgain(
  proven: readonly ProvenFile[],
  parts: Pick<ProofParts, "read" | "convert">,
): Promise<Proof[]> {
  const young = proven.filter(({ settled }) => !settled).map(({ file }) => file);
  const settled = proven.filter((one) => one.settled);
  const proofs = (await proveUnasked(young, parts)).map((proof) => unlessGone(proof, parts));
  return [...proofs, ...settled.map((one) => ({ proven: one }))];
}

function proofOf(one: ReadFile, stored: StoredValue | undefined, parts: ProofParts): Proof {
  const { file, reading, conversion } = one;
  const { read, stamp } = reading;
  const outcome = { ...conversionOutcome(file.sid, read, conversion), kind: "removed" as const };
  const proven = { proven: { file, ...timesOf(reading), outcome, stored: true } };
  const notStored = { proven: { ...proven.proven, stored: false } };
  const keep = (kind: "kept" | "absent" | "ended", leaves: boolean, inDoubt?: true): Proof => {
    if (parts.unconditional) return notStored;
    return { file, outcome: { ...outcome, kind, ...(inDoubt === undefined ? {} : { inDoubt }) }, leaves };
  };
  // A file with one session key alone may belong to something else.
  if (conversion.facts.hasOneKey === true) {
    const detail = "it holds only one of the keys that servers save";
    return { file, outcome: { ...outcome, kind: "kept", detail }, leaves: !parts.unconditional };
  }
  const expired = () => (read.mtimeMs + expiredForMs <= Date.now() ? notStored : keep("kept", false));

  if (conversion.kind === "expired") return expired();
  const { entry, fullLifetimeMs } = conversion;
  switch (stored?.kind) {
    case "text": {
      const unmodified = parts.isUnmodified(file, stamp) ? { unmodifiedSinceMark: true as const } : {};
      const candidate = { entry, mtimeMs: read.mtimeMs, fullLifetimeMs, ...unmodified };
      const comparison = parts.compare(candidate, stored);
      if (comparison.kind !== "different") return proven;
      return keep("kept", true, comparison.inDoubt);
    }
    case "nothing": {
      const reason = parts.explainMissing(file, stamp, conversion);
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
