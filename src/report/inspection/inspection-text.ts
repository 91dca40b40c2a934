import type { Inspection } from "../../model/inspection.js";
import { bytesText, countOf, countText, durationText } from "../../model/number-text.js";
import { shortSid, showablePath } from "../../model/showable.js";
import type { TextStyle } from "../text-style.js";
import { wrapText } from "../wrap-text.js";
import { bar, percentText } from "./bar.js";
import type { InspectionFacts, InspectionReport } from "./inspection-report.js";

/** How the text looks. */
export interface InspectionLook {
  readonly style: TextStyle;
  /** Columns of the screen. */
  readonly columns: number;
  /** Whether the run counted lifetimes from the last modification anyway. */
  readonly ttl: "full" | "remaining";
}

/** What was inspected, as facts and as the report has them. */
interface Inspected {
  readonly facts: InspectionFacts;
  readonly report: InspectionReport;
}

/** Columns of the labels of tables, and of what follows. */
const labelWidth = 8;
const countEnd = 20;
const maxBarWidth = 30;
const minBarWidth = 5;
/** Columns beside a bar: label, name, count, spaces, percentage. */
const besideBar = labelWidth + countEnd + 2 + 5;
const noteWidth = 10;
/** Files that name what no server writes and are listed. */
const maxNamed = 10;
/** Directories that are named. */
const maxDirectories = 10;
/** Failing sessions above this percentage mean that something is wrong with all of them. */
const manyPercent = 10;
/** Names in a sentence. */
const maxAlarmNames = 3;

/** What is in the session directories, for people: tables, then notes, then what deserves a look. */
export function inspectionText(inspected: Inspected, look: InspectionLook): string {
  const { facts, report } = inspected;
  const parts = [headLines(inspected, look)];
  if (report.sessions.found > 0) {
    parts.push(tableLines(report, look.columns), noteLines(inspected, look));
  } else if (report.ignored + report.empty > 0) parts.push([ignoredLine(report, look.columns)]);
  const alarms = alarmLines(facts, look);
  if (alarms.length > 0) parts.push(alarms);
  return parts.map((lines) => lines.join("\n")).join("\n\n");
}

/** That files name what no server writes; undefined if none does. */
export function plantedAlarm({ counts, suspicious }: Inspection): string | undefined {
  if (counts.suspicious === 0) return undefined;
  const names = [...new Set(suspicious.map(({ foreignName }) => foreignName))];
  const shown = names.slice(0, maxAlarmNames).join(", ") + (names.length > maxAlarmNames ? " and more" : "");
  return counts.suspicious === 1
    ? `1 file names ${shown}: no server writes that; somebody may have planted it. It did not run here, ` +
        "but it would in the server"
    : `${countText(counts.suspicious)} files name ${shown}: no server writes that; somebody may have planted ` +
        "them. They did not run here, but they would in the server";
}

/** That sessions fail; undefined if none does. */
function failureAlarm({ inspection, sample }: InspectionFacts): string | undefined {
  const { counts, reasons } = inspection;
  const { failed, found } = counts;
  if (failed === 0) return undefined;
  if (failed * 100 > found * manyPercent) {
    const advice = reasons.has("unreadable")
      ? "run as a user that may read them"
      : "check that this is the server's session directory";
    return `${countText(failed)} of ${countText(found)} session files fail: ${advice}`;
  }
  const which = `${countOf(failed, "session")}${sample === null ? "" : " of the sample"}`;
  return (
    `${which} would not reach Redis: ${failed === 1 ? "its owner" : "their owners"} must log in again, and copy ` +
    "ends with exit 1 unless --max-failed allows it"
  );
}

function alarmLines(facts: InspectionFacts, { style, columns }: InspectionLook): string[] {
  return [plantedAlarm(facts.inspection), failureAlarm(facts)].flatMap((alarm) =>
    alarm === undefined ? [] : [style.bad(wrapText("! ", ascii(alarm), columns))],
  );
}

function headLines({ facts, report }: Inspected, { style, columns }: InspectionLook): string[] {
  const { found } = report.sessions;
  const paths = report.directories.map(({ directory }) => ascii(directory));
  const places = paths.length === 1 ? (paths[0] ?? "") : countOf(paths.length, "directory").replace(/ys$/, "ies");
  const took = `read in ${durationText(facts.seconds)}`;
  const ofListed = report.listed === null ? countText(found) : `${countText(found)} of ${countText(report.listed)}`;
  const lines: string[] = [];
  if (!facts.isComplete) {
    const text = `INCOMPLETE: ${ofListed} session files in ${places}, ${took}. What follows is about these only.`;
    lines.push(style.bad(wrapText("", text, columns)));
  } else if (facts.sample !== null) {
    const text =
      `${ofListed} session files in ${places}, a sample of ${facts.sample}%, ${took}. Counts are of the sample; ` +
      "only Redis is about all of them.";
    lines.push(wrapText("", text, columns));
  } else if (found === 0) lines.push(wrapText("", `No session file in ${places}.`, columns));
  else lines.push(wrapText("", `${countOf(found, "session file")} in ${places}, ${took}`, columns));
  if (paths.length > 1) {
    for (const [index, path] of paths.slice(0, maxDirectories).entries()) {
      lines.push(`${countText(report.directories[index]?.listed ?? 0).padStart(13)}  ${path}`);
    }
    if (paths.length > maxDirectories) lines.push(`${" ".repeat(15)}and ${paths.length - maxDirectories} more`);
  }
  return lines;
}

