import { DecodeError } from "../format/decode-error.js";
import { decodeJson } from "../format/json.js";
import { isKind, isTruthy, type PythonDict } from "../format/python-value.js";
import type { Candidate } from "../model/entry.js";
import type { Expirations, Survey } from "../model/mark.js";
import type { StoredText } from "../model/stored-value.js";
import { equalSessions } from "./equal-sessions.js";
import { fullLifetime, type LifetimeOptions } from "./lifetime.js";
import { isSigned, signedInstant } from "./sign.js";

/** Which of two values of a session wins: the one saved last, the one in Redis, or the file. */
export type ConflictPolicy = "newest" | "keep" | "overwrite";

/** What decides all conflicts of one directory. */
export interface ConflictRules {
  readonly policy: ConflictPolicy;
  readonly lifetimes: LifetimeOptions;
  /** The longest expirations that any copy used, including this one. */
  readonly longest: Expirations;
  /** How far Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  /** Whether expiries can carry a sign; some stores keep only whole seconds. */
  readonly signsCount: boolean;
  /** Whether the server still works on files, so that a copy renews lifetimes. */
  readonly renews: boolean;
  /**
   * Whether to date a copy-written key even if the file seems unmodified since the mark. A purge
   * does, because a restored file keeps its old time.
   */
  readonly provesCopies: boolean;
}

/** The options of a run that decide conflicts. */
export interface ConflictOptions {
  readonly conversion: LifetimeOptions & Pick<ConflictRules, "clockLeadMs">;
  readonly conflicts: Pick<ConflictRules, "policy">;
}

/** The rules of a run, from its options and what it has found out. */
export function conflictRules(
  { conversion, conflicts: { policy } }: ConflictOptions,
  { longest, signsCount, serverWorks }: Survey,
  provesCopies = false,
): ConflictRules {
  const { clockLeadMs } = conversion;
  const renews = serverWorks === "files";
  return { policy, lifetimes: conversion, longest, clockLeadMs, signsCount, renews, provesCopies };
}

/** What to do about a key that exists. */
export type ConflictDecision =
  /** Redis holds exactly what we would write, expiry included. */
  | { readonly kind: "own" }
  /** The value is equal and its expiry acceptable. */
  | { readonly kind: "identical" }
  /**
   * The value is equal, but the key should expire at this instant. With `renews` because the server
   * works on files, else as a correction.
   */
  | { readonly kind: "refresh"; readonly expiresAtMs: number; readonly renews?: true }
  /** The value is equal, but has no expiry; the applet sets it just after the value. */
  | { readonly kind: "endless"; readonly expiresAtMs: number }
  /** With `blindly`, replace even a newer value. */
  | { readonly kind: "replace"; readonly blindly?: true }
  /** With `inDoubt`, nothing shows which value is newer, so a person must decide. */
  | { readonly kind: "kept"; readonly inDoubt?: true };

/** How far clocks and slow commands may shift an instant, milliseconds. */
export const lifetimeToleranceMs = 5000;
/** How far the expiry of a copy-written key may be off with `remaining`, milliseconds. */
const remainingToleranceMs = 10_000;

/** Decides about a key that holds text; in doubt it stays (spec.md section 4, "Conflicts"). */
export function decideConflict(
  candidate: Candidate,
  stored: StoredText,
  rules: ConflictRules,
  nowMs: number,
): ConflictDecision {
  if (equalSessions(candidate.entry.value, stored.value)) return decideLifetime(candidate, stored, rules, nowMs);
  if (rules.policy === "overwrite") return { kind: "replace", blindly: true };
  const isCopyWritten = rules.signsCount && isSigned(stored, rules.clockLeadMs);
  const isUnmodified = candidate.unmodifiedSinceMark === true && !(rules.provesCopies && isCopyWritten);
  if (rules.policy === "keep" || isUnmodified) return { kind: "kept" };
  const session = sessionOf(stored.value);
  if (session === undefined) return { kind: "kept", inDoubt: true };
  // The applet sets the expiry just after the value, so the server is saving this session right
  // now.
  if (stored.expiresAtMs === null) return { kind: "kept" };
  const savedMs = savedAt(session, stored.expiresAtMs, isCopyWritten ? rules.longest : rules.lifetimes);
  if (savedMs > nowMs + lifetimeToleranceMs) return { kind: "kept", inDoubt: true };
  if (isCopyWritten) return { kind: candidate.mtimeMs > savedMs ? "replace" : "kept" };
  return savedMs >= candidate.mtimeMs ? { kind: "kept" } : { kind: "kept", inDoubt: true };
}

