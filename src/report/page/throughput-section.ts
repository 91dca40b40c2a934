import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { countText, durationText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { drawLabels, drawLevels, drawPlot } from "./columns.js";
import { figure, numbersTable } from "./figure.js";
import { html, type Markup } from "./markup.js";
import { drawBox, drawUpright } from "./shapes.js";

/** Points of the line: more cannot be told apart. */
const maxPoints = 120;
const height = 210;
const top = 18;
const bottom = height - 26;

/** The rate between two instants. */
interface Rate {
  readonly from: number;
  readonly to: number;
  readonly perSecond: number;
}

/** Did it stall, and when? */
export function throughputSection({ throughput, phases, seconds }: Report): Markup | undefined {
  const rates = ratesOf(throughput.samples);
  if (rates.every(({ perSecond }) => perSecond === 0)) return undefined;
  const fastest = Math.max(...rates.map(({ perSecond }) => perSecond));
  const stalls = describeMarks(throughput.marks, seconds);
  return html`${figure({
    id: "throughput-line",
    title: "Session files a second, over the time of the run",
    description: `Up to ${countText(fastest)} a second in ${durationText(seconds)}. ${stalls}`,
    height,
    drawing: drawRates(rates, throughput.marks, Math.max(seconds, rates.at(-1)?.to ?? 0)),
    legend: legendOf(throughput.marks),
    numbers: {
      columns: ["until", "session files a second"],
      rows: rates.map(({ to, perSecond }) => [durationText(to), Math.round(perSecond)]),
    },
  })}
<p>${stalls}</p>
${
  phases.length === 0
    ? undefined
    : numbersTable("Phases", {
        columns: ["phase", "took"],
        rows: phases.map((phase) => [phase.name, durationText(phase.seconds)]),
      })
}`;
}

/** The rates between samples, of which neighbours are joined until there are few enough. */
function ratesOf(samples: Report["throughput"]["samples"]): readonly Rate[] {
  const step = Math.max(1, Math.ceil((samples.length - 1) / maxPoints));
  const kept = samples.filter((_, index) => index % step === 0 || index === samples.length - 1);
  return kept.flatMap((sample, index) => {
    const before = kept[index - 1];
    const took = before === undefined ? 0 : sample.seconds - before.seconds;
    if (before === undefined || took <= 0) return [];
    const perSecond = Math.max(0, (sample.sessions - before.sessions) / took);
    return [{ from: before.seconds, to: sample.seconds, perSecond }];
  });
}

type Marks = Report["throughput"]["marks"];

/** When Redis was away, from and to; to the end of the run if it never came back. */
function absencesOf(marks: Marks, end: number): readonly (readonly [from: number, to: number])[] {
  return marks.flatMap(({ kind, seconds: from }, index) => {
    if (kind !== "redis-away") return [];
    const back = marks.slice(index).find((mark) => mark.kind === "redis-back");
    return [[from, back?.seconds ?? end] as const];
  });
}

function drawRates(rates: readonly Rate[], marks: Marks, end: number): readonly Markup[] {
  const x = scaleLinear([0, end], [0, 1]);
  const fastest = Math.max(1, ...rates.map(({ perSecond }) => perSecond));
  const y = scaleLinear([0, fastest], [bottom, top]).nice(3);
  // The SVG inside is stretched to any width; the line's own width is not.
  const path = line<Rate>(
    ({ from, to }) => 1000 * x((from + to) / 2),
    ({ perSecond }) => y(perSecond),
  ).digits(1)(rates);
  const area = { y: top, height: bottom - top };
  const away = absencesOf(marks, end).map(([from, to]) =>
    drawBox("away", { ...area, x: x(from), width: Math.max(0.004, x(to) - x(from)) }),
  );
  const lines = marks
    .filter(({ kind }) => kind === "pass" || kind === "restart")
    .map(({ kind, seconds }) => drawUpright(`mark ${kind}`, x(seconds), area));
  const labels = x.ticks(4).map((seconds) => ({ at: x(seconds), text: durationText(seconds) }));
  const curve = html`<svg viewBox="0 0 1000 ${height}" preserveAspectRatio="none">
<path class="line" d="${path ?? ""}"/></svg>
`;
  const plot = [...away, ...lines, curve, ...drawLabels(labels, height - 8)];
  return drawPlot(drawLevels(y.ticks(3), y), plot);
}

function legendOf(marks: Marks) {
  const texts = { "redis-away": "Redis was away", restart: "started over", pass: "a pass began" } as const;
  const kinds = ["redis-away", "restart", "pass"] as const;
  const present = kinds.filter((kind) => marks.some((mark) => mark.kind === kind));
  return [
    { colour: "series-1", text: "session files a second" },
    ...present.map((kind) => ({ colour: `mark-${kind}`, text: texts[kind] })),
  ];
}

function describeMarks(marks: Marks, end: number): string {
  const away = absencesOf(marks, end).map(([from, to]) => `for ${durationText(to - from)} after ${durationText(from)}`);
  const shown = away.length > 5 ? [...away.slice(0, 5), `${away.length - 5} more times`] : away;
  const backs = marks.filter(({ kind }) => kind === "redis-back").length;
  const restarts = marks.filter(({ kind }) => kind === "restart").length;
  return [
    away.length === 0 ? "Redis was never away." : `Redis was away ${shown.join(", ")}.`,
    ...(backs < away.length ? ["It did not come back."] : []),
    ...(restarts > 0 ? [`The run started over ${restarts === 1 ? "once" : `${restarts} times`}.`] : []),
  ].join(" ");
}