function tableLines({ sessions, ages, sizes, formats, layouts, databases }: InspectionReport, columns: number) {
  const table = (label: string, total: number, rows: readonly (readonly [string, number])[]) =>
    rows.map(([name, count], index) => barLine(index === 0 ? label : "", name, { count, total, columns }));
  const { found } = sessions;
  const read = Object.values(ages).reduce((sum, count) => sum + count, 0);
  const users = [
    ["logged in", sessions.authenticated],
    ["anonymous", sessions.anonymous],
  ] as const;
  const pickles = Object.entries(formats.pickle).filter(([, count]) => count > 0);
  const formatItems = [
    ...pickles.map(([protocol, count]) => [`pickle ${protocol}`, count] as const),
    ...(formats.json > 0 ? [["JSON", formats.json] as const] : []),
  ].sort(([, one], [, other]) => other - one);
  const databaseItems = [
    ...databases.listed.map(({ name, sessions: count }) => [ascii(name), count] as const),
    ...(databases.others > 0 ? [["others", databases.others] as const] : []),
    ...(databases.none > 0 ? [["(none)", databases.none] as const] : []),
  ];
  return [
    ...table("Users", found, users),
    ...(sessions.failed > 0 ? [countLine("", "unreadable", sessions.failed)] : []),
    ...(sessions.superseded > 0 ? [countLine("", "outdated", sessions.superseded)] : []),
    ...(sessions.vanished > 0 ? [countLine("", "gone", sessions.vanished)] : []),
    ...table("Saved", read, [
      ["< 1 hour", ages.below1Hour],
      ["< 1 day", ages.below1Day],
      ["< 3 days", ages.below3Days],
      ["< 7 days", ages.below7Days],
      ["older", ages.older],
    ]),
    ...table("Size", read, [
      ["< 256 B", sizes.below256B],
      ["< 1 KiB", sizes.below1KiB],
      ["< 16 KiB", sizes.below16KiB],
    ]),
    `${countLine("", "larger", sizes.larger)}  largest ${bytesText(sizes.largestBytes)}`,
    ...itemLines("Format", formatItems, columns),
    ...itemLines(
      "Layout",
      [
        ["flat", layouts.flat],
        ["scattered", layouts.scattered],
      ],
      columns,
    ),
    ...itemLines("Db", databaseItems, columns),
  ];
}

/** A count with its bar; without the bar if the screen is too narrow. */
function barLine(
  label: string,
  name: string,
  { count, total, columns }: { readonly count: number; readonly total: number; readonly columns: number },
): string {
  const width = Math.min(maxBarWidth, columns - besideBar);
  const shown = width < minBarWidth ? "" : `  ${bar(count, total, width)}`;
  return `${countLine(label, name, count)}${shown}${percentText(count, total).padStart(5)}`;
}

function countLine(label: string, name: string, count: number): string {
  return `${label.padEnd(labelWidth)}${name}${countText(count).padStart(countEnd - name.length)}`;
}

/** Names with their counts, side by side, as many as a line has room for. */
function itemLines(label: string, items: readonly (readonly [string, number])[], columns: number): string[] {
  const lines: string[] = [];
  let line = label.padEnd(labelWidth);
  for (const [name, count] of items) {
    const isFirst = line.length <= labelWidth;
    const number = countText(count);
    const item =
      isFirst && name.length + number.length < countEnd
        ? `${name}${number.padStart(countEnd - name.length)}`
        : `${isFirst ? "" : "   "}${name} ${number}`;
    if (!isFirst && line.length + item.length > columns) {
      lines.push(line);
      line = `${" ".repeat(labelWidth)}${item.trimStart()}`;
    } else line += item;
  }
  return items.length === 0 ? [] : [...lines, line];
}

