import { bytesText, countOf, countText, durationText } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { Report } from "../schema/report-schema.js";
import type { TextStyle } from "../text-style.js";
import { wrapText } from "../wrap-text.js";
import { type CountRow, countRows } from "./count-rows.js";
import { exportRows, reverseRows } from "./export-words.js";
import { differenceLines, failureLines, type ListingStyle } from "./findings.js";
import { verdictOf } from "./verdict.js";

/** What a summary is about. */
export interface Summary {
  readonly command: SessionCommand;
  readonly report: Report;
  /** The file that lists every failure and difference; null if there is none. */
  readonly reportPath: string | null;
  /** Whether the files are to be removed after the copy. */
  readonly purges: boolean;
  /** About how many bytes of Redis memory a copy needs; null if nobody estimated it. */
  readonly memoryNeeded: number | null;
  /** Whole sentences for its end. */
  readonly notes: readonly string[];
}

/** The rows whose sessions a report lists as differences. */
const differing: ReadonlySet<string> = new Set(["MISSING", "DIFFERENT", "WRONG LIFETIME", "ABSENT", "DENIED", "kept"]);

/** What a run came to, in words that a tired person understands at once. It ends in a blank line. */
export function summaryText(summary: Summary, columns: number, style: TextStyle): string {
  const { text, isGood } = verdictOf(summary);
  const verdict = (isGood ? style.good : style.bad)(wrapText("", text, columns));
  const table = summary.report.sessions.found + summary.report.sessions.unvisited === 0 ? [] : rowsOf(summary);
  const listing: ListingStyle = { columns, style, reportPath: summary.reportPath };
  const blocks = [
    [verdict],
    countRows(withFindings(table.filter(isShown), summary, listing), listing),
    facts(summary).map((fact) => wrapText("  ", fact, columns)),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n\n`)
    .join("");
}

function rowsOf(summary: Summary): CountRow[] {
  const { command, report } = summary;
  const { unvisited } = report.sessions;
  const rows = rowsBy[command](summary);
  const meaning = "listed, but not reached";
  return [...rows, { label: "not reached", count: unvisited, meaning, isBad: true }];
}

const rowsBy: Readonly<Record<SessionCommand, (summary: Summary) => CountRow[]>> = {
  copy: copyRows,
  purge: purgeRows,
  verify: verifyRows,
  export: ({ report }) => [...exportRows(report), failedRow(report)],
  "verify --reverse": ({ report }) => [...reverseRows(report), failedRow(report)],
};

function isShown({ label, count }: CountRow): boolean {
  return count > 0 || /in Redis|in files|removed/.test(label);
}

function copyRows({ report, purges }: Summary): CountRow[] {
  const { sessions, dryRun } = report;
  const { copied = 0, identical = 0, kept = 0, expired = 0, ended = 0, superseded = 0, vanished = 0 } = sessions;
  const parts = [
    ...part(copied, dryRun ? "to copy" : "copied now"),
    ...part(identical, "already there"),
    ...part(kept, "there with another value, which is kept"),
  ];
  return [
    {
      label: dryRun ? "would be in Redis" : "in Redis",
      count: copied + identical + kept,
      meaning: parts.join(", "),
    },
    {
      label: "expired",
      count: expired,
      meaning: dryRun ? "their lifetime is over" : "their lifetime was over; not copied",
    },
    endedRow(ended, "not copied; --again copies them"),
    supersededRow(superseded),
    vanishedRow(vanished, "during the copy: their users logged out"),
    failedRow(report),
    ...(purges
      ? [
          {
            label: dryRun ? "would be removed" : "files removed",
            count: sessions.purged,
            meaning: "each after it was proven to be in Redis",
          },
        ]
      : []),
  ];
}

function purgeRows({ report }: Summary): CountRow[] {
  const { sessions, dryRun, target } = report;
  const { removed = 0, absent = 0, ended = 0, kept = 0, denied = 0, vanished = 0 } = sessions;
  const proof = target.redis === null ? "without asking Redis" : "proven to be in Redis";
  return [
    { label: dryRun ? "would be removed" : "removed", count: removed, meaning: proof },
    endedRow(ended, "their files are left"),
    vanishedRow(vanished, "during the purge"),
    { label: "ABSENT", count: absent, meaning: "left: Redis does not hold them", isBad: true },
    { label: "DENIED", count: denied, meaning: "left: this user may not remove them", isBad: true },
    {
      label: "kept",
      count: kept,
      meaning: "left: changed, too recent, in doubt, in use, or expired less than 7 days ago",
    },
    failedRow(report),
  ];
}

function verifyRows({ report }: Summary): CountRow[] {
  const { sessions } = report;
  const { equal = 0, newer = 0, expired = 0, ended = 0, superseded = 0, vanished = 0 } = sessions;
  const { missing = 0, different = 0 } = sessions;
  const parts = [...part(equal, "equal"), ...part(newer, "saved there later by the server")];
  return [
    { label: "in Redis", count: equal + newer, meaning: parts.join(", ") },
    { label: "expired", count: expired, meaning: "their lifetime is over; not needed in Redis" },
    endedRow(ended, "logged out or expired there"),
    supersededRow(superseded),
    vanishedRow(vanished, "during the comparison"),
    { label: "MISSING", count: missing, meaning: "not in Redis", isBad: true },
    {
      label: "DIFFERENT",
      count: different,
      meaning: "Redis holds another value, which is not known to be newer",
      isBad: true,
    },
    {
      label: "WRONG LIFETIME",
      count: sessions["wrong-lifetime"] ?? 0,
      meaning: "in Redis with no lifetime or a wrong one",
      isBad: true,
    },
    failedRow(report),
  ];
}

function part(count: number, text: string): string[] {
  return count === 0 ? [] : [`${countText(count)} ${text}`];
}

function endedRow(count: number, consequence: string): CountRow {
  return { label: "ended", count, meaning: `gone from Redis since an earlier copy; ${consequence}` };
}

function supersededRow(count: number): CountRow {
  return { label: "superseded", count, meaning: "another file holds a later save of the same session" };
}

function vanishedRow(count: number, when: string): CountRow {
  return { label: "vanished", count, meaning: `gone ${when}` };
}

/** The failures of every pass, and of a purge after a copy. */
function failedRow({ failures, failuresOmitted }: Report): CountRow {
  return { label: "FAILED", count: failures.length + failuresOmitted, meaning: "", isBad: true };
}

/** Adds each failure and difference below the row that counts it. */
function withFindings(rows: readonly CountRow[], summary: Summary, listing: ListingStyle): CountRow[] {
  const { report } = summary;
  const last = rows.findLast(({ label }) => differing.has(label));
  return rows.map((row) => {
    if (row.label === "FAILED") {
      const meaning = Object.entries(report.byReason)
        .filter(([, count]) => count > 0)
        .map(([reason, count]) => `${reason} ${countText(count)}`)
        .join(", ");
      return { ...row, meaning, below: failureLines(report, listing) };
    }
    return row === last ? { ...row, below: differenceLines(report, listing) } : row;
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
