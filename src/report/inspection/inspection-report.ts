import type { Inspection } from "../../model/inspection.js";
import type { ScanTally } from "../../model/session-file.js";
import { showable, showablePath } from "../../model/showable.js";
import { reportedFailure } from "../build-report.js";
import { explainExitCode } from "../exit-code.js";

/** Everything that is known at the end of `inspect`. */
export interface InspectionFacts {
  readonly version: string;
  readonly exitCode: number;
  readonly directories: readonly { readonly directory: string; readonly listed: number }[];
  /** Session files in all directories; null if they were not all listed. */
  readonly listed: number | null;
  /** Percent of the sessions that were inspected; null: all. */
  readonly sample: number | null;
  /** Whether every file was read that was to be read. */
  readonly isComplete: boolean;
  readonly inspection: Inspection;
  readonly tally: Pick<ScanTally, "ignored">;
  /** What a copy of all sessions would add to a Redis without other keys, in keys and bytes. */
  readonly redis: { readonly keys: number; readonly bytes: number };
  readonly warnings: readonly string[];
  readonly seconds: number;
  /** Whether session ids are shown whole. */
  readonly showIds: boolean;
}

/** Databases, and unsupported types, that are listed; the rest is summed. */
const maxListed = 10;
const maxFailures = 100;
/** Characters of a database's name. */
const maxDatabaseLength = 60;

/** What `inspect --json` prints; `docs/inspect.md` describes every key. */
export function inspectionReport(facts: InspectionFacts) {
  const { inspection, redis } = facts;
  const { counts, ages, sizes } = inspection;
  const databases = largestOf(inspection.databases);
  const unsupported = largestOf(inspection.unsupported);
  const failures = [...inspection.suspicious, ...inspection.failures].slice(0, maxFailures);
  return {
    tool: "tele-sessions",
    version: facts.version,
    command: "inspect",
    outcome: explainExitCode(facts.exitCode).outcome,
    exitCode: facts.exitCode,
    complete: facts.isComplete,
    sample: facts.sample,
    directories: facts.directories.map(({ directory, listed }) => ({ directory: showablePath(directory), listed })),
    listed: facts.listed,
    sessions: {
      found: counts.found,
      authenticated: counts.authenticated,
      anonymous: counts.anonymous,
      failed: counts.failed,
      superseded: counts.superseded,
      vanished: counts.vanished,
      expired: counts.expired,
      expiredWithTtlRemaining: counts.expiredRemaining,
      lossy: counts.lossy,
    },
    ages: {
      below1Hour: ages[0] ?? 0,
      below1Day: ages[1] ?? 0,
      below3Days: ages[2] ?? 0,
      below7Days: ages[3] ?? 0,
      older: ages[4] ?? 0,
    },
    sizes: {
      below256B: sizes[0] ?? 0,
      below1KiB: sizes[1] ?? 0,
      below16KiB: sizes[2] ?? 0,
      larger: sizes[3] ?? 0,
      largestBytes: inspection.largestBytes,
      totalBytes: counts.bytesRead,
    },
    formats: { pickle: Object.fromEntries(inspection.pickles.entries()), json: counts.json },
    layouts: { ...inspection.layouts },
    databases: {
      // The one value of a session that is shown.
      listed: databases.listed.map(([name, sessions]) => ({ name: showable(name, maxDatabaseLength), sessions })),
      others: databases.rest + counts.otherDatabases,
      none: counts.withoutDatabase,
    },
    redis: { ...redis },
    reasons: Object.fromEntries(mostFirst(inspection.reasons)),
    unsupported: {
      listed: unsupported.listed.map(([type, files]) => ({ type, files })),
      others: unsupported.rest + counts.otherUnsupported,
    },
    suspicious: counts.suspicious,
    failures: failures.map((failure) => reportedFailure(failure, facts.showIds)),
    failuresOmitted: counts.failed - failures.length,
    ignored: facts.tally.ignored + counts.ignored,
    empty: counts.empty,
    warnings: facts.warnings,
    seconds: Number(facts.seconds.toFixed(3)),
    sessionsPerSecond: facts.seconds > 0 ? Math.round(counts.found / facts.seconds) : 0,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

export type InspectionReport = ReturnType<typeof inspectionReport>;

/** Counts in descending order; equal ones by name. */
function mostFirst(counts: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...counts].sort(([name, one], [next, other]) => other - one || (name < next ? -1 : 1));
}

/** The largest of these counts, and the sum of all others. */
function largestOf(counts: ReadonlyMap<string, number>) {
  const sorted = mostFirst(counts);
  const rest = sorted.slice(maxListed).reduce((sum, [, count]) => sum + count, 0);
  return { listed: sorted.slice(0, maxListed), rest };
}
