import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SettingsError } from "../../src/model/errors.js";
import { mergeReports } from "../../src/report/merge-reports.js";
import { type Report, reportSchema } from "../../src/report/schema/report-schema.js";
import { sampleReport } from "../support/reports/sample-report.js";

/** The report of one shard, which began so many seconds after the first and did 100 a second. */
function shardOf(index: number, change: Partial<Omit<Report, "sessions">> = {}): Report {
  const startMs = Date.parse("2026-05-04T22:00:00.000Z") + index * 10_000;
  const seconds = 20;
  return sampleReport({
    startedAt: new Date(startMs).toISOString(),
    endedAt: new Date(startMs + seconds * 1000).toISOString(),
    host: `job-${index}`,
    listed: 2000,
    source: { ...sampleReport().source, shards: [`${index + 1}/2`], ignored: 3, empty: 1 },
    sessions: { found: 2000, copied: 1998, failed: 2, authenticated: 500, anonymous: 1498 },
    passes: [{ found: 2000, copied: 1998, failed: 2 }],
    byReason: index === 0 ? { corrupt: 2 } : { corrupt: 1, "too-deep": 1 },
    byDirectory: [{ directory: "/srv/sessions", found: 2000, failed: 2 }],
    ages: [
      { underHours: 1, authenticated: 500, anonymous: 0 },
      { underHours: null, authenticated: 0, anonymous: 1498 },
    ],
    lifetimes: [{ hour: `2026-05-1${1 - index}T22:00:00.000Z`, sessions: 1998 }],
    phases: [{ name: "copying", seconds }],
    throughput: {
      samples: Array.from({ length: 41 }, (_, at) => ({ seconds: at / 2, sessions: at * 50 })),
      marks: [{ seconds: 5, kind: "redis-away" }],
    },
    failures: [{ session: `abc${index}…`, file: "", reason: "corrupt", detail: "" }],
    failuresOmitted: 1,
    settings: [{ name: "--shard", value: `${index + 1}/2`, origin: "--shard" }],
    warnings: ["the same of both", `of ${index}`],
    exitCode: index === 0 ? 1 : 0,
    seconds,
    ...change,
  });
}

