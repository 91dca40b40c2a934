import { isTruthy, type PythonValue } from "../format/python-value.js";
import { coarseTimeMs } from "../model/coarse-time.js";
import type { Expirations } from "../model/mark.js";
import type { ReadSession } from "../model/session-file.js";

export interface LifetimeOptions extends Expirations {
  /** `full` counts from the reading of the file, `remaining` from its last modification. */
  readonly ttl: "full" | "remaining";
}

/** What a session's full lifetime comes from: its own `expiration`, or the setting for its kind. */
export type LifetimeOrigin = "own" | "authenticated" | "anonymous";

/** How long a session lives after a save. */
export interface FullLifetime {
  /** Negative if the session itself says that it is over. */
  readonly seconds: number;
  readonly origin: LifetimeOrigin;
  /** Whether the session's own `expiration` is unusable, so that the setting counts. */
  readonly odd: boolean;
}

const longestOwnSeconds = 9_999_999_999;

/** From `own`, the session's `expiration`, if it has one, else the setting for its kind [session_redis/session.py, `save`]. */
export function fullLifetime(
  own: PythonValue | undefined,
  authenticated: boolean,
  settings: Expirations,
): FullLifetime {
  const origin = authenticated ? "authenticated" : "anonymous";
  const byKind = { seconds: secondsFor(origin, settings), origin, odd: false } as const;
  if (own === undefined || !isTruthy(own)) return byKind;
  const seconds = integerOf(own);
  if (seconds === undefined || seconds > longestOwnSeconds) return { ...byKind, odd: true };
  return seconds === 0 ? byKind : { seconds, origin: "own", odd: false };
}

/** The setting for a kind of session, seconds. */
export function secondsFor(origin: "authenticated" | "anonymous", settings: Expirations): number {
  return origin === "authenticated" ? settings.expiration : settings.expirationAnonymous;
}

/**
 * When the key ends, milliseconds since the epoch: the full lifetime after the read or, with `remaining`, after the last modification; never after
 * `deletionTime`, which Odoo 19 gives rotated sessions (seconds since the epoch).
 */
export function expiryInstant(
  read: ReadSession,
  lifetime: FullLifetime,
  ttl: LifetimeOptions["ttl"],
  deletionTime = Number.POSITIVE_INFINITY,
): number {
  const readMs = read.openedAtMs - coarseTimeMs;
  const startMs = ttl === "full" ? readMs : Math.min(read.mtimeMs, readMs);
  return Math.floor(Math.min(startMs + lifetime.seconds * 1000, deletionTime * 1000));
}

function integerOf(value: PythonValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && /^-?\d{1,10}$/.test(value) ? Number(value) : undefined;
}