function decideLifetime(
  { entry, fullLifetimeMs }: Candidate,
  stored: StoredText,
  { renews, clockLeadMs, signsCount }: ConflictRules,
  nowMs: number,
): ConflictDecision {
  if (stored.expiresAtMs === entry.expiresAtMs) return { kind: "own" };
  // Redis may hold a set's items in another order, which gives another sign.
  const expiresAtMs = signedInstant(entry.expiresAtMs, stored.value, clockLeadMs);
  if (stored.expiresAtMs === null) return { kind: "endless", expiresAtMs };
  const isTooLong = stored.expiresAtMs > nowMs + fullLifetimeMs + lifetimeToleranceMs;
  const isRenewed = renews && signsCount && expiresAtMs > stored.expiresAtMs && isSigned(stored, clockLeadMs);
  if (isRenewed) return { kind: "refresh", expiresAtMs, renews: true };
  return isTooLong ? { kind: "refresh", expiresAtMs } : { kind: "identical" };
}

/** When a session was saved, from its key's expiry; at the earliest, if a server saved it. */
function savedAt(session: PythonDict, expiresAtMs: number, expirations: Expirations): number {
  const authenticated = isTruthy(session.values.get("uid") ?? null);
  const { seconds } = fullLifetime(session.values.get("expiration"), authenticated, expirations);
  return expiresAtMs - seconds * 1000;
}

/** The session that the applet would load; `undefined` if it could not. */
function sessionOf(value: Buffer): PythonDict | undefined {
  try {
    const session = decodeJson(value, value.length);
    return isKind(session, "dict") ? session : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** How a session file compares with what Redis holds. */
export type Comparison =
  | { readonly kind: "equal"; readonly lifetimeIsRight: boolean }
  /** Redis holds another value, saved after the file was last modified. */
  | { readonly kind: "newer" }
  /** Redis holds another value, saved earlier or, with `inDoubt`, nobody knows when. */
  | { readonly kind: "different"; readonly inDoubt?: true };

/** Compares a session file with the value in Redis. With policy `keep`, doubt counts as newer. */
export function compareStored(
  candidate: Candidate,
  stored: StoredText,
  rules: ConflictRules,
  nowMs: number,
): Comparison {
  const decision = decideConflict(candidate, stored, { ...rules, policy: "newest" }, nowMs);
  switch (decision.kind) {
    case "replace":
      return { kind: "different" };
    case "kept":
      return decision.inDoubt === true && rules.policy !== "keep"
        ? { kind: "different", inDoubt: true }
        : { kind: "newer" };
    default: {
      const { entry, fullLifetimeMs } = candidate;
      const expected = { expiresAtMs: entry.expiresAtMs, fullLifetimeMs };
      return { kind: "equal", lifetimeIsRight: isRightLifetime(expected, stored, rules, nowMs) };
    }
  }
}

/** What a copy now would set. */
export interface ExpectedLifetime {
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  readonly fullLifetimeMs: number;
}

/**
 * Whether a key expires no later than a save now would allow and, if a copy wrote it with
 * `remaining`, when a copy would set it to.
 */
export function isRightLifetime(
  { expiresAtMs: expectedMs, fullLifetimeMs }: ExpectedLifetime,
  stored: StoredText,
  { lifetimes, clockLeadMs, signsCount }: ConflictRules,
  nowMs: number,
): boolean {
  const { expiresAtMs } = stored;
  if (expiresAtMs === null || expiresAtMs > nowMs + fullLifetimeMs + lifetimeToleranceMs) return false;
  if (lifetimes.ttl === "full" || !signsCount || !isSigned(stored, clockLeadMs)) return true;
  return Math.abs(expiresAtMs - expectedMs) <= remainingToleranceMs;
}
