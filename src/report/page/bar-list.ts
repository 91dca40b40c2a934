import { scaleLinear } from "d3-scale";
import { countText } from "../../model/number-text.js";
import { type Figure, figure, percent, shareText } from "./figure.js";
import { html, type Markup } from "./markup.js";

/** A horizontal bar. */
export interface Bar {
  readonly name: string;
  readonly count: number;
}

/** Bars that are drawn; the table has the rest as one row. */
const maxBars = 20;
const rowHeight = 40;
/** So many characters of a name fit on a telephone. */
const maxNameLength = 34;

/** A horizontal bar for each of several counts, with its name above it. */
export function barList({ id, title }: Pick<Figure, "id" | "title">, column: string, all: readonly Bar[]): Markup {
  const bars = shorten(all.toSorted((one, other) => other.count - one.count));
  const whole = all.reduce((sum, { count }) => sum + count, 0);
  const scale = scaleLinear([0, Math.max(1, ...bars.map(({ count }) => count))], [0, 1]);
  const drawing = bars.map(({ name, count }, index) => {
    const y = index * rowHeight;
    return html`<text x="0" y="${y + 14}">${shortName(name)}</text>
<text x="100%" y="${y + 14}" text-anchor="end">${countText(count)} (${shareText(count, whole)})</text>
<rect class="track" x="0" y="${y + 20}" width="100%" height="8"/>
<rect class="series-1" x="0" y="${y + 20}" width="${percent(scale(count))}" height="8"/>`;
  });
  const parts = bars.map(({ name, count }) => `${name} ${countText(count)}`);
  return figure({
    id,
    title,
    description: `${parts.join(", ")}.`,
    height: Math.max(1, bars.length) * rowHeight - 8,
    drawing,
    numbers: { columns: [column, "session files"], rows: bars.map(({ name, count }) => [name, count]) },
  });
}

function shorten(bars: readonly Bar[]): readonly Bar[] {
  if (bars.length <= maxBars) return bars;
  const rest = bars.slice(maxBars - 1);
  const count = rest.reduce((sum, one) => sum + one.count, 0);
  return [...bars.slice(0, maxBars - 1), { name: `${rest.length} others`, count }];
}

/** The end of a path says more than its beginning. */
function shortName(name: string): string {
  return name.length <= maxNameLength ? name : `…${name.slice(1 - maxNameLength)}`;
}