function noteLines({ facts, report }: Inspected, look: InspectionLook): string[] {
  const { sessions, redis } = report;
  const { columns } = look;
  const note = (label: string, text: string) => wrapText(label.padEnd(noteWidth), text, columns);
  const forAll = facts.sample === null || !facts.isComplete ? "" : " about";
  const expired =
    look.ttl === "remaining"
      ? `${countText(sessions.expired)} now (--ttl remaining)`
      : `${countText(sessions.expired)} now; ${countText(sessions.expiredWithTtlRemaining)} with --ttl remaining`;
  const { superseded, vanished, lossy } = sessions;
  const verb = lossy === 1 ? "holds" : "hold";
  const lossyText = `${countText(lossy)} ${verb} tuples or integer keys (the applet loses the same)`;
  return [
    note("Redis", `about ${roundBytesText(redis.bytes)} for${forAll} ${countOf(redis.keys, "key")}`),
    note("Expired", expired),
    ...failingLines({ facts, report }, look),
    note("Lossy", lossy === 0 ? "none" : lossyText),
    ...(superseded === 0
      ? []
      : [note("Outdated", `${countText(superseded)}: another file holds a later save of the session`)]),
    ...(vanished === 0 ? [] : [note("Gone", `${countText(vanished)} disappeared since they were listed`)]),
    ignoredLine(report, columns),
    ...[...facts.inspection.warnings].map(([text, count]) => note("Odd", `${countText(count)}: ${text}`)),
  ];
}

function ignoredLine({ ignored, empty }: InspectionReport, columns: number): string {
  const names = `${countOf(ignored, "name")} that ${ignored === 1 ? "is no session" : "are no sessions"}`;
  return wrapText("Ignored".padEnd(noteWidth), `${names}, ${countOf(empty, "empty file")}`, columns);
}

/** What fails and why. Files that name what no server writes come first, with their paths. */
function failingLines({ facts, report }: Inspected, { style, columns }: InspectionLook): string[] {
  const { sessions, reasons, unsupported, failures } = report;
  const label = "Failing".padEnd(noteWidth);
  if (sessions.failed === 0) return [`${label}none`];
  const types = [
    ...unsupported.listed.map(({ type, files }) => `${ascii(type)} ${countText(files)}`),
    ...(unsupported.others > 0 ? [`others ${countText(unsupported.others)}`] : []),
  ];
  const counts = Object.entries(reasons).map(([reason, count]) => {
    const which = reason === "unsupported-type" && types.length > 0 ? ` (${types.join(", ")})` : "";
    return `${reason} ${countText(count)}${which}`;
  });
  const indent = " ".repeat(noteWidth);
  const planted = plantedTexts(facts).map((text) => style.bad(wrapText(indent, text, columns)));
  // One file for each reason; --json lists more.
  const examples = Object.keys(reasons).flatMap((reason) => {
    const example = failures.find((one) => one.reason === reason && one.suspicious !== true);
    if (example === undefined) return [];
    const { file, detail } = example;
    return [wrapText(indent, `${inDirectory(ascii(file), report)}  ${reason}: ${ascii(detail)}`, columns)];
  });
  const more = sessions.failed - Math.min(report.suspicious, maxNamed) - examples.length;
  return [
    wrapText(label, `${countText(sessions.failed)}: ${counts.join(", ")}`, columns),
    ...planted,
    ...examples,
    ...(more > 0 ? [`${indent}and ${countText(more)} more: --json lists the first 100`] : []),
  ];
}

/** A text for each name that no server writes, with the files that hold it. */
function plantedTexts({ inspection, directories, showIds }: InspectionFacts): string[] {
  const { suspicious, counts } = inspection;
  const shown = suspicious.slice(0, maxNamed);
  const names = new Set(shown.map(({ foreignName }) => foreignName));
  const texts = [...names].map((name) => {
    const files = shown.filter(({ foreignName }) => foreignName === name);
    const paths = files.map(({ sid, path = "" }) => {
      const [only, ...others] = directories;
      const inside = only !== undefined && others.length === 0 ? path.slice(only.directory.length + 1) : path;
      return ascii(showIds ? inside : showablePath(inside.replace(sid, shortSid(sid))));
    });
    const verb = files.length === 1 ? "names" : "name";
    return `${files.length} ${verb} ${ascii(name)}, which no server writes: ${paths.join(", ")}`;
  });
  const more = counts.suspicious - shown.length;
  return more > 0 ? [...texts, `${countText(more)} more name what no server writes`] : texts;
}

/** A path inside the only directory; whole if there are several. */
function inDirectory(file: string, { directories }: InspectionReport): string {
  const [only, ...others] = directories;
  const start = `${ascii(only?.directory ?? "")}/`;
  return others.length === 0 && file.startsWith(start) ? file.slice(start.length) : file;
}

/** `551 MiB`: three digits say enough about an estimate. */
function roundBytesText(bytes: number): string {
  return bytesText(bytes).replace(/^(\d{3,})\.\d/, "$1");
}

/** Three dots for what was cut: a screen without UTF-8 shows them too. */
function ascii(text: string): string {
  return text.replaceAll("…", "...");
}
