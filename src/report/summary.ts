import { bytesText, countOf, countText, durationText } from "../model/number-text.js";
import type { FailureReason, OutcomeKind, SessionCommand } from "../model/outcome.js";
import type { Report } from "./schema/report-schema.js";
import type { TextStyle } from "./text-style.js";

/** Failures, and differences, that a summary lists one by one. */
const maxListed = 10;
const indent = " ".repeat(13);

/** What a summary is about. */
export interface Summary {
  readonly command: SessionCommand;
  readonly report: Report;
  /** How many sessions failed in any pass, by reason. */
  readonly reasons: ReadonlyMap<FailureReason, number>;
  /** The file that lists every failure and difference; null if there is none. */
  readonly reportPath: string | null;
}

/** What a run came to, in words that a tired person understands at once. */
export function summaryText(summary: Summary, style: TextStyle): string {
  const { report } = summary;
  return [
    headline(summary, style),
    ...outcomeLines(summary, style),
    ...purgedLine(summary),
    ...unvisitedLine(report, style),
    ...retractedLine(report),
    ...differenceLines(summary),
    ...failureLines(summary),
    ...laterPassLines(report),
    ...lossyLine(report),
    ...otherFilesLine(report),
  ].join("\n");
}

function headline({ command, report }: Summary, style: TextStyle): string {
  const { sessions, source, dryRun } = report;
  if (report.outcome === "complete" && sessions.found === 0) {
    return style.good(
      `Nothing to do: no session file in ${source.directories.join(", ") || "no directory"}.`,
    );
  }
  const redis = report.target.redis === null ? "Redis" : `Redis at ${report.target.redis}`;
  const took = `in ${durationText(report.seconds)}, ${countText(report.sessionsPerSecond)}/s`;
  const total = Math.max((report.listed ?? 0) - source.empty, sessions.found);
  const share = (count = 0) => `${countText(count)} of ${countOf(total, "session")}`;
  const would = dryRun ? "would be " : "";
  const unchanged = dryRun ? " Nothing was changed." : "";
  const result = {
    copy: `${share(sessions.copied)} ${would}copied to ${redis} (${bytesText(report.bytes.written)})`,
    purge: `${dryRun ? "" : "the files of "}${share(sessions.removed)} ${would}removed`,
    verify: `${share(sessions.equal)} equal in ${redis},`,
  }[command];
  return `${verdict(command, report, style)} ${result} ${took}.${unchanged}`;
}

const partlyDone: Readonly<Record<SessionCommand, string>> = {
  copy: "NOT ALL done:",
  purge: "NOT ALL removed:",
  verify: "NOT ALL match:",
};

/** The first words of a summary. */
function verdict(command: SessionCommand, { outcome, dryRun }: Report, style: TextStyle): string {
  switch (outcome) {
    case "complete":
      return style.good(dryRun ? "Dry run:" : "Done:");
    case "interrupted":
      return style.bad("STOPPED before the end:");
    case "partial":
      return style.bad(partlyDone[command]);
    default:
      return style.bad("FAILED:");
  }
}

const meanings: Readonly<Record<SessionCommand, Readonly<Partial<Record<OutcomeKind, string>>>>> = {
  copy: {
    copied: "written with their lifetime",
    identical: "already in Redis, left alone",
    kept: "Redis holds another value, left alone",
    expired: "already over, not written",
    ended: "gone from Redis since an earlier copy, not written (--again writes them)",
    superseded: "another file holds a later save of the session",
    vanished: "gone during the copy: logged out",
    failed: "NOT written",
  },
  purge: {
    removed: "removed",
    absent: "LEFT: Redis does not hold them",
    ended: "left: their keys are gone from Redis, logged out or expired",
    denied: "LEFT: this user may not remove them",
    kept: "left: changed, too recent, in doubt, in use, or expired less than 7 days ago",
    vanished: "gone during the purge",
    failed: "LEFT: could not be read, compared or removed",
  },
  verify: {
    equal: "in Redis with the right lifetime",
    newer: "Redis holds a later save",
    expired: "already over",
    ended: "gone from Redis since they were copied",
    superseded: "another file holds a later save of the session",
    missing: "NOT in Redis",
    different: "Redis holds another value, which is not known to be newer",
    "wrong-lifetime": "in Redis with no lifetime or a wrong one",
    vanished: "gone during the comparison",
    failed: "could not be read or compared",
  },
};

