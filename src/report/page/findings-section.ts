import { countOf, countText } from "../../model/number-text.js";
import { type DifferenceKind, failureReasons } from "../../model/outcome.js";
import { type Advice, failureAdvice, outcomeAdvice } from "../../model/outcome-advice.js";
import type { Report } from "../schema/report-schema.js";
import { html, type Markup, type Part } from "./markup.js";

/** What is in sight of each list; the rest is folded. */
const inSight = 10;

/** A session file that the page lists. */
interface Finding {
  readonly session: string;
  readonly file: string;
  /** The reason or the kind. */
  readonly what: string;
  readonly detail: string;
  readonly suspicious?: true;
}

/** What do I tell whom? `reportPath`: the file that lists all; null if there is none. */
export function findingsSection(report: Report, reportPath: string | null): Part {
  const { failures, differences, failuresOmitted, differencesOmitted, byReason } = report;
  const failed = failures.length + failuresOmitted;
  const differing = differences.length + differencesOmitted;
  if (failed + differing === 0) return html`<p>None.</p>`;
  const ofFailures = [
    html`<h3>${countOf(failed, "session")} failed</h3>
`,
    remedyTable(
      "Failures by reason",
      "reason",
      failureReasons.map((reason) => [reason, byReason[reason] ?? 0, remedyOf(failureAdvice[reason])]),
    ),
    findingList(
      "Failures",
      failures.map(({ reason, ...failure }) => ({ ...failure, what: reason })),
      { total: failed, reportPath },
    ),
  ];
  const ofDifferences = [
    html`<h3>${countOf(differing, "difference")}</h3>
`,
    remedyTable("Differences by kind", "kind", countKinds(report)),
    findingList(
      "Differences",
      differences.map(({ kind, ...difference }) => ({ ...difference, what: kind })),
      { total: differing, reportPath },
    ),
  ];
  return [failed === 0 ? [] : ofFailures, differing === 0 ? [] : ofDifferences];
}

/** The counts of what is listed as differences, as the outcomes have them; `kept` may be more. */
function countKinds({ differences, sessions }: Report): (readonly [DifferenceKind, number, string])[] {
  return [...new Set(differences.map(({ kind }) => kind))].map((kind) => {
    const listed = differences.filter((difference) => difference.kind === kind).length;
    return [kind, Math.max(listed, sessions[kind] ?? 0), remedyOf(outcomeAdvice[kind])];
  });
}

/** A sentence; empty if there is nothing to do. */
function remedyOf({ todo }: Advice): string {
  return todo === null ? "" : `${todo.charAt(0).toUpperCase()}${todo.slice(1)}.`;
}

type RemedyRow = readonly [name: string, count: number, remedy: string];

function remedyTable(caption: string, column: string, rows: readonly RemedyRow[]): Markup {
  return html`<table class="remedies"><caption class="hidden">${caption}</caption>
<thead><tr><th scope="col">${column}</th><th scope="col" class="number">files</th>
<th scope="col">what to do</th></tr></thead>
<tbody>${rows
    .filter(([, count]) => count > 0)
    .map(
      ([name, count, remedy]) => html`<tr><th scope="row">${name}</th>
<td class="number">${countText(count)}</td><td>${remedy}</td></tr>
`,
    )}</tbody></table>
`;
}

function findingList(
  caption: string,
  findings: readonly Finding[],
  { total, reportPath }: { readonly total: number; readonly reportPath: string | null },
): readonly Part[] {
  const rest = findings.slice(inSight);
  const where = reportPath === null ? "--report FILE lists them all" : `all are in ${reportPath}`;
  return [
    findingTable(caption, findings.slice(0, inSight)),
    rest.length === 0
      ? undefined
      : html`<details><summary>${countText(rest.length)} more: ${caption.toLowerCase()}</summary>
${findingTable(`${caption}, continued`, rest)}</details>
`,
    total === findings.length
      ? undefined
      : html`<p>${countText(total - findings.length)} more are not on this page: ${where}.</p>
`,
  ];
}

function findingTable(caption: string, findings: readonly Finding[]): Markup {
  return html`<table class="files"><caption class="hidden">${caption}</caption>
<thead><tr><th scope="col">file</th><th scope="col">why</th></tr></thead>
<tbody>${findings.map(findingRow)}</tbody></table>
`;
}

function findingRow({ file, session, what, detail, suspicious }: Finding): Markup {
  const name = html`<th scope="row">${file || session}</th>`;
  if (suspicious !== true) {
    return html`<tr>${name}<td>${what}: ${detail}</td></tr>
`;
  }
  return html`<tr class="suspicious">${name}<td><strong>suspicious:</strong> ${what}: ${detail}</td></tr>
`;
}
