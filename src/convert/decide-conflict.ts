import { DecodeError } from "../format/decode-error.js";
import { decodeJson } from "../format/json.js";
import { isKind, isTruthy, type PythonDict, type PythonValue } from "../format/python-value.js";
import type { Candidate } from "../model/entry.js";
import type { HeldText } from "../model/held.js";
import type { Expirations, Survey } from "../model/mark.js";
import { equalSessions } from "./equal-sessions.js";
import { fullLifetime, type LifetimeOptions } from "./lifetime.js";
import { isSigned, signedInstant } from "./sign.js";

/** Which of two different values of a session wins: the one saved last, Redis's, or the file's. */
export type ConflictPolicy = "newest" | "keep" | "overwrite";

/** What a conflict is decided by, the same for all sessions of a directory. */
export interface ConflictRules {
  readonly policy: ConflictPolicy;
  readonly lifetimes: LifetimeOptions;
  /** The longest expirations that earlier copies used, this one's included. */
  readonly longest: Expirations;
  /** By how much Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  /** Whether instants can carry a sign here; some stores keep whole seconds. */
  readonly signsCount: boolean;
  /** Whether the server works on files, so that lifetimes are renewed. */
  readonly renews: boolean;
  /**
   * Whether a copy-written key must be dated even if the file seems unmodified since the mark. A purge asks for it: a file or folder that was put back
   * keeps its old time.
   */
  readonly provesCopies: boolean;
}

/** The rules of a run, by what it knows. */
export function conflictRules(
  settings: Pick<ConflictRules, "policy" | "lifetimes" | "clockLeadMs">,
  { longest, signsCount, serverWorks }: Survey,
  provesCopies = false,
): ConflictRules {
  return { ...settings, longest, signsCount, renews: serverWorks === "files", provesCopies };
}

/** What is to be done about a key that exists. */
export type ConflictDecision =
  /** Exactly what is to be written, down to the instant. */
  | { readonly kind: "own" }
  /** An equal value with a lifetime that is right. */
  | { readonly kind: "identical" }
  /**
   * An equal value whose key shall end at this instant. `renews`: because the server works on
   * files, not to correct it.
   */
  | { readonly kind: "refresh"; readonly expiresAtMs: number; readonly renews?: true }
  /** An equal value that never ends; the applet sets a lifetime a moment after the value. */
  | { readonly kind: "endless"; readonly expiresAtMs: number }
  /** `blindly`: whatever stands there, which may be newer. */
  | { readonly kind: "replace"; readonly blindly?: true }
  /** `inDoubt`: nothing tells which value is newer, and a person must decide. */
  | { readonly kind: "kept"; readonly inDoubt?: true };

/** How far two clocks, or the time that a command takes, may put an instant off. */
export const lifetimeToleranceMs = 5000;

/** Decides about a key that holds text (spec.md section 4, "Conflicts"). Doubt keeps what Redis holds. */
export function decideConflict(
  candidate: Candidate,
  held: HeldText,
  rules: ConflictRules,
  nowMs: number,
): ConflictDecision {
  if (equalSessions(candidate.entry.value, held.value)) return decideLifetime(candidate, held, rules, nowMs);
  if (rules.policy === "overwrite") return { kind: "replace", blindly: true };
  const isCopyWritten = rules.signsCount && isSigned(held, rules.clockLeadMs);
  const isUnmodified = candidate.unmodifiedSinceMark === true && !(rules.provesCopies && isCopyWritten);
  if (rules.policy === "keep" || isUnmodified) return { kind: "kept" };
  const session = sessionOf(held.value);
  if (session === undefined) return { kind: "kept", inDoubt: true };
  // The applet sets the lifetime a moment after the value: the server is saving this session now.
  if (held.expiresAtMs === null) return { kind: "kept" };
  const savedMs = savedAt(session, held.expiresAtMs, isCopyWritten ? rules.longest : rules.lifetimes);
  if (savedMs > nowMs + lifetimeToleranceMs) return { kind: "kept", inDoubt: true };
  if (isCopyWritten) return { kind: candidate.mtimeMs > savedMs ? "replace" : "kept" };
  return savedMs >= candidate.mtimeMs ? { kind: "kept" } : { kind: "kept", inDoubt: true };
}

function decideLifetime(
  { entry, fullLifetimeMs }: Candidate,
  held: HeldText,
  { renews, clockLeadMs, signsCount }: ConflictRules,
  nowMs: number,
): ConflictDecision {
  if (held.expiresAtMs === entry.expiresAtMs) return { kind: "own" };
  // Redis may hold the items of a set in another order, and so another sign.
  const expiresAtMs = signedInstant(entry.expiresAtMs, held.value, clockLeadMs);
  if (held.expiresAtMs === null) return { kind: "endless", expiresAtMs };
  const isTooLong = held.expiresAtMs > nowMs + fullLifetimeMs + lifetimeToleranceMs;
  const isRenewed = renews && signsCount && expiresAtMs > held.expiresAtMs && isSigned(held, clockLeadMs);
  if (isRenewed) return { kind: "refresh", expiresAtMs, renews: true };
  return isTooLong ? { kind: "refresh", expiresAtMs } : { kind: "identical" };
}

/** When a session was saved whose key ends at that instant: the earliest that it can have been, if a server saved it. */
function savedAt(session: PythonDict, expiresAtMs: number, expirations: Expirations): number {
  const authenticated = isTruthy(session.values.get("uid") ?? null);
  const { seconds } = fullLifetime(session.values.get("expiration"), authenticated, expirations);
  return expiresAtMs - seconds * 1000;
}

/** What the applet would load; `undefined` if it could not. */
function sessionOf(value: Buffer): PythonDict | undefined {
  const session = decoded(value);
  return isKind(session, "dict") ? session : undefined;
}

function decoded(value: Buffer): PythonValue | undefined {
  try {
    return decodeJson(value, value.length);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
