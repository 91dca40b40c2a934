import type { BenchRow, CaseResult } from "./bench-row.js";

/** How each is called in the chart, and what it looks like. */
const looks: Readonly<Record<BenchRow["contestant"], { readonly label: string; readonly look: string }>> = {
  server: { label: "server's way", look: "rival" },
  script: { label: "pipelined script", look: "rival" },
  pipe: { label: "redis-cli --pipe", look: "part" },
  reader: { label: "C reader", look: "part" },
  floor: { label: "both: the floor", look: "floor" },
  "dry-run": { label: "dry run", look: "ours" },
  copy: { label: "tele-sessions copy", look: "copy" },
  "copy-one": { label: "copy, one reader", look: "ours" },
  "copy-four": { label: "copy, four readers", look: "ours" },
  verify: { label: "verify", look: "ours" },
  purge: { label: "purge", look: "ours" },
};

const columns = 2;
const columnWidth = 460;
const barLeft = 126;
const barLength = 200;
const barHeight = 12;
const barStep = 17;
const headingHeight = 20;
const groupGap = 18;
const top = 64;

/** The colours of both modes; an image in a page follows the reader's, not the page's. */
const style = `
    text { font: 11px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .case { font-weight: 600; }
    .faint { fill: #59636e; }
    .rival { fill: #8c959f; }
    .part { fill: #d4a72c66; }
    .floor { fill: #bf8700; }
    .ours { fill: #54aeff; }
    .copy { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .faint { fill: #9198a1; }
      .rival { fill: #656c76; }
      .part { fill: #d2992266; }
      .floor { fill: #d29922; }
      .ours { fill: #1f6feb; }
      .copy { fill: #58a6ff; }
    }`;

/** An SVG picture of sessions per second, in every case and of everyone: longer is faster. */
export function benchChart(results: readonly CaseResult[]): string {
  const groups = results.filter(({ rows }) => rows.length > 0);
  const rates = groups.flatMap(({ rows }) => rows.filter(({ contestant }) => looks[contestant].look !== "part"));
  const scale = barLength / Math.max(...rates.map(perSecondOf));

  const parts: string[] = [];
  const ends = Array.from({ length: columns }, () => top);
  for (const { title, sessions, rows } of groups) {
    // The next group goes where the picture is shortest.
    const column = ends.indexOf(Math.min(...ends));
    let y = ends[column] ?? top;
    parts.push(
      `<g transform="translate(${column * columnWidth} 0)">`,
      `<text class="case" x="8" y="${y}">${escaped(`${grouped(sessions)} sessions, ${title}`)}</text>`,
    );
    y += headingHeight - barHeight;
    for (const row of rows) {
      parts.push(...barOf(row, y, scale));
      y += barStep;
    }
    parts.push("</g>");
    ends[column] = y + groupGap + barHeight;
  }
  const [width, height] = [columns * columnWidth, Math.max(...ends)];
  const title = "Sessions per second: longer is faster";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" role="img" aria-label="${title}">`,
    `<style>${style}\n</style>`,
    `<text class="title" x="8" y="22">${title}</text>`,
    '<text class="faint" x="8" y="40">Medians of one run. The floor is redis-cli and the C reader, ' +
      "one after the other; » is longer than the picture.</text>",
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function barOf(row: BenchRow, y: number, scale: number): string[] {
  const { contestant, sessions, measuredOn } = row;
  const { label, look } = looks[contestant];
  const whole = perSecondOf(row) * scale;
  const length = Math.min(barLength, Math.max(1, whole));
  const baseline = y + barHeight - 2;
  const rate = `${whole > barLength ? "» " : ""}${grouped(Math.round(perSecondOf(row)))}/s`;
  const note = measuredOn === sessions ? "" : ` (from ${grouped(measuredOn)})`;
  return [
    `<text x="${barLeft - 8}" y="${baseline}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="${look}" x="${barLeft}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    `<text class="faint" x="${(barLeft + length + 6).toFixed(1)}" y="${baseline}">${rate}${note}</text>`,
  ];
}

function perSecondOf({ sessions, seconds }: BenchRow): number {
  return sessions / seconds.median;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
