import { failureReasons, outcomesOf } from "../../model/outcome.js";
import { commandOfReport } from "../command-of-report.js";
import type { Report } from "../schema/report-schema.js";
import { expositionText, type Labels, type Metric, type MetricSample } from "./exposition.js";

/** What is known of every run, also of one that was refused. */
export interface RunFacts
  extends Pick<Report, "version" | "dryRun" | "outcome" | "exitCode" | "startedAt" | "endedAt" | "seconds"> {
  readonly command: string;
  /** The shards that it took; empty if it took everything. */
  readonly shards: readonly string[];
}

/** A metric before its numbers are known. Its help is one sentence. */
type Definition<Source> = readonly [
  /** Without `namespace`. */
  name: string,
  help: string,
  read: (source: Source) => number | null | readonly MetricSample[],
  /** What sets its numbers apart, besides the labels of the run. */
  labels?: readonly string[],
];

/** What the name of every metric begins with. */
const namespace = "tele_sessions_";

const ofRun: readonly Definition<RunFacts>[] = [
  [
    "run_info",
    "Always 1: the version and what the exit code comes to.",
    ({ version, outcome }) => [{ labels: { version, outcome }, value: 1 }],
    ["version", "outcome"],
  ],
  ["exit_code", "The exit code of the run.", ({ exitCode }) => exitCode],
  ["success", "1 if the run ended with exit 0, otherwise 0.", ({ exitCode }) => (exitCode === 0 ? 1 : 0)],
  ["start_timestamp_seconds", "When the run began, in seconds since the epoch.", (run) => secondsOf(run.startedAt)],
  ["end_timestamp_seconds", "When the run ended, in seconds since the epoch.", (run) => secondsOf(run.endedAt)],
  ["duration_seconds", "How long the run took.", ({ seconds }) => seconds],
];

const ofReport: readonly Definition<Report>[] = [
  [
    "sessions",
    "Session files of the main pass by what became of them.",
    (report) =>
      outcomesOf[commandOfReport(report)].map((outcome) => ({
        labels: { outcome },
        value: report.sessions[outcome] ?? 0,
      })),
    ["outcome"],
  ],
  ["found_files", "Session files of the main pass: the sum of the outcomes.", ({ sessions }) => sessions.found],
  [
    "listed_files",
    "Names of session files that the listing saw; absent if they were not counted.",
    ({ listed }) => listed,
  ],
  ["unvisited_files", "Session files that were listed but not reached.", ({ sessions }) => sessions.unvisited],
  ["empty_files", "Files of 0 bytes.", ({ source }) => source.empty],
  ["ignored_names", "Names that are not session files.", ({ source }) => source.ignored],
  [
    "failures",
    "Failures of every pass by reason.",
    ({ byReason }) => failureReasons.map((reason) => ({ labels: { reason }, value: byReason[reason] ?? 0 })),
    ["reason"],
  ],
  [
    "users",
    "Sessions of the main pass by whether their user is logged in.",
    ({ sessions: { authenticated, anonymous } }) => [
      { labels: { kind: "authenticated" }, value: authenticated },
      { labels: { kind: "anonymous" }, value: anonymous },
    ],
    ["kind"],
  ],
  ["purged_files", "Originals removed; in a dry run, those that would be.", ({ sessions }) => sessions.purged],
  ["retracted_keys", "Keys deleted because their files are gone.", ({ sessions }) => sessions.retracted],
  ["changing_sessions", "Sessions that were still changing at the end of the last pass.", (run) => run.stillChanging],
  ["read_bytes", "Bytes read from session files.", ({ bytes }) => bytes.read],
  ["written_bytes", "Bytes of values written to Redis.", ({ bytes }) => bytes.written],
  ["memory_peak_bytes", "The most memory that the run used itself.", ({ peakMemoryBytes }) => peakMemoryBytes],
  [
    "redis_memory_bytes",
    "Memory that Redis used when the run began and when it ended.",
    ({ redis }) => [
      { labels: { at: "start" }, value: redis?.memoryBefore ?? null },
      { labels: { at: "end" }, value: redis?.memoryAfter ?? null },
    ],
    ["at"],
  ],
  ["redis_memory_limit_bytes", "The memory limit of Redis; 0 means none.", ({ redis }) => redis?.memoryLimit ?? null],
  ["redis_evicted_keys", "Keys of any kind that Redis evicted during the run.", ({ redis }) => redis?.evicted ?? null],
  ["phase_duration_seconds", "How long each phase took.", ({ phases }) => sumByName(phases), ["phase"]],
  ["warnings", "Warnings of the run.", ({ warnings }) => warnings.length],
  ["errors", "Errors that ended the run.", ({ errors }) => errors.length],
];

/** The metrics of a run, for the table in docs/pipelines.md. */
export const metricDefinitions = [...ofRun, ...ofReport].map(([name, help, , labels]) => {
  return { name: `${namespace}${name}`, help, labels };
});

/** The metrics of a run in the Prometheus text format. Without a report: of one that compares nothing. */
export function metricsText(facts: RunFacts, report?: Report): string {
  const metrics = [
    ...ofRun.map((definition) => fill(definition, facts)),
    ...(report === undefined ? [] : ofReport.map((definition) => fill(definition, report))),
  ];
  return expositionText(metrics, labelsOf(facts));
}

/** The metrics of a run with a report. */
export function reportMetrics(report: Report): string {
  return metricsText({ ...report, shards: report.source.shards }, report);
}

/** What tells the numbers of a run from those of others that the same machine offers. */
function labelsOf({ command, dryRun, shards }: RunFacts): Labels {
  const shard = shards.length === 0 ? {} : { shard: shards.join() };
  return { command, dry_run: String(dryRun), ...shard };
}

function fill<Source>([name, help, read]: Definition<Source>, source: Source): Metric {
  const value = read(source);
  return {
    name: `${namespace}${name}`,
    help,
    samples: typeof value === "object" && value !== null ? value : [{ value }],
  };
}

function secondsOf(instant: string | null): number | null {
  return instant === null ? null : Date.parse(instant) / 1000;
}

/** A phase may come again in a later pass. */
function sumByName(phases: Report["phases"]): MetricSample[] {
  const sums = new Map<string, number>();
  for (const { name, seconds } of phases) sums.set(name, (sums.get(name) ?? 0) + seconds);
  return [...sums].map(([phase, value]) => ({ labels: { phase }, value: Number(value.toFixed(3)) }));
}
