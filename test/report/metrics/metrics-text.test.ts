import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { expositionText } from "../../../src/report/metrics/exposition.js";
import { metricDefinitions, metricsText, reportMetrics } from "../../../src/report/metrics/metrics-text.js";
import { eventfulReport } from "../../support/reports/eventful-report.js";
import { parsePrometheusText, type ScrapedSample } from "../../support/reports/prometheus-text.js";
import { sampleReport } from "../../support/reports/sample-report.js";

const labelled = (samples: readonly ScrapedSample[], name: string, labels: Readonly<Record<string, string>>) =>
  samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;

describe("exposition: the Prometheus text format", () => {
  it("any labels, any help and any number are read as they were written", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ minLength: 1 }), fc.double(), (label, help, value) => {
        const metrics = [
          {
            name: "a_b",
            help: `x${help.replaceAll("\r", "")}`,
            samples: [{ labels: { of: label }, value }],
          },
        ];
        const [sample] = parsePrometheusText(expositionText(metrics, { common: "1" }));
        assert.deepEqual(sample?.labels, { common: "1", of: label });
        assert.ok(Object.is(sample?.value, Object.is(value, -0) ? 0 : value), `${value}`);
      }),
    ));

  it("a metric without a number is left out, so that nothing is taken for 0", () => {
    const metrics = [
      { name: "a", help: "A.", samples: [{ value: null }] },
      { name: "b", help: "B.", samples: [{ value: 0 }] },
    ];
    assert.equal(expositionText(metrics, {}), "# HELP b B.\n# TYPE b gauge\nb 0\n");
  });

  const bad: readonly (readonly [name: string, text: string])[] = [
    ["no newline at the end", "# HELP a A.\n# TYPE a gauge\na 1"],
    ["no TYPE", "# HELP a A.\na 1\n"],
    ["TYPE without HELP", "# TYPE a gauge\na 1\n"],
    ["a metric that comes again", "# HELP a A.\n# TYPE a gauge\na 1\n# HELP b B.\n# TYPE b gauge\nb 1\n# HELP a A.\n"],
    ["a number twice", '# HELP a A.\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n'],
    ["a timestamp", "# HELP a A.\n# TYPE a gauge\na 1 1700000000000\n"],
    ["an unescaped quote", '# HELP a A.\n# TYPE a gauge\na{x="""} 1\n'],
    ["a comma too much", '# HELP a A.\n# TYPE a gauge\na{x="1",} 1\n'],
    ["null", "# HELP a A.\n# TYPE a gauge\na null\n"],
  ];
  for (const [name, text] of bad) {
    it(`the parser of these tests refuses ${name}`, () => assert.throws(() => parsePrometheusText(text)));
  }
});

describe("metrics-text: what a run offers", () => {
  it("every outcome and reason, also those that did not happen, and the facts of the run", () => {
    const samples = parsePrometheusText(
      reportMetrics(
        sampleReport({
          exitCode: 1,
          outcome: "partial",
          sessions: { found: 5, copied: 3, failed: 2 },
          byReason: { corrupt: 2 },
          listed: 6,
          seconds: 1.5,
          startedAt: "2026-05-04T22:00:00.000Z",
          redis: null,
        }),
      ),
    );
    const run = { command: "copy", dry_run: "false" };
    assert.ok(samples.every(({ labels }) => labels["command"] === "copy" && labels["dry_run"] === "false"));
    assert.equal(labelled(samples, "tele_sessions_exit_code", run), 1);
    assert.equal(labelled(samples, "tele_sessions_success", run), 0);
    assert.equal(labelled(samples, "tele_sessions_duration_seconds", run), 1.5);
    assert.equal(labelled(samples, "tele_sessions_start_timestamp_seconds", run), 1_777_932_000);
    assert.equal(labelled(samples, "tele_sessions_sessions", { outcome: "copied" }), 3);
    assert.equal(labelled(samples, "tele_sessions_sessions", { outcome: "vanished" }), 0);
    assert.equal(labelled(samples, "tele_sessions_failures", { reason: "corrupt" }), 2);
    assert.equal(labelled(samples, "tele_sessions_failures", { reason: "too-deep" }), 0);
    assert.equal(labelled(samples, "tele_sessions_listed_files", run), 6);
    assert.equal(labelled(samples, "tele_sessions_redis_memory_bytes", {}), undefined, "Redis was not asked");
  });

  it("nothing but numbers and fixed words: no path, database or session", () => {
    const text = reportMetrics(eventfulReport(100));
    for (const { labels } of parsePrometheusText(text)) {
      for (const value of Object.values(labels)) assert.match(value, /^[\w.,/-]{1,40}$/);
    }
    assert.doesNotMatch(text, /srv|sess\b|werkzeug/);
  });

  it("a run that did not begin: its exit code and when", () => {
    const facts = { version: "1.0", dryRun: true, outcome: "refused" as const, exitCode: 2 };
    const when = { startedAt: null, endedAt: "2026-05-04T22:00:00.250Z", seconds: 0 };
    const samples = parsePrometheusText(metricsText({ ...facts, ...when, command: "copy", shards: ["2/4"] }));
    assert.equal(labelled(samples, "tele_sessions_exit_code", { shard: "2/4", dry_run: "true" }), 2);
    assert.equal(labelled(samples, "tele_sessions_end_timestamp_seconds", {}), 1_777_932_000.25);
    assert.equal(
      samples.some(({ name }) => name === "tele_sessions_sessions"),
      false,
    );
  });

  it("names: a prefix, base units, and each once", () => {
    const names = metricDefinitions.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^tele_sessions_[a-z_]+$/);
    assert.deepEqual(
      names.filter((name) => /milli|minute|hour|kilo|mega|_total$/.test(name)),
      [],
    );
  });
});
