import { DecodeError } from "../format/decode-error.js";
import { decodeJson } from "../format/json.js";
import { isKind, isTruthy, type PythonDict, type PythonValue } from "../format/python-value.js";
import type { Candidate } from "../model/entry.js";
import type { HeldText } from "../model/held.js";
import { equalSessions } from "./equal-sessions.js";
import { fullLifetime, type LifetimeSettings } from "./lifetime.js";

/** Which of two different values of a session stays: the one saved last, Redis's, or the file's. */
export type ConflictPolicy = "newest" | "keep" | "overwrite";

/** What is to be done about a key that exists. */
export type ConflictDecision =
  /** Exactly what is to be written, down to the instant: a write of this run, or of another that counts from the file's time. */
  | { readonly kind: "own" }
  /** An equal value with a lifetime that is right. */
  | { readonly kind: "identical" }
  /** An equal value with a lifetime that is too long. */
  | { readonly kind: "refresh" }
  /** An equal value that never ends; the applet sets a lifetime a moment after the value. */
  | { readonly kind: "endless" }
  /** `blindly`: whatever stands there, which may be newer. */
  | { readonly kind: "replace"; readonly blindly?: true }
  | { readonly kind: "kept"; readonly warning?: string };

/** How far two clocks, or the time that a command takes, may put an instant off. */
export const lifetimeToleranceMs = 5000;

/**
 * Decides about a key that holds text. With `newest` the file replaces only what was saved before its last modification; Redis knows
 * when, for every save sets the full lifetime. Doubt keeps.
 */
export function decideConflict(
  candidate: Candidate,
  held: HeldText,
  policy: ConflictPolicy,
  lifetimes: LifetimeSettings,
  nowMs: number,
): ConflictDecision {
  const { entry, fullLifetimeMs } = candidate;
  if (equalSessions(entry.value, held.value)) {
    if (held.expiresAtMs === null) return { kind: "endless" };
    if (held.expiresAtMs === entry.expiresAtMs) return { kind: "own" };
    return {
      kind: held.expiresAtMs > nowMs + fullLifetimeMs + lifetimeToleranceMs ? "refresh" : "identical",
    };
  }
  if (policy === "overwrite") return { kind: "replace", blindly: true };
  if (policy === "keep" || held.expiresAtMs === null) return { kind: "kept" };
  const session = sessionOf(held.value);
  if (session === undefined)
    return { kind: "kept", warning: "a key holds what is no session: it was left alone" };
  const authenticated = isTruthy(session.values.get("uid") ?? null);
  const savedMs =
    held.expiresAtMs -
    fullLifetime(session.values.get("expiration"), authenticated, lifetimes).seconds * 1000;
  if (savedMs > nowMs + lifetimeToleranceMs) {
    return { kind: "kept", warning: "a key's lifetime is longer than the settings say: it was left alone" };
  }
  return { kind: savedMs <= nowMs && candidate.mtimeMs > savedMs ? "replace" : "kept" };
}

/** What the applet would load; `undefined` where it could not. */
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
