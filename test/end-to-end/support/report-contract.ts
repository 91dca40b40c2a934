import assert from "node:assert/strict";
import type { OutcomeKind } from "../../../src/model/outcome.js";
import { type Report, reportSchema } from "../../../src/report/schema/report-schema.js";

/** A report as tests read it: they know which outcomes its command has. */
export type ObservedReport = Omit<Report, "passes" | "sessions"> & {
  readonly sessions: { readonly [Name in keyof Report["sessions"]]-?: number };
  readonly passes: readonly Readonly<Record<"found" | OutcomeKind, number>>[];
};

/** The members of each object in the report, as the contract has them: no other, none missing. */
const members: Readonly<Record<string, readonly string[]>> = {
  "": [
    ...[
      "tool",
      "version",
      "command",
      "dryRun",
      "outcome",
      "exitCode",
      "source",
      "target",
      "listed",
      "sessions",
      "passes",
    ],
    ...[
      "stillChanging",
      "failures",
      "failuresOmitted",
      "differences",
      "differencesOmitted",
      "warnings",
      "bytes",
      "seconds",
      "sessionsPerSecond",
    ],
    "peakMemoryBytes",
    ...["schemaVersion", "startedAt", "endedAt", "host", "user", "redis", "byDirectory", "byReason"],
    ...["databases", "ages", "lifetimes", "phases", "throughput", "settings", "errors"],
  ],
  source: ["directories", "shards", "layouts", "formats", "ignored", "empty"],
  "source.layouts": ["flat", "scattered"],
  "source.formats": ["pickle", "json"],
  target: ["redis", "keyLayout", "keyLayoutEvidence", "prefix", "serverWorks"],
  bytes: ["read", "written"],
};

/** What a session can come to, by command. */
const outcomesOfCopy = [...["copied", "identical", "kept", "expired", "ended", "superseded", "vanished", "failed"]];
const outcomesOfCommand: Readonly<Record<string, readonly string[]>> = {
  purge: ["removed", "absent", "ended", "kept", "denied", "vanished", "failed"],
  verify: [
    ...["equal", "newer", "expired", "ended", "superseded", "missing", "different", "wrong-lifetime"],
    ...["vanished", "failed"],
  ],
  export: ["exported", "identical", "kept", "expired", "vanished", "failed"],
  "verify --reverse": [
    ...["equal", "newer", "expired", "missing", "different", "wrong-lifetime", "vanished", "failed"],
  ],
};
const furtherCounts = ["found", "purged", "retracted", "authenticated", "anonymous", "lossy", "unvisited"];
const reasons = [
  ...[
    "corrupt",
    "not-a-session",
    "unsupported-type",
    "circular",
    "too-deep",
    "too-large",
    "unreadable",
    "changed-repeatedly",
  ],
  ...["wrong-redis-type", "redis-error", "invalid-sid", "not-written"],
];
const outcomesOfExitCodes: Readonly<Record<number, string>> = {
  0: "complete",
  1: "partial",
  2: "refused",
  3: "failed",
  4: "partial",
  5: "refused",
  6: "partial",
  70: "failed",
  129: "interrupted",
  130: "interrupted",
  143: "interrupted",
};

export interface ReportExpectation {
  readonly idsAreShown: boolean;
  /** How many failures it lists at most. */
  readonly mostFailures: number;
}

/**
 * Holds a report to what is true of every one: its shape, its balance, and that its parts agree.
 */
