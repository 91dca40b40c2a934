import type { CaseKindName } from "../bench-case.js";
import type { BenchRow, CaseResult } from "./bench-row.js";

/** What a run is to show: a ratio or an amount, and what it must be. */
export interface Requirement {
  readonly title: string;
  /** Absent where this run did not measure it. */
  readonly measured?: number;
  /** What the number counts: `x`, times as fast or as long; or `MB`. */
  readonly unit: "x" | "MB";
  readonly better: "more" | "less";
  /** Absent where nothing but the aim is asked. */
  readonly bound?: number;
  readonly aim?: number;
}

/** Whether a requirement's number is at least, or at most, another. Absent where there is nothing to compare. */
export function isReached({ measured, better }: Requirement, limit: number | undefined): boolean | undefined {
  if (measured === undefined || limit === undefined) return undefined;
  return better === "more" ? measured >= limit : measured <= limit;
}

/** The sizes at which time and memory are compared. */
const few = 20_000;
const usual = 100_000;
const large = 1_000_000;

type Measure = (row: BenchRow) => number | undefined;
const seconds: Measure = (row) => row.seconds.median;
const secondsEach: Measure = (row) => row.seconds.median / row.sessions;
/** Memory is not scaled: of a sample it says nothing. */
const megabytes: Measure = (row) => (row.measuredOn === row.sessions ? row.peakBytes / 1e6 : undefined);

/**
 * Every requirement, with what the run measured at 100,000 sessions, or the most below that where
 * it has none of those.
 */
export function judge(results: readonly CaseResult[]): Requirement[] {
  const sizes = results.map(({ sessions }) => sessions);
  const size = Math.max(...sizes.filter((sessions) => sessions <= usual));
  const value = (
    kind: CaseKindName,
    contestant: BenchRow["contestant"],
    measure: Measure,
    sessions = size,
  ): number | undefined => {
    const result = results.find((one) => one.kind === kind && one.sessions === sessions);
    const row = result?.rows.find((one) => one.contestant === contestant);
    return row === undefined ? undefined : measure(row);
  };
  const faster = (kind: CaseKindName, who: BenchRow["contestant"], than: BenchRow["contestant"], sessions = size) =>
    ratio(value(kind, than, seconds, sessions), value(kind, who, seconds, sessions));
  const fasterOf = (sessions: number, than: BenchRow["contestant"]) => faster("warm", "copy", than, sessions);
  const sameAs = (kind: CaseKindName) => ratio(value(kind, "copy", seconds), value("warm", "copy", seconds));
  const time = (kind: CaseKindName, who: BenchRow["contestant"], of: BenchRow["contestant"]) =>
    ratio(value(kind, who, seconds), value(kind, of, seconds));
  const peak = value("warm", "copy", megabytes, large);

  return [
    required("copy, as fast as the pipelined script", faster("warm", "copy", "script"), "more", 2, 2.5),
    required("copy, time of the floor", time("warm", "copy", "floor"), "less", 2, 1.5),
    required("copy, as fast as the server's way", faster("warm", "copy", "server"), "more", 18, 22),
    required("copy of 20,000, as fast as the server's way", fasterOf(few, "server"), "more", 10, 14),
    required("copy of 20,000, as fast as the pipelined script", fasterOf(few, "script"), "more", 1.3, 1.6),
    required("copy of 1,000,000, as fast as the server's way", fasterOf(large, "server"), "more", 25, 35),
    required("scattered JSON, as fast as the server's way", faster("json", "copy", "server"), "more", 15, 20),
    required("Redis 1 ms away: as fast as the server's way", faster("redis", "copy", "server"), "more", 150, 200),
    required("on Node 24: time of the same on this Node", sameAs("node24"), "less"),
    required("a Cluster: time of the same on one server", sameAs("cluster"), "less", undefined, 1.5),
    required("behind a Sentinel: time of the same on one server", sameAs("sentinel"), "less", undefined, 1.5),
    required("files 2 ms away: as fast as the server's way", faster("files", "copy", "server"), "more", 80, 100),
    required("cold cache: as fast as the server's way", faster("cold", "copy", "server"), "more", 6),
    // What the disk gives is what the C reader gets; there is no number for it.
    required("cold cache: time of the C reader", time("cold", "copy", "reader"), "less"),
    required("verify, as fast as copy", faster("warm", "verify", "copy"), "more", 1.3, 1.6),
    required("dry run, as fast as copy", faster("warm", "dry-run", "copy"), "more", 1.4, 2),
    { ...required("copy of 1,000,000, peak memory", peak, "less", 150, 130), unit: "MB" },
    required(
      "copy of 1,000,000, time per session of 100,000",
      ratio(value("warm", "copy", secondsEach, large), value("warm", "copy", secondsEach, usual)),
      "less",
      1,
    ),
  ];
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value / base;
}

function required(
  title: string,
  measured: number | undefined,
  better: "more" | "less",
  bound?: number,
  aim?: number,
): Requirement {
  return {
    title,
    unit: "x",
    better,
    ...(measured === undefined ? {} : { measured }),
    ...(bound === undefined ? {} : { bound }),
    ...(aim === undefined ? {} : { aim }),
  };
}
