import { isTruthy, type PythonValue } from "../format/python-value.js";
import type { ReadSession } from "../model/session-file.js";

export interface LifetimeSettings {
  /** `full` counts from the reading of the file, `remaining` from its last modification. */
  readonly ttl: "full" | "remaining";
  /** Seconds that an authenticated session lives after its last save. */
  readonly expiration: number;
  /** The same for an anonymous one. */
  readonly expirationAnonymous: number;
}

/** How long a session lives after a save. */
export interface FullLifetime {
  /** Negative where the session itself says that it is over. */
  readonly seconds: number;
  /** Whether the session's own `expiration` was of no use and the default taken. */
  readonly odd: boolean;
}

/** File times may lag behind the clock by this much, on file systems with coarse ones. */
const coarseTimeMs = 2000;
const longestOwnSeconds = 9_999_999_999;

/** By `own`, the session's `expiration`, where it has one, else the default for its kind [session_redis/session.py, `save`]. */
export function fullLifetime(
  own: PythonValue | undefined,
  authenticated: boolean,
  settings: LifetimeSettings,
): FullLifetime {
  const byKind = authenticated ? settings.expiration : settings.expirationAnonymous;
  if (own === undefined || !isTruthy(own)) return { seconds: byKind, odd: false };
  const seconds = integerOf(own);
  if (seconds === undefined || seconds > longestOwnSeconds) return { seconds: byKind, odd: true };
  return { seconds: seconds === 0 ? byKind : seconds, odd: false };
}

/** The instant at which the key is to end, milliseconds since the epoch; never more than the full lifetime from now. */
export function expiryInstant(
  read: ReadSession,
  lifetime: FullLifetime,
  ttl: LifetimeSettings["ttl"],
  nowMs: number,
): number {
  const lifetimeMs = lifetime.seconds * 1000;
  const startMs = ttl === "full" ? read.openedAtMs - coarseTimeMs : read.mtimeMs;
  return Math.floor(Math.min(startMs, nowMs) + lifetimeMs);
}

function integerOf(value: PythonValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && /^-?\d{1,10}$/.test(value) ? Number(value) : undefined;
}
