import { scaleLinear } from "d3-scale";
import { hourMs } from "../../model/counts.js";
import { countOf, countText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { columnsHeight, drawColumns } from "./columns.js";
import { figure } from "./figure.js";
import { html, type Markup } from "./markup.js";
import { instantText } from "./verdict-section.js";

/** Columns of the chart; each stands for as many hours as that takes. */
const maxColumns = 240;

/** When does the wave of expiry come? */
export function lifetimesSection({ lifetimes, startedAt }: Report): Markup | undefined {
  const [first] = lifetimes;
  const last = lifetimes.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const start = Math.floor(Date.parse(startedAt ?? first.hour) / hourMs);
  const hours = lifetimes.map(({ hour, sessions }) => ({
    hour: Math.max(0, Math.floor(Date.parse(hour) / hourMs) - start),
    sessions,
  }));
  const span = Math.floor(Date.parse(last.hour) / hourMs) - start + 1;
  const perColumn = Math.max(1, Math.ceil(span / maxColumns));
  const counts = Array.from({ length: Math.ceil(span / perColumn) }, () => 0);
  for (const { hour, sessions } of hours) {
    const at = Math.floor(hour / perColumn);
    counts[at] = (counts[at] ?? 0) + sessions;
  }
  const peak = lifetimes.reduce((most, one) => (one.sessions > most.sessions ? one : most), first);
  const total = lifetimes.reduce((sum, { sessions }) => sum + sessions, 0);
  const story =
    `${countOf(total, "key")} expire, unless their owners come back meanwhile. ` +
    `The most in one hour: ${countText(peak.sessions)}, from ${instantText(peak.hour)} on.`;
  const x = scaleLinear([0, counts.length * perColumn], [0, 1]);
  return html`${figure({
    id: "lifetimes-hours",
    title: `Keys by when they expire, ${perColumn === 1 ? "hour by hour" : `${perColumn} hours a column`}`,
    description: story,
    height: columnsHeight,
    drawing: drawColumns({
      colours: ["series-1"],
      columns: counts.map((count) => ({ 0: count })),
      labels: ticksOf(counts.length * perColumn).map((hour) => ({ at: x(hour), text: hourText(hour) })),
    }),
    numbers: {
      columns: ["in the hour from", "keys"],
      rows: lifetimes.map(({ hour, sessions }) => [instantText(hour), sessions]),
    },
  })}
<p>${story}</p>`;
}

/** Hours at which a label stands: whole days if there are several. */
function ticksOf(hours: number): readonly number[] {
  const unit = hours > 72 ? 24 : 1;
  const count = Math.floor(hours / unit);
  const step = Math.max(1, Math.ceil(count / 6));
  return Array.from({ length: Math.floor(count / step) + 1 }, (_, index) => index * step * unit);
}

function hourText(hours: number): string {
  if (hours === 0) return "now";
  return hours % 24 === 0 ? `${hours / 24}d` : `${hours}h`;
}