const badKinds: ReadonlySet<string> = new Set([
  "failed",
  "absent",
  "denied",
  "missing",
  "different",
  "wrong-lifetime",
]);

function outcomeLines({ command, report }: Summary, style: TextStyle): string[] {
  return (Object.entries(meanings[command]) as [OutcomeKind, string][]).flatMap(([kind, meaning]) => {
    const count = report.sessions[kind] ?? 0;
    if (count === 0) return [];
    const isDone = kind === "copied" || kind === "removed";
    const line = countLine(count, kind, report.dryRun && isDone ? `would be ${meaning}` : meaning, command);
    return [badKinds.has(kind) ? style.bad(line) : line];
  });
}

function countLine(count: number, kind: string, meaning: string, command: SessionCommand): string {
  return `${countText(count).padStart(11)}  ${kind.padEnd(command === "verify" ? 14 : 10)}  ${meaning}`;
}

function purgedLine({ command, report: { sessions, dryRun } }: Summary): string[] {
  const purged = command === "copy" ? sessions.purged : 0;
  const meaning = dryRun ? "would then be removed" : "originals removed after the copy";
  return lineIf(purged, countLine(purged, "purged", meaning, command));
}

function unvisitedLine({ sessions: { unvisited } }: Report, style: TextStyle): string[] {
  const meaning = "listed, but not reached: run the same command again to continue";
  return lineIf(unvisited, style.bad(countLine(unvisited, "unvisited", meaning, "copy")));
}

function retractedLine({ sessions: { retracted }, dryRun }: Report): string[] {
  const deleted = `${countOf(retracted, "key")} ${dryRun ? "would be deleted" : "deleted"}`;
  const why = "their files are gone since an earlier copy, so their owners logged out";
  return lineIf(retracted, `${deleted}: ${why}.`);
}

/** What `verify` found, or what a purge left. */
function differenceLines({ report, reportPath }: Summary): string[] {
  const { differences, differencesOmitted } = report;
  const lines = differences.map(({ file, kind, detail }) => `${indent}${file}  ${kind}: ${detail}`);
  return firstOf(lines, differences.length + differencesOmitted, reportPath);
}

/** The failures of every pass, and of a purge after a copy. */
function failureLines({ report, reasons, reportPath }: Summary): string[] {
  const { failures, failuresOmitted } = report;
  const total = failures.length + failuresOmitted;
  if (total === 0) return [];
  const counts = [...reasons].map(([reason, count]) => `${reason} ${countText(count)}`);
  const lines = failures.map(
    ({ session, file, reason, detail }) => `${indent}${file || session}  ${reason}: ${detail}`,
  );
  return [`${indent}by reason: ${counts.join(", ")}`, ...firstOf(lines, total, reportPath)];
}

/** The first lines of a list, and where the rest of its `total` items can be read. */
function firstOf(lines: readonly string[], total: number, reportPath: string | null): string[] {
  const listed = lines.slice(0, maxListed);
  if (total === listed.length) return listed;
  const isFile = reportPath !== null && reportPath !== "-";
  const where = isFile ? `all are in ${reportPath}` : "--report FILE lists them all";
  return [...listed, `${indent}and ${countText(total - listed.length)} more: ${where}`];
}

/** What a live server did during the copy; `passes` begins with the main pass. */
function laterPassLines({ passes, stillChanging }: Report): string[] {
  const saved = passes.slice(1).reduce((sum, { found }) => sum + found, 0);
  return [
    ...lineIf(saved, `${countOf(saved, "session")} saved during the copy and copied again.`),
    ...lineIf(
      stillChanging,
      `${countOf(stillChanging, "session")} still changing at the end: copy again after the switch.`,
    ),
  ];
}

function lossyLine({ sessions: { lossy } }: Report): string[] {
  const stored = `${countOf(lossy, "session")} held values that JSON cannot hold exactly (integer keys, tuples)`;
  return lineIf(lossy, `${stored}, converted as the applet converts them.`);
}

function otherFilesLine({ source: { ignored, empty } }: Report): string[] {
  const parts = [
    ...lineIf(ignored, `${countOf(ignored, "other name")} ignored`),
    ...lineIf(empty, `${countOf(empty, "empty file")} left alone`),
  ];
  return lineIf(parts.length, `${parts.join(", ")}.`);
}

/** A line about a count, unless the count is 0. */
function lineIf(count: number, line: string): string[] {
  return count === 0 ? [] : [line];
}
