import type { Comparison } from "../../convert/compare-held.js";
import type { Conversion } from "../../convert/convert-session.js";
import type { Candidate } from "../../model/entry.js";
import type { Held, HeldText } from "../../model/held.js";
import type { OutcomeKind, SessionOutcome } from "../../model/outcome.js";
import type { FileStamp, ReadSession, SessionFile } from "../../model/session-file.js";
import type { Reading } from "../../source/read-session-file.js";
import { pathOf } from "../../source/recent-files.js";
import {
  type ConvertedSession,
  conversionOutcome,
  failed,
  filesAhead,
  inDoubtDetail,
  located,
  supersededOutcome,
  unreadOutcome,
} from "./lane.js";
import type { BatchOutcomes } from "./lane-result.js";

/** What verifying a batch works with. It only reads. */
export interface VerifyParts {
  /** Told of `filesAhead` files before the first of them is read. */
  readonly ahead: (batch: readonly SessionFile[]) => Promise<void>;
  readonly read: (file: SessionFile) => Reading;
  readonly isSuperseded: (file: SessionFile, stamp: FileStamp) => boolean;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  readonly look: (sids: readonly string[]) => Promise<readonly Held[]>;
  readonly compare: (candidate: Candidate, held: HeldText) => Comparison;
  /** Whether a complete run that did not keep what Redis held read the file as it is. */
  readonly isUnmodified: (file: SessionFile, stamp: FileStamp) => boolean;
  /** What a missing key means; `unknown` until the whole directory was seen. */
  readonly explainMissing: (
    file: SessionFile,
    stamp: FileStamp,
    session: ConvertedSession,
  ) => "missing" | "expired" | "ended" | "unknown";
  /** Told what became of a session that was compared. */
  readonly noteSettled: (file: SessionFile, stamp: FileStamp, kind: OutcomeKind) => void;
  /** Gives what changes just now time to be whole. */
  readonly waitForChanges: () => Promise<void>;
}

/** What a second look may find otherwise: the file or the key may have changed between the reading of both. */
const lookedAtTwice: ReadonlySet<string> = new Set(["missing", "different", "wrong-lifetime"]);

interface Read {
  readonly file: SessionFile;
  readonly stamp: FileStamp;
  readonly session: ConvertedSession;
  readonly candidate: Candidate;
  readonly outcome: SessionOutcome;
}

/** Compares every session file of a batch with Redis. One outcome for each, in any order, but for those deferred until the whole directory was seen. */
export async function verifyBatch(batch: readonly SessionFile[], parts: VerifyParts): Promise<BatchOutcomes> {
  const first = await verifyOnce(batch, parts);
  const doubtful = first.filter(({ outcome }) => outcome === undefined || lookedAtTwice.has(outcome.kind));
  if (doubtful.length === 0) return collect(first, parts);
  await parts.waitForChanges();
  const second = await verifyOnce(
    doubtful.map(({ file }) => file),
    parts,
  );
  const again = new Set(doubtful);
  return collect([...first.filter((one) => !again.has(one)), ...second], parts);
}

interface Verified {
  readonly file: SessionFile;
  /** Absent if the file was not compared. */
  readonly stamp?: FileStamp;
  /** Absent if it is deferred. */
  readonly outcome: SessionOutcome | undefined;
}

/** What a person is told of a session that is not as it should be. */
function withDifference(outcome: SessionOutcome, file: SessionFile): SessionOutcome {
  const { sid, kind, inDoubt } = outcome;
  if (kind !== "missing" && kind !== "different" && kind !== "wrong-lifetime") return outcome;
  const detail = inDoubt === true ? inDoubtDetail : details[kind];
  return { ...outcome, difference: { sid, path: pathOf(file), kind, detail } };
}

const details = {
  missing: "Redis has no key for it",
  different: "Redis holds another, older value",
  "wrong-lifetime": "its key has no lifetime, or not the one that a copy gives",
};

function collect(verified: readonly Verified[], { noteSettled }: VerifyParts): BatchOutcomes {
  const outcomes: SessionOutcome[] = [];
  const deferred: SessionFile[] = [];
  for (const { file, stamp, outcome } of verified) {
    if (outcome === undefined) {
      deferred.push(file);
      continue;
    }
    const { kind } = outcome;
    outcomes.push(located(withDifference(outcome, file), file));
    if (stamp !== undefined && kind !== "empty" && kind !== "ignored") noteSettled(file, stamp, kind);
  }
  return { outcomes, deferred };
}

async function verifyOnce(batch: readonly SessionFile[], parts: VerifyParts): Promise<Verified[]> {
  const done: Verified[] = [];
  const open: Read[] = [];
  for (const [index, file] of batch.entries()) {
    if (index % filesAhead === 0) await parts.ahead(batch.slice(index, index + filesAhead));
    const result = readOne(file, parts);
    if ("candidate" in result) open.push(result);
    else done.push({ file, outcome: result });
  }
  if (open.length === 0) return done;
  const held = await parts.look(open.map(({ file }) => file.sid));
  return [
    ...done,
    ...open.map((one, index) => ({
      file: one.file,
      stamp: one.stamp,
      outcome: judge(one, held[index], parts),
    })),
  ];
}

function readOne(file: SessionFile, parts: VerifyParts): SessionOutcome | Read {
  const reading = parts.read(file);
  if (reading.kind !== "read") return unreadOutcome(file.sid, reading);
  const { read, stamp } = reading;
  if (parts.isSuperseded(file, stamp)) return supersededOutcome(file.sid, read);
  const conversion = parts.convert(read, file.sid);
  const outcome = conversionOutcome(file.sid, read, conversion);
  if (conversion.kind !== "entry") return outcome;
  const { entry, fullLifetimeMs } = conversion;
  const unmodified = parts.isUnmodified(file, stamp) ? { unmodifiedSinceMark: true as const } : {};
  const candidate: Candidate = { entry, mtimeMs: read.mtimeMs, fullLifetimeMs, ...unmodified };
  return { file, stamp, session: conversion, candidate, outcome };
}

/** `undefined` if that shows only once the whole directory was seen. */
function judge(
  { file, stamp, session, candidate, outcome }: Read,
  held: Held | undefined,
  parts: VerifyParts,
): SessionOutcome | undefined {
  switch (held?.kind) {
    case "text":
      return { ...outcome, ...judgeText(parts.compare(candidate, held), held) };
    case "nothing": {
      const kind = parts.explainMissing(file, stamp, session);
      return kind === "unknown" ? undefined : { ...outcome, kind };
    }
    case "other-type":
      return failed(outcome, "wrong-redis-type", "the key holds no string");
    case "unreadable":
      return failed(outcome, "redis-error", held.detail);
    default:
      return failed(outcome, "redis-error", "no reply");
  }
}

function judgeText(comparison: Comparison, held: HeldText): Pick<SessionOutcome, "kind" | "inDoubt"> {
  switch (comparison.kind) {
    case "equal":
      return { kind: comparison.lifetimeIsRight ? "equal" : "wrong-lifetime" };
    case "newer":
      // A save sets the lifetime a moment after the value; the second look is behind that.
      return { kind: held.expiresAtMs === null ? "wrong-lifetime" : "newer" };
    case "different":
      return {
        kind: "different",
        ...(comparison.inDoubt === undefined ? {} : { inDoubt: comparison.inDoubt }),
      };
  }
}
