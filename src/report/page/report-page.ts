import { boundedFindings, maxOnPage } from "../listed-findings.js";
import type { Report } from "../schema/report-schema.js";
import { contentsSection } from "./contents-section.js";
import { findingsSection } from "./findings-section.js";
import { fitToShow } from "./fit-to-show.js";
import { lifetimesSection } from "./lifetimes-section.js";
import { html, Markup, type Part } from "./markup.js";
import { placesSection } from "./places-section.js";
import { redisSection } from "./redis-section.js";
import { settingsSection } from "./settings-section.js";
import { style } from "./style.js";
import { throughputSection } from "./throughput-section.js";
import { usersSection } from "./users-section.js";
import { verdictSection } from "./verdict-section.js";

/** The page may load and run nothing at all. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A section of the page; undefined if the report has nothing for it. */
type Section = readonly [id: string, heading: string, content: Part];

/**
 * A report as one HTML page without scripts, which loads nothing else. `reportPath`: the file that
 * lists every failure and difference; null if there is none.
 */
export function reportPage(whole: Report, reportPath: string | null): string {
  const report = fitToShow(boundedFindings(whole, maxOnPage));
  const place = report.host === null ? "" : ` on ${report.host}`;
  const sections: readonly Section[] = [
    ["places", "Where the sessions are", placesSection(report)],
    ["throughput", "Throughput", throughputSection(report)],
    ["redis", "Redis", redisSection(report)],
    ["users", "Users and ages", usersSection(report)],
    ["lifetimes", "Lifetimes", lifetimesSection(report)],
    ["contents", "Formats, layouts, databases, directories", contentsSection(report)],
    ["findings", "Failures and differences", findingsSection(report, reportPath)],
    ["settings", "Settings and versions", settingsSection(report)],
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>tele-sessions ${report.command}${place}: ${report.outcome}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><h1>tele-sessions ${report.version}: report of ${report.command}${place}</h1></header>
<main>
${verdictSection(report)}${sections.map(section)}</main>
<footer><p>This page shows paths, database names and addresses. It shows no login and no password, and of each
session id the first 6 characters at most.</p></footer>
</body>
</html>
`;
  return page.text;
}

function section([id, heading, content]: Section): Markup | undefined {
  if (content === undefined) return undefined;
  return html`<section class="${id}" aria-labelledby="${id}">
<h2 id="${id}">${heading}</h2>
${content}
</section>
`;
}
