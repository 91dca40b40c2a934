import { exitStatuses } from "../../src/cli/exit-statuses.js";
import { settingsTable } from "../../src/cli/settings-table.js";
import { documentedLimits } from "./documented-limits.js";

/** The parts of README.md that the code knows: what stands between `<!-- name -->` and `<!-- /name -->`. */
const parts: Readonly<Record<string, () => string>> = {
  settings: settingsTable,
  limits: () => documentedLimits.map(({ limit }) => `- ${limit}`).join("\n"),
  "exit codes": () =>
    [
      "| exit | means |",
      "|---|---|",
      ...exitStatuses.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    ].join("\n"),
};

/** The README's text with those parts made anew. Throws where a marker is not there. */
export function readmeWithParts(readme: string): string {
  return Object.entries(parts).reduce((text, [name, make]) => replacePart(text, name, make()), readme);
}

function replacePart(text: string, name: string, content: string): string {
  const begin = `<!-- ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`<!-- /${name} -->`);
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} with its end`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