describe("merge-reports: the shards of one job", () => {
  const merged = mergeReports([shardOf(0), shardOf(1)]);

  it("is a report itself", () => assert.deepEqual(reportSchema.parse(merged), merged));

  it("counts add up", () => {
    const { sessions, listed, byReason, byDirectory, ages, passes, failuresOmitted } = merged;
    assert.deepEqual(
      [sessions.found, sessions.copied, sessions.failed, listed, failuresOmitted],
      [4000, 3996, 4, 4000, 2],
    );
    assert.deepEqual(byReason, { corrupt: 3, "too-deep": 1 });
    assert.deepEqual(byDirectory, [{ directory: "/srv/sessions", found: 4000, failed: 4 }]);
    assert.deepEqual(ages, [
      { underHours: 1, authenticated: 1000, anonymous: 0 },
      { underHours: null, authenticated: 0, anonymous: 2996 },
    ]);
    assert.deepEqual(passes, [{ found: 4000, copied: 3996, failed: 4 }]);
  });

  it("earliest start, latest end, worst exit code, both hosts", () => {
    assert.deepEqual(
      [merged.startedAt, merged.endedAt, merged.seconds, merged.exitCode, merged.outcome, merged.host],
      ["2026-05-04T22:00:00.000Z", "2026-05-04T22:00:30.000Z", 30, 1, "partial", "job-0, job-1"],
    );
    assert.equal(merged.sessionsPerSecond, 133);
  });

  it("what happened stands side by side, by the clock", () => {
    const doneAt = (seconds: number) =>
      merged.throughput.samples.find((sample) => sample.seconds === seconds)?.sessions;
    assert.deepEqual([doneAt(0), doneAt(5), doneAt(15), doneAt(30)], [0, 500, 2000, 4000]);
    assert.deepEqual(
      merged.throughput.marks.map(({ seconds }) => seconds),
      [5, 15],
    );
    assert.deepEqual(
      merged.lifetimes.map(({ hour }) => hour.slice(8, 10)),
      ["10", "11"],
    );
  });

  it("failures, settings and warnings are joined, and nothing is said twice", () => {
    assert.deepEqual(
      merged.failures.map(({ session }) => session),
      ["abc0…", "abc1…"],
    );
    assert.deepEqual(
      merged.settings.map(({ value }) => value),
      ["1/2", "2/2"],
    );
    assert.deepEqual(merged.warnings, ["the same of both", "of 0", "of 1"]);
  });

  it("100 shards with 600 samples each: 600 samples, from the first start to the last end", () => {
    const shards = Array.from({ length: 100 }, (_, index) => {
      const samples = Array.from({ length: 600 }, (_, at) => ({ seconds: at + index / 100, sessions: at }));
      const source = { ...sampleReport().source, shards: [`${index + 1}/100`] };
      return shardOf(0, { source, throughput: { samples, marks: [] } });
    });
    const { samples } = mergeReports(shards).throughput;
    assert.equal(samples.length, 600);
    assert.deepEqual([samples[0]?.seconds, samples.at(-1)?.seconds], [0, 599.99]);
    assert.equal(samples.at(-1)?.sessions, 59_900);
    assert.ok(samples.every(({ sessions }, at) => sessions >= (samples[at - 1]?.sessions ?? 0)));
  });

  it("an old report among them: what it does not know stays unknown", () => {
    const old = shardOf(1, { listed: null, startedAt: null, endedAt: null, host: null, redis: null });
    const { listed, startedAt, host } = mergeReports([shardOf(0), old]);
    assert.deepEqual([listed, startedAt, host], [null, "2026-05-04T22:00:00.000Z", "job-0"]);
  });

  it("shards: all of them, in order; other names and empty files add up", () => {
    const { source, warnings } = mergeReports([shardOf(1), shardOf(0)]);
    assert.deepEqual([source.shards, source.ignored, source.empty], [["1/2", "2/2"], 6, 2]);
    assert.ok(!warnings.some((warning) => warning.includes("missing")));
  });

  const of = (text: string, directories = ["/srv/sessions"]) =>
    shardOf(0, { source: { ...sampleReport().source, directories, shards: [text] } });

  it("a shard that is missing is a warning: its sessions are not accounted for", () => {
    const warningsOf = (...texts: string[]) => mergeReports(texts.map((text) => of(text))).warnings[0];
    assert.equal(
      warningsOf("1/4", "2/4", "4/4"),
      "the report of shard 3/4 is missing: its sessions are not counted here",
    );
    assert.match(warningsOf("2/4", "3/4") ?? "", /^the report of shard 1\/4 and 1 other is missing/);
    assert.equal(warningsOf("1/2", "2/2"), "the same of both");
  });

  it("reports that count a session twice are refused; other directories are another matter", () => {
    assert.throws(() => mergeReports([of("1/4"), of("2/4"), of("1/4")]), {
      message: "report: two of these are of shard 1/4: give the last one only",
    });
    assert.throws(() => mergeReports([of("1/2"), of("3/4")]), {
      message: "report: shards 1/2 and 3/4 hold the same sessions: give the reports of one job",
    });
    assert.deepEqual(mergeReports([of("1/2"), of("1/2", ["/srv/b"])]).source.directories, ["/srv/sessions", "/srv/b"]);
  });

  it("one report stays as it is", () => assert.deepEqual(mergeReports([shardOf(0)]), shardOf(0)));
});

describe("merge-reports: refuses what is not one job", () => {
  const { target } = sampleReport();
  const rows: readonly (readonly [name: string, other: Report, why: RegExp])[] = [
    ["another command", sampleReport({ command: "verify" }), /the command differs: copy and verify/],
    ["a dry run", sampleReport({ dryRun: true }), /the command differs: copy and copy --dry-run/],
    [
      "another Redis",
      sampleReport({ target: { ...target, redis: "other:6379/0" } }),
      /the Redis differs: localhost:6379\/0 and other:6379\/0/,
    ],
    ["another prefix", sampleReport({ target: { ...target, prefix: "p" } }), /the prefix differs: none and p/],
  ];
  for (const [name, other, why] of rows) {
    it(name, () => {
      assert.throws(
        () => mergeReports([sampleReport(), other]),
        (error) => error instanceof SettingsError && why.test(error.message),
      );
    });
  }
});
