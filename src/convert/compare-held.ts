import type { Candidate } from "../model/entry.js";
import type { HeldText } from "../model/held.js";
import { decideConflict, lifetimeToleranceMs } from "./decide-conflict.js";
import type { LifetimeSettings } from "./lifetime.js";

/** How what Redis holds stands to a session file. */
export type Comparison =
  | { readonly kind: "equal"; readonly lifetimeIsRight: boolean }
  /** Another value that was saved after the file's last modification. */
  | { readonly kind: "newer" }
  /** Another value that is older, or of which nothing is certain. */
  | { readonly kind: "different"; readonly warning?: string };

/** Compares a session file with what Redis holds under its key, without a thought of changing either. */
export function compareHeld(
  candidate: Candidate,
  held: HeldText,
  lifetimes: LifetimeSettings,
  nowMs: number,
): Comparison {
  const decision = decideConflict(candidate, held, "newest", lifetimes, nowMs);
  switch (decision.kind) {
    case "replace":
      return { kind: "different" };
    case "kept":
      return decision.warning === undefined
        ? { kind: "newer" }
        : { kind: "different", warning: decision.warning };
    default:
      return { kind: "equal", lifetimeIsRight: isRightLifetime(candidate, held, lifetimes, nowMs) };
  }
}

/** Above 0 and no longer than full; where it counts from the file's time, no shorter than what remains of it. */
function isRightLifetime(
  { mtimeMs, fullLifetimeMs }: Candidate,
  { expiresAtMs }: HeldText,
  { ttl }: LifetimeSettings,
  nowMs: number,
): boolean {
  if (expiresAtMs === null || expiresAtMs > nowMs + fullLifetimeMs + lifetimeToleranceMs) return false;
  return ttl === "full" || expiresAtMs >= mtimeMs + fullLifetimeMs - lifetimeToleranceMs;
}
