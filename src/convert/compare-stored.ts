import type { Candidate } from "../model/entry.js";
import type { StoredText } from "../model/stored-value.js";
import { type ConflictRules, decideConflict, lifetimeToleranceMs } from "./decide-conflict.js";
import { isSigned } from "./sign.js";

/** How a session file compares with what Redis holds. */
export type Comparison =
  | { readonly kind: "equal"; readonly lifetimeIsRight: boolean }
  /** Redis holds another value, saved after the file was last modified. */
  | { readonly kind: "newer" }
  /** Redis holds another value, saved earlier or, with `inDoubt`, nobody knows when. */
  | { readonly kind: "different"; readonly inDoubt?: true };

/** How far the expiry of a copy-written key may be off with `remaining`, milliseconds. */
const remainingToleranceMs = 10_000;

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
    default:
      return { kind: "equal", lifetimeIsRight: isRightLifetime(expectedOf(candidate), stored, rules, nowMs) };
  }
}

/** What a copy now would set. */
export interface ExpectedLifetime {
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  readonly fullLifetimeMs: number;
}

function expectedOf({ entry, fullLifetimeMs }: Candidate): ExpectedLifetime {
  return { expiresAtMs: entry.expiresAtMs, fullLifetimeMs };
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
