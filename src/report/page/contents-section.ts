import { countOf, countText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { type Bar, barList } from "./bar-list.js";
import { html, type Markup } from "./markup.js";

/** Is there something unexpected: formats, layouts, databases, directories? */
export function contentsSection({ source, databases, byDirectory }: Report): Markup | undefined {
  const lists: readonly (readonly [id: string, title: string, column: string, bars: readonly Bar[]])[] = [
    ["formats", "Formats", "format", barsOf(source.formats)],
    ["layouts", "Layouts", "layout", barsOf(source.layouts)],
    ["databases", "Databases", "database", barsOf(databases ?? {})],
    [
      "directories",
      "Directories",
      "directory",
      byDirectory.map(({ directory, found }) => ({ name: directory, count: found })),
    ],
  ];
  const filled = lists.filter(([, , , bars]) => bars.some(({ count }) => count > 0));
  if (filled.length === 0) return undefined;
  const failing = byDirectory.filter(({ failed }) => failed > 0);
  const others = [
    ...(source.ignored > 0 ? [`${countOf(source.ignored, "other name")} ignored.`] : []),
    ...(source.empty > 0 ? [`${countOf(source.empty, "empty file")} left alone.`] : []),
    ...(byDirectory.length > 1
      ? failing.map(({ directory, failed }) => `${countText(failed)} failed in ${directory}.`).slice(0, 20)
      : []),
  ];
  return html`${filled.map(([id, title, column, bars]) => barList({ id, title }, column, bars))}
<p>${others.join(" ")}</p>`;
}

function barsOf(counts: Readonly<Record<string, number>>): readonly Bar[] {
  return Object.entries(counts).map(([name, count]) => ({ name, count }));
}
