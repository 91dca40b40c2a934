import type { LedgerCounts } from "../model/ledger.js";
import { bytesText, countOf, countText, durationText } from "../model/number-text.js";
import type { OutcomeKind } from "../model/outcome.js";
import type { RunReport } from "./build-report.js";
import type { TextStyle } from "./text-style.js";

/** Failures that are shown one by one. */
const mostFailuresShown = 10;

/** What a run did, in the words that its summary uses. */
export type Doing = "copy" | "purge" | "verify";

const meanings: Readonly<Record<Doing, Readonly<Partial<Record<OutcomeKind, string>>>>> = {
  copy: {
    copied: "written, with their lifetime",
    identical: "in Redis already, left alone",
    kept: "Redis holds another value, left alone",
    expired: "over already, not written",
    ended: "ended in Redis since an earlier run, not written (--again writes them)",
    superseded: "another file holds the same session later",
    vanished: "gone while the copy ran: logged out",
    failed: "NOT written",
  },
  purge: {
    removed: "removed",
    absent: "LEFT: Redis does not hold them",
    ended: "left: their keys are gone from Redis, logged out or run out",
    denied: "LEFT: this user may not remove them",
    kept: "left: changed, too young, in doubt, in use, or expired for less than 7 days",
    vanished: "gone while the purge ran",
    failed: "LEFT: could not be read, compared or removed",
  },
  verify: {
    equal: "in Redis, with the right lifetime",
    newer: "Redis holds a later save",
    expired: "over",
    ended: "ended in Redis since they were copied",
    superseded: "another file holds the same session later",
    missing: "NOT in Redis",
    different: "Redis holds another, older value",
    "wrong-lifetime": "in Redis with a lifetime that is missing or wrong",
    vanished: "gone while they were compared",
    failed: "could not be read or compared",
  },
};

const partlyDone: Readonly<Record<Doing, string>> = {
  copy: "NOT ALL done:",
  purge: "NOT ALL removed:",
  verify: "NOT ALL right:",
};
const kindWidths: Readonly<Record<Doing, number>> = { copy: 10, purge: 10, verify: 14 };

const bad: ReadonlySet<OutcomeKind> = new Set([
  "failed",
  "absent",
  "denied",
  "missing",
  "different",
  "wrong-lifetime",
]);

/** What a run came to, as a tired person understands it at once. */
export function summaryText(
  doing: Doing,
  report: RunReport,
  counts: Pick<LedgerCounts, "reasons" | "outcomes">,
  style: TextStyle,
  reportPath: string | null,
): string {
  const { sessions, source } = report;
  const lines = [headline(doing, report, counts, style)];
  for (const [kind, meaning] of Object.entries(meanings[doing]) as [OutcomeKind, string][]) {
    const count = counts.outcomes[kind];
    if (count === 0) continue;
    const line = `${countText(count).padStart(11)}  ${kind.padEnd(kindWidths[doing])}  ${foreseen(meaning, kind, report)}`;
    lines.push(bad.has(kind) ? style.bad(line) : line);
  }
  if (doing === "copy" && sessions.purged > 0) {
    const would = report.dryRun ? "would then be removed" : "originals removed after the copy";
    lines.push(`${countText(sessions.purged).padStart(11)}  ${"purged".padEnd(10)}  ${would}`);
  }
  if (sessions.unvisited > 0) {
    lines.push(
      style.bad(
        `${countText(sessions.unvisited).padStart(11)}  ${"unvisited".padEnd(10)}  listed, but not reached: run the same command again to go on`,
      ),
    );
  }
  if (sessions.retracted > 0) {
    const keys = countOf(sessions.retracted, "key");
    const would = report.dryRun ? "would be deleted" : "deleted";
    lines.push(`${keys} ${would}: their files are gone since an earlier copy, so their owners logged out.`);
  }
  lines.push(...differenceLines(report, reportPath));
  lines.push(...failureLines(report, counts, reportPath));
  lines.push(...laterPassLines(report));
  if (sessions.lossy > 0) {
    lines.push(
      `${countOf(sessions.lossy, "session")} held what JSON has no form for (integer keys, tuples): as the applet writes it.`,
    );
  }
  const others = [
    source.ignored > 0 ? `${countOf(source.ignored, "other name")} ignored` : "",
    source.empty > 0 ? `${countOf(source.empty, "empty file")} left alone` : "",
  ].filter((text) => text !== "");
  if (others.length > 0) lines.push(`${capital(others.join(", "))}.`);
  return lines.join("\n");
}

