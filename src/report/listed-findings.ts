import type { Report } from "./schema/report-schema.js";

/** Failures, and differences, that a page lists. */
export const maxOnPage = 1000;

/** A report with a limited number of failures, suspicious ones first, and of differences. */
export function boundedFindings(report: Report, most: number): Report {
  return listOnly(report, {
    failures: suspiciousFirst(report.failures).slice(0, most),
    differences: report.differences.slice(0, most),
  });
}

/** A report that lists these of its failures and differences; all others count as omitted. */
export function listOnly(report: Report, listed: Pick<Report, "failures" | "differences">): Report {
  const { failures, failuresOmitted, differences, differencesOmitted } = report;
  return {
    ...report,
    ...listed,
    failuresOmitted: failuresOmitted + failures.length - listed.failures.length,
    differencesOmitted: differencesOmitted + differences.length - listed.differences.length,
  };
}

/** Puts failures that somebody may have planted in front; the others keep their order. */
export function suspiciousFirst<Failure extends { readonly suspicious?: boolean | undefined }>(
  failures: readonly Failure[],
): Failure[] {
  const rankOf = ({ suspicious }: Failure) => (suspicious === true ? 0 : 1);
  return failures.toSorted((one, other) => rankOf(one) - rankOf(other));
}
