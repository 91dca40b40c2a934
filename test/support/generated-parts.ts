import { exitCodes } from "../../src/report/exit-code.js";
import { reportJsonSchema } from "../../src/report/schema/report-schema.js";
import { documentedLimits } from "./documented-limits.js";
import { reportTable } from "./report-table.js";
import { settingsTable } from "./settings-table.js";

/**
 * The parts of the documents that come from the code: what stands between `<!-- name -->` and `<!--
 * /name -->` in each file.
 */
export const generatedParts: readonly {
  readonly file: string;
  readonly name: string;
  readonly make: () => string;
}[] = [
  { file: "docs/settings.md", name: "settings", make: settingsTable },
  { file: "docs/report.md", name: "report keys", make: reportTable },
  {
    file: "docs/formats.md",
    name: "limits",
    make: () => documentedLimits.map(({ limit }) => wrapItem(limit)).join("\n"),
  },
  {
    file: "docs/exit-codes.md",
    name: "exit codes",
    make: () =>
      [
        "| exit | means |",
        "|---|---|",
        ...exitCodes
          .toSorted((one, other) => one.code - other.code)
          .map(({ code, meaning }) => `| ${code} | ${meaning} |`),
      ].join("\n"),
  },
];

/** Whole files that come from the code. */
export const generatedFiles: readonly { readonly file: string; readonly make: () => string }[] = [
  { file: "docs/report.schema.json", make: () => `${JSON.stringify(reportJsonSchema(), null, 2)}\n` },
];

/** An item of a list, wrapped at 100 columns. */
function wrapItem(text: string): string {
  const lines: string[] = [];
  let line = "-";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > 100) {
      lines.push(line);
      line = `  ${word}`;
    } else line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** A document with one part made anew. Throws if a marker is missing. */
export function replacePart(text: string, name: string, content: string): string {
  const begin = `<!-- ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`<!-- /${name} -->`);
  if (from < 0 || to < from) throw new Error(`there is no ${begin} with its end`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
