import { isTruthy, type PythonValue } from "../format/python-value.js";
import type { Expirations } from "../model/mark.js";
import { fileTimeSlackMs, type ReadSession } from "../model/session-file.js";

export interface LifetimeOptions extends Expirations {
  /** `full` counts from when the file is read, `remaining` from its last modification. */
  readonly ttl: "full" | "remaining";
}

/** Where a full lifetime comes from: the session's `expiration`, or the setting for its kind. */
export type LifetimeOrigin = "own" | "authenticated" | "anonymous";

/** How long a session lives after a save. */
export interface FullLifetime {
  /** Negative if the session itself says that it has ended. */
  readonly seconds: number;
  readonly origin: LifetimeOrigin;
  /** Whether the session's own `expiration` is unusable, so that the setting applies. */
  readonly odd: boolean;
}

const maxOwnSeconds = 9_999_999_999;

/**
 * The lifetime from `own`, the session's `expiration`, or else from the setting for its kind
 * [session_redis/session.py, `save`].
 */
export function fullLifetime(
  own: PythonValue | undefined,
  authenticated: boolean,
  settings: Expirations,
): FullLifetime {
  const origin = authenticated ? "authenticated" : "anonymous";
  const byKind = { seconds: secondsFor(origin, settings), origin, odd: false } as const;
  if (own === undefined || !isTruthy(own)) return byKind;
  const seconds = integerOf(own);
  if (seconds === undefined || seconds > maxOwnSeconds) return { ...byKind, odd: true };
  return seconds === 0 ? byKind : { seconds, origin: "own", odd: false };
}

/** The setting for a kind of session, in seconds. */
export function secondsFor(origin: "authenticated" | "anonymous", settings: Expirations): number {
  return origin === "authenticated" ? settings.expiration : settings.expirationAnonymous;
}

/**
 * When the key expires, milliseconds since the epoch: one full lifetime after the read or, with
 * `remaining`, after the last modification. Never after `deletionTime` (seconds since the epoch),
 * which Odoo 19 sets in rotated sessions.
 */
export function expiryInstant(
  read: ReadSession,
  lifetime: FullLifetime,
  ttl: LifetimeOptions["ttl"],
  deletionTime = Number.POSITIVE_INFINITY,
): number {
  const readMs = read.openedAtMs - fileTimeSlackMs;
  const startMs = ttl === "full" ? readMs : Math.min(read.mtimeMs, readMs);
  return Math.floor(Math.min(startMs + lifetime.seconds * 1000, deletionTime * 1000));
}

function integerOf(value: PythonValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && /^-?\d{1,10}$/.test(value) ? Number(value) : undefined;
}
