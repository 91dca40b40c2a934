/** A screen as `tmux capture-pane -e -p` prints it: text with SGR sequences. */
export interface Screen {
  readonly text: string;
  readonly columns: number;
  /** What the picture is called for people who cannot see it. */
  readonly title: string;
}

/** A piece of a line that looks the same throughout. */
interface Run {
  readonly text: string;
  readonly classes: readonly string[];
}

const cell = { width: 8.4, height: 18 };
const margin = 14;
const colors: Readonly<Record<number, string>> = {
  31: "red",
  32: "green",
  33: "yellow",
  36: "cyan",
  90: "dim",
};

/** A picture of a terminal: text that can be selected, without a script or a font of its own. */
export function terminalPicture({ text, columns, title }: Screen): string {
  const lines = text.trimEnd().split("\n");
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = lines.length * cell.height + 2 * margin;
  const rows = lines.map((line, row) => {
    const y = margin + (row + 0.75) * cell.height;
    return `<text x="${margin}" y="${y}" xml:space="preserve">${runsOf(line).map(spanOf).join("")}</text>`;
  });
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>
rect { fill: #16181d }
text { fill: #d6d9e0; font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.red { fill: #ff7b72 } .green { fill: #7ee787 } .yellow { fill: #e3b341 } .cyan { fill: #76d9e6 }
.dim { fill: #9198a1 } .bold { font-weight: bold }
</style>
<rect width="${width}" height="${height}" rx="8"/>
${rows.join("\n")}
</svg>
`;
}

function runsOf(line: string): Run[] {
  const runs: Run[] = [];
  let classes: readonly string[] = [];
  for (const [, codes, text = ""] of line.matchAll(/(?:\x1b\[([\d;]*)m)?([^\x1b]*)/g)) {
    if (codes !== undefined) classes = classesAfter(classes, codes);
    if (text !== "") runs.push({ text, classes });
  }
  return runs;
}

/** The classes once these SGR codes were seen; what a picture cannot show changes nothing. */
function classesAfter(classes: readonly string[], codes: string): readonly string[] {
  let [isBold, color] = [classes.includes("bold"), classes.find((name) => name !== "bold")];
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) [isBold, color] = [false, undefined];
    else if (code === 1) isBold = true;
    else if (code === 39) color = undefined;
    else color = colors[code] ?? color;
  }
  return [...(isBold ? ["bold"] : []), ...(color === undefined ? [] : [color])];
}

function spanOf({ text, classes }: Run): string {
  return classes.length === 0 ? escaped(text) : `<tspan class="${classes.join(" ")}">${escaped(text)}</tspan>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
