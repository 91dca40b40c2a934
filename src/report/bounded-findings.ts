import type { Report } from "./schema/report-schema.js";
import { suspiciousFirst } from "./suspicious-first.js";

/** Failures, and differences, that a page lists. */
export const maxOnPage = 1000;

/** A report with a limited number of failures, suspicious ones first, and of differences. */
export function boundedFindings(report: Report, most: number): Report {
  const failures = suspiciousFirst(report.failures).slice(0, most);
  const differences = report.differences.slice(0, most);
  return {
    ...report,
    failures,
    failuresOmitted: report.failuresOmitted + report.failures.length - failures.length,
    differences,
    differencesOmitted: report.differencesOmitted + report.differences.length - differences.length,
  };
}
