import { countText } from "../../model/number-text.js";
import { html, type Markup, type Part } from "./markup.js";

/** A chart with its numbers. */
export interface Figure {
  /** Unique in the page: letters and hyphens. */
  readonly id: string;
  /** What the chart is called. */
  readonly title: string;
  /** What it shows, in a sentence, for those who do not see it. */
  readonly description: string;
  /** Pixels. Its width is the page's. */
  readonly height: number;
  /** What stands in the SVG. Horizontal measures are percentages. */
  readonly drawing: Part;
  /** What the colours stand for; empty if there is but one. */
  readonly legend?: readonly LegendEntry[];
  /** The numbers that the chart was drawn from. */
  readonly numbers: Numbers;
}

export interface LegendEntry {
  /** A class of the style sheet, such as `good`. */
  readonly colour: string;
  readonly text: string;
}

/** A table: the first cell of a row names it. */
export interface Numbers {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** An SVG with its title and description, what its colours mean, and its numbers in a table. */
export function figure({ id, title, description, height, drawing, legend = [], numbers }: Figure): Markup {
  return html`<figure>
<figcaption>${title}</figcaption>
<svg role="img" aria-labelledby="${id}-title ${id}-text" width="100%" height="${height}">
<title id="${id}-title">${title}</title><desc id="${id}-text">${description}</desc>
${drawing}
</svg>
${legend.length === 0 ? undefined : legendList(legend)}
<details><summary>Numbers: ${title}</summary>
${numbersTable(title, numbers)}
</details>
</figure>
`;
}

function legendList(entries: readonly LegendEntry[]): Markup {
  return html`<ul class="legend">${entries.map(
    ({ colour, text }) => html`<li><span class="swatch ${colour}"></span>${text}</li>`,
  )}</ul>`;
}

/** A table with a caption that only screen readers show. */
export function numbersTable(caption: string, { columns, rows }: Numbers): Markup {
  const [first = "", ...others] = columns;
  return html`<table><caption class="hidden">${caption}</caption>
<thead><tr><th scope="col">${first}</th>${others.map(
    (column) => html`<th scope="col" class="number">${column}</th>`,
  )}</tr></thead>
<tbody>${rows.map(
    ([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map(
      (cell) => html`<td class="number">${typeof cell === "number" ? countText(cell) : cell}</td>`,
    )}</tr>
`,
  )}</tbody></table>`;
}

export type Fact = readonly [name: string, value: string];

/** Names with their values, side by side where there is room. */
export function factList(facts: readonly Fact[]): Markup {
  return html`<dl>${facts.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`,
  )}</dl>`;
}

/** A part of a whole as a percentage for SVG: `12.5%`. */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(3))}%`;
}

/** A share for people: `34%`, `under 1%`. */
export function shareText(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0%";
  const share = (100 * part) / whole;
  if (share < 1) return "under 1%";
  return share > 99 && part < whole ? "over 99%" : `${Math.round(share)}%`;
}
