import type { Candidate } from "../model/entry.js";
import type { HeldText } from "../model/held.js";
import { type ConflictRules, decideConflict, lifetimeToleranceMs } from "./decide-conflict.js";
import { isSigned } from "./sign.js";

/** How a session file compares with what Redis holds. */
export type Comparison =
  | { readonly kind: "equal"; readonly lifetimeIsRight: boolean }
  /** Another value that was saved after the file's last modification. */
  | { readonly kind: "newer" }
  /** Another value that is older or, with `inDoubt`, of which nothing is certain. */
  | { readonly kind: "different"; readonly inDoubt?: true };

/** With `remaining`, a copy-written lifetime may be off by this much from what a copy would give, milliseconds. */
const remainingToleranceMs = 10_000;

/** Compares a session file with the value in Redis. Read-only. With the policy `keep`, what is in doubt counts as newer. */
export function compareHeld(
  candidate: Candidate,
  held: HeldText,
  rules: ConflictRules,
  nowMs: number,
): Comparison {
  const decision = decideConflict(candidate, held, { ...rules, policy: "newest" }, nowMs);
  switch (decision.kind) {
    case "replace":
      return { kind: "different" };
    case "kept":
      return decision.inDoubt === true && rules.policy !== "keep"
        ? { kind: "different", inDoubt: true }
        : { kind: "newer" };
    default:
      return { kind: "equal", lifetimeIsRight: isRightLifetime(candidate, held, rules, nowMs) };
  }
}

/** Above 0 and at most full; with `remaining`, for a copy-written key, what a copy would give. */
function isRightLifetime(
  { entry, fullLifetimeMs }: Candidate,
  held: HeldText,
  { lifetimes, clockLeadMs, signsCount }: ConflictRules,
  nowMs: number,
): boolean {
  const { expiresAtMs } = held;
  if (expiresAtMs === null || expiresAtMs > nowMs + fullLifetimeMs + lifetimeToleranceMs) return false;
  if (lifetimes.ttl === "full" || !signsCount || !isSigned(held, clockLeadMs)) return true;
  return Math.abs(expiresAtMs - entry.expiresAtMs) <= remainingToleranceMs;
}
