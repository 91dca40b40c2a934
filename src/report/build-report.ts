import type { Ledger } from "../model/ledger.js";
import type { Difference, Failure, OutcomeKind } from "../model/outcome.js";
import type {
  KeyLayoutEvidence,
  PassCounts,
  Report,
  ReportedDifference,
  ReportedFailure,
  ServerWorks,
} from "../model/report.js";
import { ledgersOf } from "../model/run-record.js";
import type { ScanTally } from "../model/session-file.js";
import { shortSid, showable, showablePath } from "../model/showable.js";
import { outcomeOf } from "./exit-code.js";

/** What a run knows of itself; what it ended before is absent. */
export interface RunFacts {
  /** The outcomes that its sessions can have. */
  readonly kinds: readonly OutcomeKind[];
  /** Originals removed. */
  readonly purged: number;
  readonly version: string;
  readonly command: string;
  readonly dryRun: boolean;
  readonly showIds: boolean;
  readonly directories: readonly string[];
  readonly redis: string | null;
  readonly keyLayout: "documented" | "applet" | null;
  readonly keyLayoutEvidence: KeyLayoutEvidence | null;
  readonly prefix: string | null;
  readonly serverWorks: ServerWorks;
  readonly listed: number | null;
  readonly retracted: number;
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  readonly laterPasses: readonly Ledger[];
  readonly stillChanging: number;
  readonly warnings: readonly string[];
  /** Of the run, from its first step to its last. */
  readonly seconds: number;
}

/** Failures that a report holds; a report file has every one. */
const mostFailures = 100;

/** Holds the outcomes of the run's command, whichever that is. */
export type RunReport = Report<never>;

export function buildReport(facts: RunFacts, ledger: Ledger, tally: ScanTally, exitCode: number): RunReport {
  const counts = ledger.counts;
  const pass = passCounts(ledger, facts.kinds);
  const ledgers = ledgersOf({ ...facts, ledger });
  const failures = ledgers
    .flatMap((each) => each.failures)
    .slice(0, mostFailures)
    .map((failure) => reportedFailure(failure, facts.showIds));
  const failed = ledgers.reduce((sum, each) => sum + each.counts.outcomes.failed, 0);
  return {
    tool: "tele-sessions",
    version: facts.version,
    command: facts.command,
    dryRun: facts.dryRun,
    outcome: outcomeOf(exitCode),
    exitCode,
    source: {
      directories: facts.directories.map(showablePath),
      layouts: { ...tally.layouts },
      formats: counts.formats,
      ignored: tally.ignored + counts.ignored,
      empty: counts.empty,
    },
    target: {
      redis: facts.redis,
      keyLayout: facts.keyLayout,
      keyLayoutEvidence: facts.keyLayoutEvidence,
      prefix: facts.prefix === null ? null : showablePath(facts.prefix),
      serverWorks: facts.serverWorks,
    },
    listed: facts.listed,
    sessions: {
      ...pass,
      purged: facts.purged,
      retracted: facts.retracted,
      authenticated: counts.authenticated,
      anonymous: counts.anonymous,
      lossy: counts.lossy,
      unvisited: ledger.unvisited,
    },
    passes: [pass, ...facts.laterPasses.map((later) => passCounts(later, facts.kinds))],
    stillChanging: facts.stillChanging,
    failures,
    failuresOmitted: failed - failures.length,
    differences: facts.differences.map((one) => reportedDifference(one, facts.showIds)),
    differencesOmitted: facts.differenceCount - facts.differences.length,
    warnings: facts.warnings,
    bytes: { read: counts.bytesRead, written: counts.bytesWritten },
    seconds: Number(facts.seconds.toFixed(3)),
    sessionsPerSecond: facts.seconds > 0 ? Math.round(counts.found / facts.seconds) : 0,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function passCounts(ledger: Ledger, kinds: readonly OutcomeKind[]): PassCounts<never> {
  const { found, outcomes } = ledger.counts;
  return { found, ...Object.fromEntries(kinds.map((kind) => [kind, outcomes[kind]])) };
}

export function reportedFailure({ sid, path, reason, detail }: Failure, showIds: boolean): ReportedFailure {
  const file = shownFile(path ?? "", sid, showIds);
  return { session: showIds ? sid : shortSid(sid), file, reason, detail: showable(detail) };
}

export function reportedDifference(
  { sid, path, kind, detail }: Difference,
  showIds: boolean,
): ReportedDifference {
  const file = shownFile(path, sid, showIds);
  return { session: showIds ? sid : shortSid(sid), file, kind, detail: showable(detail) };
}

/** A path, in which the sid is cut unless the operator asked for it whole. */
function shownFile(path: string, sid: string, showIds: boolean): string {
  if (!showIds) return showablePath(path.replace(sid, shortSid(sid)));
  const at = path.lastIndexOf(sid);
  return at < 0
    ? showablePath(path)
    : showablePath(path.slice(0, at)) + sid + showablePath(path.slice(at + sid.length));
}