export function assertReport(report: ObservedReport, { idsAreShown, mostFailures }: ReportExpectation): void {
  for (const [path, names] of Object.entries(members)) {
    assert.deepEqual(
      Object.keys(memberAt(report, path)).sort(),
      [...names].sort(),
      `members of ${path || "the report"}`,
    );
  }
  assert.equal(report.tool, "tele-sessions");
  assert.match(report.version, /^\d+\.\d+\.\d+/);
  assert.equal(typeof report.dryRun, "boolean");
  assert.equal(report.outcome, outcomesOfExitCodes[report.exitCode]);

  // The pre-deploy step copies, or only removes.
  const removes = report.command === "stop-after-init" && "removed" in report.sessions;
  const isReverse = report.command === "verify" && !("superseded" in report.sessions);
  const command = isReverse ? "verify --reverse" : removes ? "purge" : report.command;
  const outcomes = outcomesOfCommand[command] ?? outcomesOfCopy;
  assert.deepEqual(Object.keys(report.sessions).sort(), [...outcomes, ...furtherCounts].sort());
  for (const counts of [report.sessions, ...report.passes]) {
    const sum = outcomes.reduce((total, outcome) => total + Number(Reflect.get(counts, outcome)), 0);
    assert.equal(counts.found, sum, "found is the sum of the outcomes");
  }
  const { sessions, failures, failuresOmitted } = report;
  const failed = report.passes.reduce((sum, pass) => sum + pass.failed, 0);
  assert.equal(failures.length + failuresOmitted, failed, "every failure is listed or counted");
  assert.ok(failures.length <= mostFailures);
  assert.ok(sessions.authenticated + sessions.anonymous <= sessions.found);
  for (const failure of failures) {
    const optional = "suspicious" in failure ? ["suspicious"] : [];
    assert.deepEqual(Object.keys(failure).sort(), ["detail", "file", "reason", "session", ...optional]);
    assert.equal("suspicious" in failure, failure.detail.includes("no server writes that"));
    assert.ok(reasons.includes(failure.reason), failure.reason);
    const isSid = failure.reason !== "invalid-sid";
    if (!idsAreShown) assert.match(failure.session, isSid ? /^[A-Za-z0-9_-]{6}…$/ : /^\P{Cc}{0,6}…$/u);
  }
  const { differences, differencesOmitted, listed } = report;
  assert.ok(differences.length <= mostFailures);
  for (const difference of differences) {
    assert.deepEqual(Object.keys(difference).sort(), ["detail", "file", "kind", "session"]);
    assert.ok(difference.detail !== "" && difference.file !== "");
    if (!idsAreShown) assert.match(difference.file, /[/_][A-Za-z0-9_-]{6}…(\.sess)?$/);
  }
  if (report.command === "verify") {
    const found = ["missing", "different", "wrong-lifetime"].map((kind) => Number(Reflect.get(sessions, kind)));
    const sum = found.reduce((total, count) => total + count, 0);
    assert.equal(differences.length + differencesOmitted, sum, "every difference is listed or counted");
  }
  if (listed !== null) assert.ok(sessions.found + sessions.unvisited <= listed, `of ${listed}`);
  for (const number of [report.seconds, report.sessionsPerSecond, report.bytes.read, report.bytes.written]) {
    assert.ok(Number.isFinite(number) && number >= 0);
  }
  assert.ok(report.peakMemoryBytes > 10_000_000);
  assert.deepEqual(reportSchema.parse(report), report, "the schema knows every key");
  assertNewParts(report);
}

/** Holds the parts that the charts are drawn from to what the counts say. */
function assertNewParts(report: ObservedReport): void {
  const { sessions, byDirectory, byReason, ages, throughput, phases } = report;
  const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);
  assert.equal(sum(byDirectory.map(({ found }) => found)), sessions.found, "found by directory");
  assert.equal(sum(byDirectory.map(({ failed }) => failed)), sessions.failed, "failed by directory");
  assert.equal(sum(Object.values(byReason)), sum(report.passes.map(({ failed }) => failed)), "by reason");
  for (const user of ["authenticated", "anonymous"] as const) {
    assert.equal(sum(ages.map((age) => age[user])), sessions[user], `${user} by age`);
  }
  assert.ok(throughput.samples.every(({ seconds }, at, all) => seconds >= (all[at - 1]?.seconds ?? 0)));
  assert.ok(
    sum(phases.map(({ seconds }) => seconds)) <= report.seconds + 0.001 * phases.length,
    "phases take the run's time",
  );
}

function memberAt(from: object, path: string): object {
  return path === "" ? from : path.split(".").reduce((part, name) => Object(Reflect.get(part, name)), from);
}