/** What a dry run would have done. */
function foreseen(meaning: string, kind: OutcomeKind, { dryRun }: RunReport): string {
  if (!dryRun || (kind !== "copied" && kind !== "removed")) return meaning;
  return meaning.replace(/^(written|removed)/, "would be $1");
}

function headline(
  doing: Doing,
  report: RunReport,
  { outcomes }: Pick<LedgerCounts, "outcomes">,
  style: TextStyle,
): string {
  const { sessions, target, bytes, seconds, dryRun } = report;
  const place = target.redis === null ? "Redis" : `Redis at ${target.redis}`;
  const took = `in ${durationText(seconds)}, ${countText(report.sessionsPerSecond)}/s`;
  if (report.outcome === "complete" && sessions.found === 0) {
    return style.good(
      `Nothing to do: no session file in ${report.source.directories.join(", ") || "no directory"}.`,
    );
  }
  const begin = ended(doing, report, style, dryRun ? "Dry run:" : "Done:");
  const of = `of ${countOf(Math.max((report.listed ?? 0) - report.source.empty, sessions.found), "session")}`;
  switch (doing) {
    case "copy": {
      const amount = `to ${place} (${bytesText(bytes.written)}) ${took}`;
      return dryRun
        ? `${begin} ${countText(outcomes.copied)} ${of} would be copied ${amount}. Nothing was changed.`
        : `${begin} ${countText(outcomes.copied)} ${of} copied ${amount}.`;
    }
    case "purge":
      return dryRun
        ? `${begin} ${countText(outcomes.removed)} ${of} would be removed ${took}. Nothing was changed.`
        : `${begin} the files of ${countText(outcomes.removed)} ${of} removed ${took}.`;
    case "verify":
      return `${begin} ${countText(outcomes.equal)} ${of} equal in ${place}, ${took}.`;
  }
}

/** The word that a summary begins with. */
function ended(doing: Doing, report: RunReport, style: TextStyle, whole: string): string {
  switch (report.outcome) {
    case "complete":
      return style.good(whole);
    case "interrupted":
      return style.bad("STOPPED before the end:");
    case "partial":
      return style.bad(partlyDone[doing]);
    default:
      return style.bad("FAILED:");
  }
}

/** What a live server did meanwhile; `passes` begins with the main pass. */
function laterPassLines({ passes, stillChanging }: RunReport): readonly string[] {
  const taken = passes.slice(1).reduce((sum, { found }) => sum + found, 0);
  const lines = taken === 0 ? [] : [`${countOf(taken, "session")} saved meanwhile and taken again.`];
  if (stillChanging > 0) {
    lines.push(
      `${countOf(stillChanging, "session")} still being changed at the end: copy again once the server is switched.`,
    );
  }
  return lines;
}

/** What `verify` found and what a purge left. */
function differenceLines(
  { differences, differencesOmitted }: RunReport,
  reportPath: string | null,
): string[] {
  const shown = differences
    .slice(0, mostFailuresShown)
    .map(({ file, kind, detail }) => `${" ".repeat(13)}${file}  ${kind}: ${detail}`);
  const hidden = differences.length + differencesOmitted - shown.length;
  if (hidden === 0) return shown;
  return [...shown, `${" ".repeat(13)}and ${countText(hidden)} more: ${whereAll(reportPath)}`];
}

function whereAll(reportPath: string | null): string {
  return reportPath === null || reportPath === "-"
    ? "--report FILE lists every one"
    : `every one is in ${reportPath}`;
}

/** Failures of every pass, and of a purge behind a copy. */
function failureLines(
  report: RunReport,
  counts: Pick<LedgerCounts, "reasons">,
  reportPath: string | null,
): readonly string[] {
  const { failures } = report;
  const failed = failures.length + report.failuresOmitted;
  if (failed === 0) return [];
  const reasons = [...counts.reasons].map(([reason, count]) => `${reason} ${countText(count)}`);
  const shown = failures
    .slice(0, mostFailuresShown)
    .map(({ session, file, reason, detail }) => `${" ".repeat(13)}${file || session}  ${reason}: ${detail}`);
  const hidden = failed - shown.length;
  const where = whereAll(reportPath);
  return [
    `${" ".repeat(13)}by reason: ${reasons.join(", ")}`,
    ...shown,
    ...(hidden > 0 ? [`${" ".repeat(13)}and ${countText(hidden)} more: ${where}`] : []),
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
