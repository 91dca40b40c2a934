import type { ContestantRun } from "../runs/arena.js";
import { type ContestantName, contestants } from "../runs/contestants.js";
import type { BenchRow } from "./bench-row.js";
import { spreadOf } from "./spread.js";

/** The runs of one contestant in one case. */
export interface Runs {
  readonly sessions: number;
  /** The number of sessions in `works`. */
  readonly measuredOn: number;
  readonly works: readonly ContestantRun[];
  /** Runs without a session, where `works` are to be scaled. */
  readonly starts: readonly ContestantRun[];
}

export function rowOf(contestant: ContestantName, runs: Runs): BenchRow {
  const { sessions, measuredOn, works } = runs;
  return {
    contestant,
    title: contestants[contestant].title,
    sessions,
    measuredOn,
    entries: works.at(-1)?.entries ?? 0,
    rounds: works.length,
    seconds: spreadOf(scaled(runs, "seconds")),
    processorSeconds: spreadOf(scaled(runs, "processorSeconds")).median,
    peakBytes: peakOf(runs),
  };
}

/**
 * Writing what is ready-made and reading what is not converted, one after the other: no copy that
 * does both is much faster.
 */
export function floorOf(pipe: Runs, reader: Runs): BenchRow {
  const both = (what: "seconds" | "processorSeconds") => {
    const second = scaled(reader, what);
    return spreadOf(scaled(pipe, what).map((value, round) => value + (second[round] ?? Number.NaN)));
  };
  return {
    contestant: "floor",
    title: "the floor: the two above, one after the other",
    sessions: pipe.sessions,
    measuredOn: Math.min(pipe.measuredOn, reader.measuredOn),
    entries: pipe.works.at(-1)?.entries ?? 0,
    rounds: pipe.works.length,
    seconds: both("seconds"),
    processorSeconds: both("processorSeconds").median,
    peakBytes: Math.max(peakOf(pipe), peakOf(reader)),
  };
}

function peakOf({ works }: Runs): number {
  return Math.max(...works.map(({ peakBytes }) => peakBytes));
}

/** The start happens once however many sessions there are; the rest grows with them. */
function scaled(
  { sessions, measuredOn, works, starts }: Runs,
  what: "seconds" | "processorSeconds",
): readonly number[] {
  const values = works.map((run) => run[what]);
  if (sessions === measuredOn) return values;
  const start = spreadOf(starts.map((run) => run[what])).median;
  return values.map((value) => start + ((value - start) * sessions) / measuredOn);
}
