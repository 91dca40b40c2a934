import { scaleLinear } from "d3-scale";
import { stack } from "d3-shape";
import { percent } from "./figure.js";
import { html, type Markup } from "./markup.js";
import { drawBox, drawLevel } from "./shapes.js";

/** Columns that stand side by side, each of one or more series on top of each other. */
export interface Columns {
  /** A class of the style sheet for each series, the lowest first. */
  readonly colours: readonly string[];
  /** One count for each series. */
  readonly columns: readonly Readonly<Record<string, number>>[];
  /** What stands below, at positions from 0 (left) to 1. */
  readonly labels: readonly AxisLabel[];
}

export interface AxisLabel {
  readonly at: number;
  readonly text: string;
}

export const columnsHeight = 190;
const top = 16;
const bottom = columnsHeight - 24;

/** The part of a chart's width that the numbers of its levels take. */
const labelShare = 0.09;

/** A chart's levels at the left, and its plot beside them, whose percentages begin there. */
export function drawPlot(levels: readonly Markup[], plot: readonly Markup[]): readonly Markup[] {
  const [from, width] = [percent(labelShare), percent(1 - labelShare)];
  return [...levels, html`<svg class="plot" x="${from}" width="${width}">`, ...plot, html`</svg>`];
}

/** The columns, with a few lines that say how many they are. */
export function drawColumns({ colours, columns, labels }: Columns): readonly Markup[] {
  const names = colours.map((_, index) => String(index));
  const sums = columns.map((column) => names.reduce((sum, name) => sum + countOf(column, name), 0));
  const scale = scaleLinear([0, Math.max(1, ...sums)], [bottom, top]).nice(3);
  const series = stack<Readonly<Record<string, number>>>()
    .keys(names)
    .value((column, name) => countOf(column, name))([...columns]);
  const width = 1 / columns.length;
  const gap = columns.length > 60 ? 0 : 0.1 * width;
  const rects = series.flatMap((layers, index) =>
    layers.flatMap(([from, to], at) => {
      if (to === from) return [];
      const [y, end] = [scale(to), scale(from)];
      // A count that is next to nothing beside the others is still there.
      const height = Math.max(1, end - y);
      const place = { x: at * width + gap / 2, width: width - gap, y: end - height, height };
      return drawBox(colours[index] ?? "", place);
    }),
  );
  return drawPlot(drawLevels(scale.ticks(3), scale), [...rects, ...drawLabels(labels)]);
}

function countOf(column: Readonly<Record<string, number>>, name: string): number {
  return column[name] ?? 0;
}

/** A line for each level, with its number. */
export function drawLevels(levels: readonly number[], scale: (level: number) => number): readonly Markup[] {
  return levels.map((level) => {
    const y = Math.round(scale(level));
    return html`${drawLevel("grid", y)}<text class="tick" x="0" y="${y - 3}">${shortCount(level)}</text>
`;
  });
}

/** `800`, `1.5k`, `2M`. */
function shortCount(count: number): string {
  if (count >= 1e6) return `${Number((count / 1e6).toPrecision(3))}M`;
  return count >= 1000 ? `${Number((count / 1000).toPrecision(3))}k` : String(count);
}

/** Texts below a chart: the first begins at its left end, the last ends at its right end. */
export function drawLabels(labels: readonly AxisLabel[], y = columnsHeight - 8): readonly Markup[] {
  return labels.map(({ at, text }) => {
    const anchor = at <= 0.02 ? "start" : at >= 0.98 ? "end" : "middle";
    return html`<text class="tick" x="${percent(at)}" y="${y}" text-anchor="${anchor}">${text}</text>
`;
  });
}
