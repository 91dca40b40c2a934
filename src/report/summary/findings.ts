import { dirname } from "node:path";
import { countText } from "../../model/number-text.js";
import { suspiciousFirst } from "../listed-findings.js";
import type { Report, ReportedDifference } from "../schema/report-schema.js";
import type { TextStyle } from "../text-style.js";
import { wrapText } from "../wrap-text.js";

/** Failures, and differences, that a summary lists one by one. */
const maxListed = 10;
const indent = " ".repeat(6);
const deeper = indent.length + 2;

/** How the list is written, and where the whole of it can be read. */
export interface ListingStyle {
  readonly columns: number;
  readonly style: TextStyle;
  readonly reportPath: string | null;
}

/** The first failures, the suspicious ones in front. */
export function failureLines(report: Report, listing: ListingStyle): string[] {
  const { failures, failuresOmitted } = report;
  const lines = suspiciousFirst(failures)
    .slice(0, maxListed)
    .map((failure) => {
      const { session, file, reason, detail } = failure;
      const name = file === "" ? session : shortPath(file, report);
      const line = wrapText(indent, `${name}  ${reason}: ${detail}`, listing.columns, deeper);
      return failure.suspicious === true ? listing.style.bad(line) : line;
    });
  return [...lines, ...restLine(failures.length + failuresOmitted, listing)];
}

/** The first sessions that `verify` found to differ, or whose files a purge left. */
export function differenceLines(report: Report, listing: ListingStyle): string[] {
  const { differences, differencesOmitted } = report;
  const lines = differences
    .slice(0, maxListed)
    .map(({ file, kind, detail }: ReportedDifference) =>
      wrapText(indent, `${shortPath(file, report)}  ${kind}: ${detail}`, listing.columns, deeper),
    );
  const hasFailures = report.failures.length > 0;
  return [...lines, ...restLine(differences.length + differencesOmitted, listing, !hasFailures)];
}

/** Where the rest can be read, and what to do about all of them. */
function restLine(total: number, { columns, reportPath }: ListingStyle, advises = true): string[] {
  const rest = total - Math.min(total, maxListed);
  const isFile = reportPath !== null && reportPath !== "-";
  const where = isFile ? `in ${reportPath}` : "(--report FILE lists them all)";
  const parts = [
    ...(rest === 0 ? [] : [`${countText(rest)} more ${where}`]),
    ...(advises && total > 0 ? ["what to do: tele-sessions help outcomes"] : []),
  ];
  return parts.length === 0 ? [] : [wrapText(indent, parts.join("; "), columns)];
}

/** A path from the session directory on, if there is only one. */
function shortPath(file: string, { source: { directories } }: Report): string {
  const [directory = "", ...others] = directories;
  const above = `${dirname(directory)}/`;
  return others.length === 0 && directory !== "" && file.startsWith(above) ? file.slice(above.length) : file;
}
