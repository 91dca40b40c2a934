import type { BenchRow, CaseResult } from "./bench-row.js";
import { isReached, type Requirement } from "./requirements.js";

const head = ["", "seconds", "least to most", "sessions/s", "µs each", "processor s", "peak MB", "runs", ""];

/** All rows in one table, a line for each, under a line for each case; times are medians. */
export function benchTable(results: readonly CaseResult[]): string {
  const cells = [head, ...results.flatMap(({ rows }) => rows.map(cellsOf))];
  const widths = widthsOf(cells);
  const lines = [line(head, widths)];
  for (const { sessions, title, how, rows } of results) {
    lines.push("", `${grouped(sessions)} sessions, ${title} (${how})`);
    for (const row of rows) lines.push(line(cellsOf(row), widths));
  }
  return lines.join("\n");
}

function cellsOf(row: BenchRow): readonly string[] {
  const { title, sessions, measuredOn, rounds, seconds, processorSeconds, peakBytes } = row;
  return [
    `  ${title}`,
    amount(seconds.median),
    `${amount(seconds.least)} to ${amount(seconds.most)}`,
    grouped(Math.round(sessions / seconds.median)),
    ((seconds.median * 1e6) / sessions).toFixed(1),
    amount(processorSeconds),
    (peakBytes / 1e6).toFixed(1),
    String(rounds),
    measuredOn === sessions ? "" : `scaled from ${grouped(measuredOn)}`,
  ];
}

/** What the run is to show, what it must be, and whether it is. */
export function requirementsTable(requirements: readonly Requirement[]): string {
  const cells = [
    ["It must show", "measured", "must be", "reached", "aim", "reached"],
    ...requirements.map((requirement) => {
      const { title, measured, unit, better, bound, aim } = requirement;
      const wanted = better === "more" ? "at least" : "at most";
      const limit = (value: number | undefined) => (value === undefined ? "" : `${wanted} ${value} ${unit}`);
      return [
        title,
        measured === undefined ? "not measured" : `${measured.toFixed(unit === "MB" ? 0 : 2)} ${unit}`,
        limit(bound),
        answer(isReached(requirement, bound)),
        limit(aim),
        answer(isReached(requirement, aim)),
      ];
    }),
  ];
  const widths = widthsOf(cells);
  return cells.map((row) => line(row, widths)).join("\n");
}

function answer(reached: boolean | undefined): string {
  return reached === undefined ? "" : reached ? "yes" : "NO";
}

function widthsOf(cells: readonly (readonly string[])[]): readonly number[] {
  return head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
}

/** The first column to the left, the last where it falls, the others to the right. */
function line(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) =>
      column === 0
        ? cell.padEnd(widths[0] ?? 0)
        : column === head.length - 1
          ? cell
          : cell.padStart(widths[column] ?? 0),
    )
    .join("  ")
    .trimEnd();
}

/** Three digits are enough, and none is lost of what is large. */
function amount(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
