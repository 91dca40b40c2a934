import { failureReasons, outcomesOf } from "../../model/outcome.js";
import { commandOfReport } from "../command-of-report.js";
import type { Report } from "../schema/report-schema.js";
import { expositionText, type Labels, type MetricSample } from "./exposition.js";

/** What is known of every run, also of one that was refused. */
export interface RunFacts
  extends Pick<Report, "version" | "dryRun" | "outcome" | "exitCode" | "startedAt" | "endedAt" | "seconds"> {
  readonly command: string;
  /** The shards that it took; empty if it took everything. */
  readonly shards: readonly string[];
}

/** A metric before its numbers are known. */
interface Definition<Source> {
  readonly name: string;
  /** The labels that set its numbers apart, besides those of the run. */
  readonly labels?: readonly string[];
  /** One sentence. */
  readonly help: string;
  readonly read: (source: Source) => number | null | readonly MetricSample[];
}

const ofRun: readonly Definition<RunFacts>[] = [
  {
    name: "tele_sessions_run_info",
    labels: ["version", "outcome"],
    help: "Always 1: the version and what the exit code comes to.",
    read: ({ version, outcome }) => [{ labels: { version, outcome }, value: 1 }],
  },
  { name: "tele_sessions_exit_code", help: "The exit code of the run.", read: ({ exitCode }) => exitCode },
  {
    name: "tele_sessions_success",
    help: "1 if the run ended with exit 0, otherwise 0.",
    read: ({ exitCode }) => (exitCode === 0 ? 1 : 0),
  },
  {
    name: "tele_sessions_start_timestamp_seconds",
    help: "When the run began, in seconds since the epoch.",
    read: ({ startedAt }) => secondsOf(startedAt),
  },
  {
    name: "tele_sessions_end_timestamp_seconds",
    help: "When the run ended, in seconds since the epoch.",
    read: ({ endedAt }) => secondsOf(endedAt),
  },
  {
    name: "tele_sessions_duration_seconds",
    help: "How long the run took.",
    read: ({ seconds }) => seconds,
  },
];

const ofReport: readonly Definition<Report>[] = [
  {
    name: "tele_sessions_sessions",
    labels: ["outcome"],
    help: "Session files of the main pass by what became of them.",
    read: (report) =>
      outcomesOf[commandOfReport(report)].map((outcome) => ({
        labels: { outcome },
        value: report.sessions[outcome] ?? 0,
      })),
  },
  {
    name: "tele_sessions_found_files",
    help: "Session files of the main pass: the sum of the outcomes.",
    read: ({ sessions }) => sessions.found,
  },
  {
    name: "tele_sessions_listed_files",
    help: "Names of session files that the listing saw; absent if they were not counted.",
    read: ({ listed }) => listed,
  },
  {
    name: "tele_sessions_unvisited_files",
    help: "Session files that were listed but not reached.",
    read: ({ sessions }) => sessions.unvisited,
  },
  {
    name: "tele_sessions_empty_files",
    help: "Files of 0 bytes.",
    read: ({ source }) => source.empty,
  },
  {
    name: "tele_sessions_ignored_names",
    help: "Names that are not session files.",
    read: ({ source }) => source.ignored,
  },
  {
    name: "tele_sessions_failures",
    labels: ["reason"],
    help: "Failures of every pass by reason.",
    read: ({ byReason }) => failureReasons.map((reason) => ({ labels: { reason }, value: byReason[reason] ?? 0 })),
  },
  {
    name: "tele_sessions_users",
    labels: ["kind"],
    help: "Sessions of the main pass by whether their user is logged in.",
    read: ({ sessions: { authenticated, anonymous } }) => [
      { labels: { kind: "authenticated" }, value: authenticated },
      { labels: { kind: "anonymous" }, value: anonymous },
    ],
  },
  {
    name: "tele_sessions_purged_files",
    help: "Originals removed; in a dry run, those that would be.",
    read: ({ sessions }) => sessions.purged,
  },
  {
    name: "tele_sessions_retracted_keys",
    help: "Keys deleted because their files are gone.",
    read: ({ sessions }) => sessions.retracted,
  },
  {
    name: "tele_sessions_changing_sessions",
    help: "Sessions that were still changing at the end of the last pass.",
    read: ({ stillChanging }) => stillChanging,
  },
  {
    name: "tele_sessions_read_bytes",
    help: "Bytes read from session files.",
    read: ({ bytes }) => bytes.read,
  },
  {
    name: "tele_sessions_written_bytes",
    help: "Bytes of values written to Redis.",
    read: ({ bytes }) => bytes.written,
  },
  {
    name: "tele_sessions_memory_peak_bytes",
    help: "The most memory that the run used itself.",
    read: ({ peakMemoryBytes }) => peakMemoryBytes,
  },
  {
    name: "tele_sessions_redis_memory_bytes",
    labels: ["at"],
    help: "Memory that Redis used when the run began and when it ended.",
    read: ({ redis }) => [
      { labels: { at: "start" }, value: redis?.memoryBefore ?? null },
      { labels: { at: "end" }, value: redis?.memoryAfter ?? null },
    ],
  },
  {
    name: "tele_sessions_redis_memory_limit_bytes",
    help: "The memory limit of Redis; 0 means none.",
    read: ({ redis }) => redis?.memoryLimit ?? null,
  },
  {
    name: "tele_sessions_redis_evicted_keys",
    help: "Keys of any kind that Redis evicted during the run.",
    read: ({ redis }) => redis?.evicted ?? null,
  },
  {
    name: "tele_sessions_phase_duration_seconds",
    labels: ["phase"],
    help: "How long each phase took.",
    read: ({ phases }) => sumByName(phases),
  },
  { name: "tele_sessions_warnings", help: "Warnings of the run.", read: ({ warnings }) => warnings.length },
  { name: "tele_sessions_errors", help: "Errors that ended the run.", read: ({ errors }) => errors.length },
];

/** The metrics of a run, for the table in docs/pipelines.md. */
export const metricDefinitions: readonly Pick<Definition<never>, "name" | "labels" | "help">[] = [
  ...ofRun,
  ...ofReport,
];

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

function fill<Source>({ name, help, read }: Definition<Source>, source: Source) {
  const value = read(source);
  return { name, help, samples: typeof value === "object" && value !== null ? value : [{ value }] };
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
