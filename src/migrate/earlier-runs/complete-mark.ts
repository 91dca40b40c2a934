import type { LifetimeOptions } from "../../convert/lifetime.js";
import type { DirectoryMark, Expirations, ShardMark } from "../../model/mark.js";
import { greatestDivisor, isPartOf, overlap, type Shard } from "../../model/shard.js";

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

/** Parts of a shard that are judged one by one; beyond it, what is known of them is mixed. */
const maxParts = 10_000;

/**
 * What complete runs leave, given what earlier ones left (the latest first) and one more over a
 * shard. If another run over the same sids began later, its mark counts, unless its clock was ahead
 * of `nowMs`. The expirations of this run count anyway, because it may have written keys since.
 */
export function completeMarks(
  earlier: readonly ShardMark[],
  shard: Shard,
  run: CompleteRun,
  nowMs: number,
): readonly ShardMark[] {
  const others = earlier.filter((one) => !overlap(one.shard, shard));
  const shared = earlier.filter((one) => overlap(one.shard, shard) && one.mark.startedMs <= nowMs);
  const older = shared.filter(({ mark }) => mark.startedMs <= run.startedMs);
  const later = shared.filter(({ mark }) => mark.startedMs > run.startedMs);
  const widened = later.map((one) => ({ ...one, mark: { ...one.mark, ...widen(one.mark, lifetimesOf(run)) } }));
  if (later.some((one) => isPartOf(shard, one.shard))) return [...others, ...widened, ...older];
  // Marks of parts of this shard count for no sid any more.
  const left = older.filter((one) => !isPartOf(one.shard, shard));
  const mark = markAfter(joint(latestWithin(shard, older), run.startedMs), run);
  return [...others, ...widened, { shard, mark }, ...left];
}

/** The mark of a complete run, given the one that counted before. */
function markAfter(previous: DirectoryMark | undefined, run: CompleteRun): DirectoryMark {
  const { startedMs, keeps, renewed } = run;
  const startedWithoutKeepMs = keeps ? previous?.startedWithoutKeepMs : startedMs;
  const started = { startedMs, ...(startedWithoutKeepMs === undefined ? {} : { startedWithoutKeepMs }) };
  if (previous === undefined || renewed) return { ...started, renewedMs: startedMs, ...lifetimesOf(run) };
  return { ...started, renewedMs: previous.renewedMs, ...widen(previous, lifetimesOf(run)) };
}

/**
 * The mark that counts for each part of a shard, so that marks of any number of shards count for a
 * part as a whole or not at all; `undefined` where none does. `marks`: the latest first.
 */
function latestWithin(shard: Shard, marks: readonly ShardMark[]): readonly (DirectoryMark | undefined)[] {
  const count = marks.reduce(
    (all, one) => (all / greatestDivisor(all, one.shard.count)) * one.shard.count,
    shard.count,
  );
  const parts = count / shard.count;
  if (parts > maxParts) return [undefined, ...marks.map(({ mark }) => mark)];
  return Array.from({ length: parts }, (_, number) => {
    const part = { index: shard.index + number * shard.count, count };
    return marks.find((one) => isPartOf(part, one.shard))?.mark;
  });
}

/**
 * One mark that holds for every part of a shard: no key of it expired later than the mark says.
 * `startedMs`: of the run that is the first one over parts without a mark.
 */
function joint(parts: readonly (DirectoryMark | undefined)[], startedMs: number): DirectoryMark | undefined {
  const marks = parts.filter((mark) => mark !== undefined);
  const [first, ...others] = marks;
  if (first === undefined) return undefined;
  const all = others.reduce(bothOf, first);
  if (marks.length === parts.length) return all;
  const { startedWithoutKeepMs: _, ...rest } = all;
  return { ...rest, renewedMs: startedMs };
}

function bothOf(one: DirectoryMark, other: DirectoryMark): DirectoryMark {
  const { startedWithoutKeepMs: withoutKeepMs, ...rest } = one;
  const { shortest, longest, ttl = "full", startedWithoutKeepMs: otherMs } = other;
  return {
    ...rest,
    ...(shortest && longest && widen(one, { shortest, longest, ttl })),
    startedMs: Math.max(one.startedMs, other.startedMs),
    renewedMs: Math.max(one.renewedMs, other.renewedMs),
    ...(withoutKeepMs === undefined || otherMs === undefined
      ? {}
      : { startedWithoutKeepMs: Math.min(withoutKeepMs, otherMs) }),
  };
}

type Lifetimes = Required<Pick<DirectoryMark, "shortest" | "longest" | "ttl">>;

function lifetimesOf({ lifetimes: { expiration, expirationAnonymous, ttl } }: CompleteRun): Lifetimes {
  const current = { expiration, expirationAnonymous };
  return { shortest: current, longest: current, ttl };
}

/** The expirations of earlier runs and of more. */
function widen({ shortest, longest, ttl }: DirectoryMark, more: Lifetimes): Lifetimes {
  return {
    shortest: each(Math.min, shortest ?? more.shortest, more.shortest),
    longest: each(Math.max, longest ?? more.longest, more.longest),
    // A key counts from the read if any run since counted so.
    ttl: ttl === "remaining" && more.ttl === "remaining" ? "remaining" : "full",
  };
}

/** The longest expirations of the marks and of this run. */
export function longestOf(marks: readonly ShardMark[], current: Expirations): Expirations {
  return marks.reduce<Expirations>((longest, { mark }) => each(Math.max, longest, mark.longest ?? current), current);
}

function each(choose: (one: number, other: number) => number, one: Expirations, other: Expirations): Expirations {
  return {
    expiration: choose(one.expiration, other.expiration),
    expirationAnonymous: choose(one.expirationAnonymous, other.expirationAnonymous),
  };
}
