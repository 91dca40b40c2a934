import { hostname, userInfo } from "node:os";
import { ageBuckets, hourMs, increase } from "../model/counts.js";
import { orElse, RedisError, RedisForgotError, ReportError, SourceError } from "../model/errors.js";
import type { Ledger, LedgerCounts } from "../model/ledger.js";
import { maxLifetimeHours } from "../model/ledger.js";
import { type Difference, type Failure, type FailureReason, type OutcomeKind, outcomesOf } from "../model/outcome.js";
import { ledgersOf, newRunRecord, type RunRecord } from "../model/run-record.js";
import { type Shard, shardText } from "../model/shard.js";
import { maxDetailLength, maxLineLength, shortSid, showable, showablePath } from "../model/showable.js";
import { exitCodeOfError, explainError, explainExitCode } from "./exit-code.js";
import { suspiciousFirst } from "./listed-findings.js";
import type { PassCounts, Report, ReportedDifference, ReportedFailure } from "./schema/report-schema.js";

/** What a report says besides the record of the run. */
export interface ReportFacts extends Pick<Report, "version" | "command" | "exitCode" | "warnings"> {
  /** False by default. */
  readonly dryRun?: boolean;
  /** Whether it shows session ids whole; false by default. */
  readonly showIds?: boolean;
  /** The part of the sessions that the run took; everything by default. */
  readonly shard?: Shard | null;
  /** None by default. */
  readonly prefix?: string | null;
  /** What the run was told, masked; nothing by default. */
  readonly settings?: Report["settings"];
}

/** Failures that a report lists; a report file has every one. */
const maxFailures = 100;

/** The report of a run. Without a record: of a run that ended before it touched anything. */
export function buildReport(facts: ReportFacts, record = newRunRecord(kindsOf(facts.command))): Report {
  const { version, command, exitCode, warnings, dryRun = false, showIds = false, prefix = null, shard = null } = facts;
  const { ledger, tally, kinds, timeline } = record;
  const counts = ledger.counts;
  const mainPass = passCounts(ledger, kinds);
  const ledgers = ledgersOf(record);
  const failures = suspiciousFirst(ledgers.flatMap((each) => each.failures)).slice(0, maxFailures);
  const failed = ledgers.reduce((sum, each) => sum + each.counts.outcomes.failed, 0);
  const { seconds } = timeline;
  return {
    tool: "tele-sessions",
    schemaVersion: 1,
    version,
    command,
    dryRun,
    outcome: explainExitCode(exitCode).outcome,
    exitCode,
    startedAt: record.startedAt.toISOString(),
    endedAt: new Date(record.startedAt.getTime() + seconds * 1000).toISOString(),
    host: showable(hostname()),
    user: accountOfProcess(),
    source: {
      directories: record.directories.map(showablePath),
      shards: shard === null ? [] : [shardText(shard)],
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
    redis: redisOf(record),
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
    byDirectory: [...counts.directories].map(([directory, of]) => ({ directory: showablePath(directory), ...of })),
    byReason: failuresByReason(ledgers),
    databases: null,
    ages: agesOf(counts),
    lifetimes: lifetimesOf(ledgers, record.startedAt),
    phases: timeline.phases.map(({ name, seconds }) => ({ name, seconds: rounded(seconds) })),
    throughput: {
      samples: timeline.samples.map((sample) => ({ ...sample, seconds: rounded(sample.seconds) })),
      marks: timeline.marks.map((mark) => ({ ...mark, seconds: rounded(mark.seconds) })),
    },
    failures: failures.map((failure) => reportedFailure(failure, showIds)),
    failuresOmitted: failed - failures.length,
    differences: record.differences.map((difference) => reportedDifference(difference, showIds)),
    differencesOmitted: record.differenceCount - record.differences.length,
    settings: (facts.settings ?? []).map(({ name, value, origin }) => ({ name, value, origin })),
    warnings,
    errors: record.errors.map(reportedError),
    bytes: { read: counts.bytesRead, written: counts.bytesWritten },
    seconds: rounded(seconds),
    sessionsPerSecond: seconds > 0 ? Math.round(counts.found / seconds) : 0,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** To the millisecond. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(3));
}

/** The account that this process runs as; null where the system has none. */
function accountOfProcess(): Report["user"] {
  const uid = process.getuid?.();
  // A container may run as a uid that its system has no name for.
  const name = orElse(null, () => showable(userInfo().username));
  return uid === undefined ? null : { uid, name };
}

/** A `run_id` is as long as a session id, and is cut like one. */
function redisOf({ redisFacts }: RunRecord): Report["redis"] {
  if (redisFacts === null) return null;
  const { version, runId } = redisFacts;
  return { ...redisFacts, version: version && showable(version), runId: runId && showable(runId) };
}

function failuresByReason(ledgers: readonly Ledger[]): Report["byReason"] {
  const reasons: Partial<Record<FailureReason, number>> = {};
  for (const { counts } of ledgers) {
    for (const [reason, count] of counts.reasons) reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  return reasons;
}

function agesOf({ ages }: LedgerCounts): Report["ages"] {
  return ageBuckets.map((hours, index) => ({
    underHours: Number.isFinite(hours) ? hours : null,
    authenticated: ages[index]?.authenticated ?? 0,
    anonymous: ages[index]?.anonymous ?? 0,
  }));
}

/** The lifetimes that all passes wrote, by hour, the first first. */
function lifetimesOf(ledgers: readonly Ledger[], startedAt: Date): Report["lifetimes"] {
  const lastHour = Math.floor(startedAt.getTime() / hourMs) + maxLifetimeHours;
  const hours = new Map<number, number>();
  for (const { counts } of ledgers) {
    for (const [hour, count] of counts.lifetimes) {
      increase(hours, Math.min(hour, lastHour), count);
    }
  }
  return [...hours]
    .filter(([, sessions]) => sessions > 0)
    .toSorted(([one], [other]) => one - other)
    .map(([hour, sessions]) => ({ hour: new Date(hour * hourMs).toISOString(), sessions }));
}

function reportedError(error: unknown): Report["errors"][number] {
  const message = showable(explainError(error), maxLineLength);
  const [, code = null] = /\(([A-Z][A-Z0-9_]{3,})\)/.exec(message) ?? [];
  return { code, message, remedy: remedyOf(error) };
}

/** What to do about an error; null if its message says so. */
function remedyOf(error: unknown): string | null {
  if (error instanceof RedisError && error.kind === "refused") return null;
  if (error instanceof RedisError || error instanceof RedisForgotError) {
    return "Make sure that Redis is up and can be reached from here. Then run the same command again.";
  }
  if (error instanceof SourceError) {
    return "Make sure that the session directory is there and can be read. Then run the same command again.";
  }
  if (error instanceof ReportError) return "Make room for the report, or give another path.";
  return exitCodeOfError(error) === 70 ? "Report it, with the version and these lines." : null;
}

function kindsOf(command: string): readonly OutcomeKind[] {
  return outcomesOf[command === "purge" || command === "verify" || command === "export" ? command : "copy"];
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

export function reportedDifference({ sid, path, kind, detail }: Difference, showIds: boolean): ReportedDifference {
  return { ...reportedFile(sid, path, showIds), kind, detail: showable(detail) };
}

/** A session's id and the path of its file; both show a short id unless `showIds`. */
function reportedFile(sid: string, path: string, showIds: boolean) {
  if (!showIds) return { session: shortSid(sid), file: showablePath(path.replace(sid, shortSid(sid))) };
  const file = path.split(sid).map(showablePath).join(sid);
  return { session: sid, file };
}
