import { makeRandom } from "../random.js";
import type { KillPoint, Work } from "./kill-point.js";

/** A part of a run: points of one kind, both inclusive; they count from 1 over the whole run. */
export interface Stretch {
  readonly kind: KillPoint["kind"];
  readonly first: number;
  readonly last: number;
}

/** The parts of a run that kills are aimed at. */
export interface Stretches {
  /** In these some sessions are moved and some are not: by turns a kill is aimed at each. */
  readonly mixed: readonly Stretch[];
  /** The whole run. */
  readonly anywhere: readonly Stretch[];
}

/**
 * Sessions that may be on their way when a run is killed; they are still written, so the last
 * confirmations are left out.
 */
const mostOnTheirWay = 1600;
/** Where a stretch ends differs a little from run to run: so much is left out at both ends. */
const margin = 0.03;
/** One point of so many lies anywhere in the run. */
const pointsToOneAnywhere = 25;

/**
 * Finds out from what an undisturbed run of `copy --purge` did which work belongs to which phase.
 * Throws where the work that is watched is not all that the run lives by.
 */
export function findStretches(work: readonly Work[], sessions: number): Stretches {
  const numbered = numberWork(work);
  const files = numbered.filter((one) => one.kind === "file operation");
  const replies = numbered.filter((one) => one.kind === "reply");

  const readPaths = new Set<string>();
  const firstReads = files.filter(({ name, path }) => {
    if (name !== "readSync" || readPaths.has(path)) return false;
    readPaths.add(path);
    return true;
  });
  const [startOfCopy, endOfReading] = endsOf("files read", firstReads, sessions);
  const confirmations = replies
    .filter(({ index, type }) => index > startOfCopy.index && type === "+")
    .slice(0, sessions);
  const [firstConfirmed] = endsOf("sessions confirmed by Redis", confirmations, sessions);
  const isCopying = ({ index }: Numbered) => index > firstConfirmed.index && index < endOfReading.index;
  const removals = files.filter(({ name }) => name === "unlinkSync");
  const [firstRemoved, lastRemoved] = endsOf("files removed", removals, sessions);
  const isRemoving = ({ index }: Numbered) => index >= firstRemoved.index && index <= lastRemoved.index;

  const confirming = stretchOf(confirmations.slice(0, sessions - mostOnTheirWay));
  const copying = trimmed(files.filter(isCopying));
  const removing = trimmed(files.filter(isRemoving));
  // Now and then Redis is asked whether it is still the one that confirmed.
  const asking = stretchOf(replies.filter(isRemoving));
  return {
    mixed: [confirming, removing, copying, removing, confirming, removing, copying, asking],
    anywhere: [trimmed(files), trimmed(replies)],
  };
}

/**
 * Chooses points by seed, evenly over the mixed stretches, from another one on for each seed, and,
 * a few, over the whole run.
 */
export function chooseKillPoints({ mixed, anywhere }: Stretches, count: number, seed: number): KillPoint[] {
  const random = makeRandom(seed);
  const aims = Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / pointsToOneAnywhere);
    const last = index % pointsToOneAnywhere === pointsToOneAnywhere - 1;
    return last ? anywhere[round % anywhere.length] : mixed[(index + seed) % mixed.length];
  });
  const taken = new Map<Stretch | undefined, number>();
  return aims.flatMap((stretch) => {
    if (stretch === undefined) return [];
    const before = taken.get(stretch) ?? 0;
    taken.set(stretch, before + 1);
    // One in each equal part of the stretch.
    const share = (before + random()) / aims.filter((one) => one === stretch).length;
    const at = stretch.first + Math.floor(share * (stretch.last - stretch.first + 1));
    return [{ kind: stretch.kind, at, side: random() < 0.5 ? "before" : "after" }];
  });
}

/** Chooses points by seed, evenly over a whole run. */
export function chooseEvenly(work: readonly Work[], count: number, seed: number): KillPoint[] {
  const numbered = numberWork(work);
  const all = (["reply", "file operation"] as const).map((kind) =>
    trimmed(numbered.filter((one) => one.kind === kind)),
  );
  return chooseKillPoints({ mixed: all, anywhere: all }, count, seed);
}

type Numbered = Work & {
  /** Its place in the run. */
  readonly index: number;
  /** Its place among the work of its kind, from 1. */
  readonly number: number;
};

function numberWork(work: readonly Work[]): Numbered[] {
  const counts = { reply: 0, "file operation": 0 };
  return work.map((one, index) => {
    counts[one.kind] += 1;
    return { ...one, index, number: counts[one.kind] };
  });
}

/** The first and the last of a run's work. Throws where it is less than the run must have done. */
function endsOf<T extends Numbered>(what: string, work: readonly T[], sessions: number): readonly [T, T] {
  const first = work[0];
  const last = work.at(-1);
  if (first === undefined || last === undefined || work.length < sessions)
    throw new Error(`${what} by functions that are watched: ${work.length} of ${sessions}`);
  return [first, last];
}

function stretchOf(work: readonly Numbered[]): Stretch {
  const [first, last] = endsOf("points to choose from", work, 1);
  return { kind: first.kind, first: first.number, last: last.number };
}

function trimmed(work: readonly Numbered[]): Stretch {
  const less = Math.ceil(work.length * margin);
  return stretchOf(work.slice(less, work.length - less));
}
