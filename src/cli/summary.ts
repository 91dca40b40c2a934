import type { LedgerCounts } from "../migrate/ledger.js";
import { type OutcomeKind, outcomeKinds } from "../model/outcome.js";
import type { Report } from "../model/report.js";
import { bytesText, countOf, countText, durationText } from "./number-text.js";
import type { TextStyle } from "./text-style.js";

/** Failures that are shown one by one. */
const mostFailuresShown = 10;

const meanings: Readonly<Record<OutcomeKind, string>> = {
  copied: "written, with their lifetime",
  identical: "in Redis already, left alone",
  kept: "Redis holds another value, left alone",
  expired: "over already, not written",
  ended: "ended in Redis since an earlier run, not written (--again writes them)",
  superseded: "another file holds the same session later",
  vanished: "gone while the copy ran: logged out",
  failed: "NOT written",
};

/** What a run came to, as a tired person understands it at once. */
export function summaryText(
  report: Report,
  counts: Pick<LedgerCounts, "reasons">,
  style: TextStyle,
  reportPath: string | null,
): string {
  const { sessions, source } = report;
  const lines = [headline(report, style)];
  const dry = report.dryRun;
  for (const kind of outcomeKinds) {
    if (sessions[kind] === 0) continue;
    const number = countText(sessions[kind]).padStart(11);
    const meaning = dry && kind === "copied" ? "would be written, with their lifetime" : meanings[kind];
    const line = `${number}  ${kind.padEnd(10)}  ${meaning}`;
    lines.push(kind === "failed" ? style.bad(line) : line);
  }
  if (sessions.unvisited > 0) {
    lines.push(
      style.bad(
        `${countText(sessions.unvisited).padStart(11)}  ${"unvisited".padEnd(10)}  listed, but not reached`,
      ),
    );
  }
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

function headline(report: Report, style: TextStyle): string {
  const { sessions, target, bytes, seconds, dryRun } = report;
  const place = target.redis === null ? "Redis" : `Redis at ${target.redis}`;
  const took = `in ${durationText(seconds)}`;
  if (report.outcome === "complete" && sessions.found === 0) {
    return style.good(
      `Nothing to do: no session file in ${report.source.directories.join(", ") || "no directory"}.`,
    );
  }
  const copied = `${countText(sessions.copied)} of ${countOf(sessions.found, "session")}`;
  const amount = `(${bytesText(bytes.written)}) ${took}, ${countText(report.sessionsPerSecond)}/s`;
  if (dryRun)
    return `${ended(report, style, "Dry run:")} ${copied} would be copied to ${place} ${amount}. Nothing was changed.`;
  return `${ended(report, style, "Done:")} ${copied} copied to ${place} ${amount}.`;
}

/** The word that a summary begins with. */
function ended(report: Report, style: TextStyle, whole: string): string {
  switch (report.outcome) {
    case "complete":
      return style.good(whole);
    case "interrupted":
      return style.bad("STOPPED before the end:");
    case "partial":
      return style.bad("NOT ALL done:");
    default:
      return style.bad("FAILED:");
  }
}

/** What a live server did meanwhile; `passes` begins with the main pass. */
function laterPassLines({ passes, stillChanging }: Report): readonly string[] {
  const taken = passes.slice(1).reduce((sum, { found }) => sum + found, 0);
  const lines = taken === 0 ? [] : [`${countOf(taken, "session")} saved meanwhile and taken again.`];
  if (stillChanging > 0) {
    lines.push(
      `${countOf(stillChanging, "session")} still being changed at the end: copy again once the server is switched.`,
    );
  }
  return lines;
}

function failureLines(
  report: Report,
  counts: Pick<LedgerCounts, "reasons">,
  reportPath: string | null,
): readonly string[] {
  const { failures, sessions } = report;
  if (sessions.failed === 0) return [];
  const reasons = [...counts.reasons].map(([reason, count]) => `${reason} ${countText(count)}`);
  const shown = failures
    .slice(0, mostFailuresShown)
    .map(({ session, reason, detail }) => `${" ".repeat(13)}${session}  ${reason}: ${detail}`);
  const hidden = sessions.failed - shown.length;
  const where = reportPath === null ? "--report FILE lists every one" : `every one is in ${reportPath}`;
  return [
    `${" ".repeat(13)}by reason: ${reasons.join(", ")}`,
    ...shown,
    ...(hidden > 0 ? [`${" ".repeat(13)}and ${countText(hidden)} more: ${where}`] : []),
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
