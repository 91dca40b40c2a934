import { bytesText, countOf, countText, durationText } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { Report } from "../schema/report-schema.js";
import type { TextStyle } from "../text-style.js";
import { wrapText } from "../wrap-text.js";
import { differenceLines, failureLines, type ListingStyle } from "./findings.js";
import { type CountRow, outcomeRows } from "./outcome-rows.js";
import { type Judged, verdictOf } from "./verdict.js";

/** What a summary is about. */
export interface Summary extends Judged {
  /** The file that lists every failure and difference; null if there is none. */
  readonly reportPath: string | null;
  /** About how many bytes of Redis memory a copy needs; null if nobody estimated it. */
  readonly memoryNeeded: number | null;
  /** Whole sentences for its end. */
  readonly notes: readonly string[];
}

/** The rows whose sessions a report lists as differences. */
const differing: ReadonlySet<string> = new Set(["MISSING", "DIFFERENT", "WRONG LIFETIME", "ABSENT", "DENIED", "kept"]);

const minLabelWidth = 12;
const minCountWidth = 9;

/** What a run came to, in words that a tired person understands at once. It ends in a blank line. */
export function summaryText(summary: Summary, columns: number, style: TextStyle): string {
  const { text, isGood } = verdictOf(summary);
  const verdict = (isGood ? style.good : style.bad)(wrapText("", text, columns));
  const { command, report, reportPath, purges } = summary;
  const { found, unvisited } = report.sessions;
  const rows = found + unvisited === 0 ? [] : outcomeRows(command, report, purges).filter(isShown);
  const blocks = [
    [verdict],
    rowLines(rows, report, { columns, style, reportPath }),
    facts(summary).map((fact) => wrapText("  ", fact, columns)),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n\n`)
    .join("");
}

function isShown({ label, count }: CountRow): boolean {
  return count > 0 || /in Redis|in files|removed/.test(label);
}

/** A line for each row: label, count, meaning. Below it the failures or differences that it counts. */
function rowLines(rows: readonly CountRow[], report: Report, listing: ListingStyle): string[] {
  const labelWidth = Math.max(minLabelWidth, ...rows.map(({ label }) => label.length));
  const countWidth = Math.max(minCountWidth, ...rows.map(({ count }) => countText(count).length));
  const lastDiffering = rows.findLast(({ label }) => differing.has(label));
  return rows.flatMap((row) => {
    const head = `  ${row.label.padEnd(labelWidth)}  ${countText(row.count).padStart(countWidth)}   `;
    const line = wrapText(head, row.meaning, listing.columns);
    return [
      row.isBad ? listing.style.bad(line) : line,
      ...(row.label === "FAILED" ? failureLines(report, listing) : []),
      ...(row === lastDiffering ? differenceLines(report, listing) : []),
    ];
  });
}

/** Sentences about the whole run. */
function facts(summary: Summary): string[] {
  const { command, report, reportPath, memoryNeeded } = summary;
  const { sessions, source, passes, stillChanging, dryRun } = report;
  const saved = passes.slice(1).reduce((sum, { found }) => sum + found, 0);
  const others = [
    ...factIf(source.ignored, `${countOf(source.ignored, "other name")} ignored`),
    ...factIf(source.empty, `${countOf(source.empty, "empty file")} left alone`),
  ];
  return [
    ...factIf(sessions.found, dryRun && memoryNeeded !== null ? memory(report, memoryNeeded) : effort(summary)),
    ...factIf(
      command === "copy" ? sessions.lossy : 0,
      `${subject(sessions.lossy, "holds", "hold")} tuples or integer keys, stored as the applet stores them`,
    ),
    ...factIf(
      saved,
      `${subject(saved, "was", "were")} saved ${
        command === "export" ? "meanwhile, and exported" : "during the copy, and copied"
      } again`,
    ),
    ...factIf(
      stillChanging,
      `${subject(stillChanging, "was", "were")} still changing at the end: ${command} again after the switch`,
    ),
    ...factIf(
      sessions.retracted,
      `${countOf(sessions.retracted, "key")} ${dryRun ? "would be deleted" : "deleted"}: their files are gone ` +
        "since an earlier copy, so their users logged out",
    ),
    ...factIf(others.length, others.join(", ")),
    ...summary.notes,
    ...(reportPath === null || reportPath === "-" ? [] : [`report: ${reportPath}`]),
  ];
}

function subject(count: number, one: string, many: string): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

function factIf(count: number, text: string): string[] {
  return count === 0 ? [] : [text];
}

const preposition: Readonly<Record<SessionCommand, string>> = {
  copy: "to",
  purge: "with",
  verify: "with",
  export: "from",
  "verify --reverse": "with",
};

/** To a tenth of a second up to a minute. */
function secondsText(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : durationText(seconds);
}

/** `to redis-1:6379/0 in 29.2 s, 41,244/s; Redis now uses 918 MiB of 1.5 GiB`. */
function effort({ command, report }: Summary): string {
  const where = report.target.redis === null ? "" : `${preposition[command]} ${report.target.redis} `;
  const pace = `${where}in ${secondsText(report.seconds)}, ${countText(report.sessionsPerSecond)}/s`;
  const { redis } = report;
  const used = redis?.memoryAfter;
  if (used === undefined || used === null) return pace;
  const limit = redis?.memoryLimit ? ` of ${bytesText(redis.memoryLimit)}` : "";
  return `${pace}; Redis now uses ${bytesText(used)}${limit}`;
}

/** `about 551 MiB of Redis memory, 920 MiB free`. */
function memory({ redis, source }: Report, needed: number): string {
  const all = source.shards.length === 0 ? "" : " for all shards";
  const need = needed === 0 ? "no more Redis memory" : `about ${bytesText(needed)} of Redis memory${all}`;
  const { memoryLimit = null, memoryAfter = null } = redis ?? {};
  if (memoryLimit === 0) return `${need}; Redis has no memory limit`;
  if (memoryLimit === null || memoryAfter === null) return `${need}; Redis does not say how much is free`;
  return `${need}, ${bytesText(Math.max(memoryLimit - memoryAfter, 0))} free`;
}
