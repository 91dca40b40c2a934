import type { Ledger } from "../model/ledger.js";
import { type Difference, type Failure, type OutcomeKind, outcomesOf } from "../model/outcome.js";
import type { PassCounts, Report, ReportedDifference, ReportedFailure } from "../model/report.js";
import { ledgersOf, newRunRecord, type RunRecord, secondsOf } from "../model/run-record.js";
import { maxDetailLength, shortSid, showable, showablePath } from "../model/showable.js";
import { explainExitCode } from "./exit-code.js";

/** What a report says besides the record of the run. */
export interface ReportFacts extends Pick<Report, "version" | "command" | "exitCode" | "warnings"> {
  /** False by default. */
  readonly dryRun?: boolean;
  /** Whether it shows session ids whole; false by default. */
  readonly showIds?: boolean;
  /** None by default. */
  readonly prefix?: string | null;
}

/** Failures that a report lists; a report file has every one. */
const maxFailures = 100;

/** The report of a run. Without a record: of a run that ended before it touched anything. */
export function buildReport(
  { version, command, exitCode, warnings, dryRun = false, showIds = false, prefix = null }: ReportFacts,
  record: RunRecord = newRunRecord(kindsOf(command)),
): Report {
  const { ledger, tally, kinds } = record;
  const counts = ledger.counts;
  const mainPass = passCounts(ledger, kinds);
  const ledgers = ledgersOf(record);
  const failures = suspiciousFirst(ledgers.flatMap((each) => each.failures)).slice(0, maxFailures);
  const failed = ledgers.reduce((sum, each) => sum + each.counts.outcomes.failed, 0);
  const seconds = secondsOf(record);
  return {
    tool: "tele-sessions",
    version,
    command,
    dryRun,
    outcome: explainExitCode(exitCode).outcome,
    exitCode,
    source: {
      directories: record.directories.map(showablePath),
      layouts: { ...tally.layouts },
      formats: counts.formats,
      ignored: tally.ignored + counts.ignored,
      empty: counts.empty,
    },
    target: {
      redis: record.redis,
      keyLayout: record.keyLayout,
      keyLayoutEvidence: record.keyLayoutEvidence,
      prefix: prefix === null ? null : showablePath(prefix),
      serverWorks: record.serverWorks,
    },
    listed: record.listed,
    sessions: {
      ...mainPass,
      purged: record.purged,
      retracted: record.retracted,
      authenticated: counts.authenticated,
      anonymous: counts.anonymous,
      lossy: counts.lossy,
      unvisited: ledger.unvisited,
    },
    passes: [mainPass, ...record.laterPasses.map((later) => passCounts(later, kinds))],
    stillChanging: record.stillChanging,
    failures: failures.map((failure) => reportedFailure(failure, showIds)),
    failuresOmitted: failed - failures.length,
    differences: record.differences.map((difference) => reportedDifference(difference, showIds)),
    differencesOmitted: record.differenceCount - record.differences.length,
    warnings,
    bytes: { read: counts.bytesRead, written: counts.bytesWritten },
    seconds: Number(seconds.toFixed(3)),
    sessionsPerSecond: seconds > 0 ? Math.round(counts.found / seconds) : 0,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function kindsOf(command: string): readonly OutcomeKind[] {
  return command === "purge" || command === "verify" ? outcomesOf[command] : outcomesOf.copy;
}

function passCounts(ledger: Ledger, kinds: readonly OutcomeKind[]): PassCounts {
  const { found, outcomes } = ledger.counts;
  return { found, ...Object.fromEntries(kinds.map((kind) => [kind, outcomes[kind]])) };
}

export function reportedFailure(failure: Failure, showIds: boolean): ReportedFailure {
  const { sid, path, reason, suspicious } = failure;
  const detail = showable(failure.detail, maxDetailLength);
  return { ...reportedFile(sid, path ?? "", showIds), reason, detail, ...(suspicious && { suspicious }) };
}

function suspiciousFirst(failures: readonly Failure[]): readonly Failure[] {
  const rankOf = ({ suspicious }: Failure) => (suspicious === true ? 0 : 1);
  return failures.toSorted((one, other) => rankOf(one) - rankOf(other));
}

export function reportedDifference(
  { sid, path, kind, detail }: Difference,
  showIds: boolean,
): ReportedDifference {
  return { ...reportedFile(sid, path, showIds), kind, detail: showable(detail) };
}

/** A session's id and the path of its file; both show a short id unless `showIds`. */
function reportedFile(sid: string, path: string, showIds: boolean) {
  if (!showIds) return { session: shortSid(sid), file: showablePath(path.replace(sid, shortSid(sid))) };
  const file = path.split(sid).map(showablePath).join(sid);
  return { session: sid, file };
}
