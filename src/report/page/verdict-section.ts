import { countOf, countText, durationText } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import { commandOfReport } from "../command-of-report.js";
import { explainExitCode } from "../exit-code.js";
import type { Report } from "../schema/report-schema.js";
import { shardsText } from "../shards.js";
import { type Fact, factList } from "./figure.js";
import { html, type Markup } from "./markup.js";
import { placesIn } from "./places.js";

const words: Readonly<Record<Report["outcome"], string>> = {
  complete: "Done",
  partial: "Not all",
  refused: "Refused",
  interrupted: "Stopped before the end",
  failed: "Failed",
};

/** Did it work? */
export function verdictSection(report: Report): Markup {
  const { outcome, exitCode, errors, warnings, dryRun } = report;
  const word = outcome === "complete" && dryRun ? "Dry run" : words[outcome];
  const others = warnings.filter((warning) => !errors.some(({ message }) => message === warning));
  return html`<section class="verdict ${outcome === "complete" ? "good" : "bad"}" aria-labelledby="verdict">
<h2 id="verdict">${word}: ${sentence(report)}</h2>
<p>Exit ${exitCode}: ${explainExitCode(exitCode).meaning}.${dryRun ? " Nothing was changed." : ""}</p>
${errors.map(errorText)}${others.length === 0 ? undefined : warningList(others)}
${factList(factsOf(report))}
</section>
`;
}

function errorText({ message, remedy }: Report["errors"][number]): Markup {
  return html`<p class="problem"><strong>Error:</strong> ${message}</p>
${remedy === null ? undefined : html`<p>What to do: ${remedy}</p>`}
`;
}

function warningList(warnings: readonly string[]): Markup {
  return html`<details open><summary>${countOf(warnings.length, "warning")}</summary><ul>${warnings.map(
    (warning) => html`<li>${warning}</li>
`,
  )}</ul></details>`;
}

/** How many sessions are where they should be. */
function sentence(report: Report): string {
  const { listed, source, sessions } = report;
  const places = placesIn(report);
  const bad = places.filter(({ tone }) => tone === "bad").reduce((sum, { count }) => sum + count, 0);
  const total = Math.max((listed ?? 0) - source.empty, sessions.found + sessions.unvisited);
  if (total === 0) {
    return report.outcome === "complete"
      ? "no session file was found."
      : "the run ended before it reached a session file.";
  }
  const left = sessions.unvisited > 0 ? ` ${countText(sessions.unvisited)} were not reached.` : "";
  const all = countOf(total, "session file");
  if (bad > 0) return `${countText(bad)} of ${all} ${shortcomings[commandOfReport(report)]}.${left}`;
  return left === "" ? `all ${all} are accounted for.` : `${all} in all.${left}`;
}

/** What is wrong with sessions that are in a bad place. */
const shortcomings: Readonly<Record<SessionCommand, string>> = {
  copy: "are not in Redis",
  purge: "were not found in Redis",
  verify: "are missing in Redis, or not as they should be",
  export: "were not written to their files",
  "verify --reverse": "have no session file, or not the right one",
};

function factsOf(report: Report): readonly Fact[] {
  const { command, source, target, startedAt, endedAt, seconds, sessionsPerSecond, host, user } = report;
  const account = user === null ? undefined : `${user.name ?? "no name"} (uid ${user.uid})`;
  const files = `${shardsText(source.shards)}${source.directories.join(", ")}` || null;
  const [from, to] = command === "export" ? [target.redis, files] : [files, target.redis];
  const facts: readonly (readonly [name: string, value: string | null | undefined])[] = [
    ["Command", `${command}${report.dryRun ? " --dry-run" : ""}`],
    ["From", from],
    ["To", to],
    ["Prefix", target.prefix],
    ["Started", startedAt === null ? null : instantText(startedAt)],
    ["Ended", endedAt === null ? null : instantText(endedAt)],
    ["Took", `${durationText(seconds)}, ${countText(sessionsPerSecond)} sessions/s`],
    ["On", [host, account].filter((one) => one != null).join(", as ") || null],
  ];
  return facts.flatMap(([name, value]) => (value == null ? [] : [[name, value] as const]));
}

/** `2026-05-04 22:00:00 UTC`. */
export function instantText(instant: string): string {
  return `${instant.slice(0, 19).replace("T", " ")} UTC`;
}
