import { readFileSync } from "node:fs";
import { join } from "node:path";
import { outcomeKinds, outcomesOf } from "../../../src/model/outcome.js";
import { type Advice, failureAdvice, outcomeAdvice } from "../../../src/model/outcome-advice.js";
import { exitCodes } from "../../../src/report/exit-code.js";
import { metricDefinitions } from "../../../src/report/metrics/metrics-text.js";
import { reportJsonSchema } from "../../../src/report/schema/report-schema.js";
import { jobRulesTable } from "../job-rules.js";
import { projectRoot } from "../project.js";
import { documentedLimits } from "../python/documented-limits.js";
import { manualPage } from "./manual-page.js";
import { reportTable } from "./report-table.js";
import { reportType } from "./report-type.js";
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
      exitCodes
        .toSorted((one, other) => one.code - other.code)
        .map(({ code, meaning, todo, job }) => section(`Exit ${code}`, { means: meaning, todo }, `Job runner: ${job}.`))
        .join("\n\n"),
  },
  { file: "docs/recipes/kubernetes.md", name: "job rules", make: jobRulesTable },
  {
    file: "docs/outcomes.md",
    name: "outcomes",
    make: () => outcomeKinds.map((kind) => section(kind, outcomeAdvice[kind], `Of ${commandsOf(kind)}.`)).join("\n\n"),
  },
  {
    file: "docs/pipelines.md",
    name: "metrics",
    make: () =>
      [
        "| metric | labels of its own | meaning |",
        "|---|---|---|",
        ...metricDefinitions.map(
          ({ name, labels = [], help }) =>
            `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
        ),
      ].join("\n"),
  },
  {
    file: "docs/outcomes.md",
    name: "reasons",
    make: () =>
      Object.entries(failureAdvice)
        .map(([reason, advice]) => section(reason, advice))
        .join("\n\n"),
  },
];

const manifest: { readonly version: string } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));

/** Whole files that come from the code. */
export const generatedFiles: readonly { readonly file: string; readonly make: () => string }[] = [
  { file: "docs/tele-sessions.1", make: () => manualPage(manifest.version) },
  { file: "src/library/report.ts", make: reportType },
  { file: "docs/report.schema.json", make: () => `${JSON.stringify(reportJsonSchema(), null, 2)}\n` },
];
function commandsOf(kind: string): string {
  const commands = Object.entries(outcomesOf).filter(([, kinds]) => kinds.some((one) => one === kind));
  return commands.map(([name]) => `\`${name}\``).join(", ");
}

/** A heading, and below it a paragraph. */
function section(heading: string, { means, todo }: Advice, more = ""): string {
  const advice = `${sentence(means)} ${todo === null ? "Nothing to do." : `To do: ${todo}.`}`;
  const text = [advice.replaceAll(/--[a-z-]+/g, "`$&`"), more].filter((one) => one !== "").join(" ");
  return `### ${heading}\n\n${wrap(text, "", "")}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** An item of a list, wrapped at 100 columns. */
function wrapItem(text: string): string {
  return wrap(text, "- ", "  ");
}

/** A text wrapped at 100 columns, after `first`, and in further lines after `next`. */
function wrap(text: string, first: string, next: string): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ")) {
    const isEmpty = line === first || line === next;
    if (!isEmpty && line.length + 1 + word.length > 100) {
      lines.push(line);
      line = `${next}${word}`;
    } else line += isEmpty ? word : ` ${word}`;
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
