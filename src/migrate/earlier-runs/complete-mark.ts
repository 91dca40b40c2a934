import type { LifetimeOptions } from "../../convert/lifetime.js";
import type { DirectoryMark, Expirations } from "../../model/mark.js";

/** A copy that was complete. */
export interface CompleteRun {
  /** The start of its main pass, milliseconds since the epoch. */
  readonly startedMs: number;
  /** Whether it kept what Redis held. */
  readonly keeps: boolean;
  /** Whether it renewed lifetimes. */
  readonly renewed: boolean;
  readonly lifetimes: LifetimeOptions;
}

/**
 * What a complete run leaves, given what earlier ones left. If another run began later, its mark
 * stays, unless its clock was ahead of `nowMs`. The expirations of this run count anyway, because
 * it may have written keys since.
 */
export function completeMark(
  earlier: DirectoryMark | undefined,
  { startedMs, keeps, renewed, lifetimes }: CompleteRun,
  nowMs: number,
): DirectoryMark {
  const previous = earlier !== undefined && earlier.startedMs <= nowMs ? earlier : undefined;
  const { expiration, expirationAnonymous, ttl } = lifetimes;
  const current = { expiration, expirationAnonymous };
  const widened = previous === undefined ? undefined : widen(previous, current, ttl);
  if (previous !== undefined && previous.startedMs > startedMs) return { ...previous, ...widened };
  const startedWithoutKeepMs = keeps ? previous?.startedWithoutKeepMs : startedMs;
  const started = { startedMs, ...(startedWithoutKeepMs === undefined ? {} : { startedWithoutKeepMs }) };
  if (previous === undefined || renewed) {
    return { ...started, renewedMs: startedMs, shortest: current, longest: current, ttl };
  }
  return { ...started, renewedMs: previous.renewedMs, ...widened };
}

/** The expirations of earlier runs and of one more. */
function widen(
  { shortest, longest, ttl }: DirectoryMark,
  current: Expirations,
  currentTtl: LifetimeOptions["ttl"],
): Pick<DirectoryMark, "shortest" | "longest" | "ttl"> {
  return {
    shortest: each(Math.min, shortest ?? current, current),
    longest: each(Math.max, longest ?? current, current),
    // A key counts from the read if any run since counted so.
    ttl: ttl === "remaining" && currentTtl === "remaining" ? "remaining" : "full",
  };
}

/** The longest expirations of the marks and of this run. */
export function longestOf(marks: readonly (DirectoryMark | undefined)[], current: Expirations): Expirations {
  return marks.reduce<Expirations>(
    (longest, mark) => each(Math.max, longest, mark?.longest ?? current),
    current,
  );
}

function each(
  choose: (one: number, other: number) => number,
  one: Expirations,
  other: Expirations,
): Expirations {
  return {
    expiration: choose(one.expiration, other.expiration),
    expirationAnonymous: choose(one.expirationAnonymous, other.expirationAnonymous),
  };
}
