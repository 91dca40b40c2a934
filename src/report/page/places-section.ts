import { scaleLinear } from "d3-scale";
import { stack } from "d3-shape";
import { countText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { figure, shareText } from "./figure.js";
import { html, type Markup } from "./markup.js";
import { type FilledPlace, placesIn } from "./places.js";
import { drawBox } from "./shapes.js";

/** Even one session of a million is drawn as wide as this part of the whole. */
const minShare = 0.01;
const title = "Session files by what became of them";

/** Where are the sessions: is anybody logged out? */
export function placesSection(report: Report): Markup | undefined {
  const places = placesIn(report);
  if (places.length === 0) return undefined;
  const total = places.reduce((sum, { count }) => sum + count, 0);
  const { authenticated, anonymous, lossy, retracted, purged } = report.sessions;
  const further = [
    `${countText(authenticated)} were logged in, ${countText(anonymous)} anonymous.`,
    ...(lossy > 0 ? [`${countText(lossy)} hold tuples or integer keys, stored as the applet stores them.`] : []),
    ...(retracted > 0 ? [`${countText(retracted)} keys were deleted, because their owners logged out.`] : []),
    ...(purged > 0 ? [`${countText(purged)} files were removed.`] : []),
    ...(report.stillChanging > 0 ? [`${countText(report.stillChanging)} were still changing at the end.`] : []),
  ];
  return html`${figure({
    id: "places-bar",
    title,
    description: `${places.map(({ text, count }) => `${countText(count)} ${text}`).join("; ")}.`,
    height: 36,
    drawing: drawBar(places, total),
    legend: places.map(({ text, count, kind, tone }) => ({
      colour: colourOf(kind, tone),
      text: `${countText(count)} (${shareText(count, total)}) ${text}`,
    })),
    numbers: {
      columns: ["what became of them", "session files", "share"],
      rows: places.map(({ kind, count }) => [kind, count, shareText(count, total)]),
    },
  })}
<p>${further.join(" ")}</p>`;
}

/** Two places of one tone need two shades. */
function colourOf(kind: string, tone: string): string {
  return `${tone} ${tone}-${kind}`;
}

/** One bar of all places. Small parts are widened until they can be seen. */
function drawBar(places: readonly FilledPlace[], total: number): readonly Markup[] {
  const shares = places.map(({ count }) => Math.max(minShare, count / total));
  const scale = scaleLinear([0, shares.reduce((sum, share) => sum + share, 0)], [0, 1]);
  const names = places.map(({ kind }) => kind);
  const row = Object.fromEntries(names.map((name, index) => [name, shares[index] ?? 0]));
  return stack()
    .keys(names)([row])
    .map(([layer], index) => {
      const [from = 0, to = 0] = layer ?? [];
      const { kind = "", tone = "" } = places[index] ?? {};
      const x = scale(from);
      return drawBox(`segment ${colourOf(kind, tone)}`, { x, width: scale(to) - x, y: 2, height: 32 });
    });
}
