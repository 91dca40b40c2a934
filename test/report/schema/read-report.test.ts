import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SettingsError } from "../../../src/model/errors.js";
import { readReport } from "../../../src/report/schema/read-report.js";
import { reportSchema } from "../../../src/report/schema/report-schema.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { sampleReport } from "../../support/reports/sample-report.js";

const directory = makeTemporaryDirectory();
const fixtures = join(projectRoot, "fixtures", "reports");

function written(text: string): string {
  const path = join(directory, "r.json");
  writeFileSync(path, text);
  return path;
}

describe("read-report: reads what this version and older ones wrote", () => {
  it("a report of this version comes back whole", () => {
    const report = sampleReport({
      byReason: { corrupt: 1 },
      failures: [{ session: "abcdef…", file: "/srv/s/x", reason: "corrupt", detail: "", suspicious: true }],
      redis: {
        version: "7.2.4",
        runId: null,
        role: "master",
        persistence: null,
        memoryBefore: 1,
        memoryAfter: 2,
        memoryLimit: 0,
        evicted: null,
      },
    });
    assert.deepEqual(readReport(written(JSON.stringify(report))), report);
  });

  for (const name of readdirSync(fixtures)) {
    it(`${name}: keeps every count, and what it lacks is null or empty`, () => {
      const path = join(fixtures, name);
      const old = JSON.parse(readFileSync(path, "utf8"));
      assert.equal(old.schemaVersion, undefined);
      const report = readReport(path);
      const { retracted, ...sessions } = report.sessions;
      assert.deepEqual({ retracted, ...sessions }, { retracted: 0, ...old.sessions });
      for (const key of ["version", "passes", "failuresOmitted", "bytes", "warnings"] as const) {
        assert.deepEqual(report[key], old[key], key);
      }
      assert.deepEqual(
        report.failures.map(({ file, ...failure }) => ({ file, ...failure })),
        old.failures.map((failure: object) => ({ file: "", ...failure })),
      );
      assert.deepEqual(report.differences, old.differences ?? []);
      assert.deepEqual(
        [report.schemaVersion, report.startedAt, report.redis, report.settings, report.throughput.samples],
        [1, null, null, [], []],
      );
      const failed = Object.values(report.byReason).reduce((sum, count) => sum + count, 0);
      assert.equal(failed, report.failures.length);
      assert.deepEqual(reportSchema.parse(report), report);
    });
  }
});

describe("read-report: refuses what is no report, and names the file", () => {
  const report = sampleReport();
  const rows: readonly (readonly [name: string, text: string, why: RegExp])[] = [
    ["an empty file", "", /is not a report: it is not JSON/],
    ["half a report", JSON.stringify(report).slice(0, 90), /is not a report: it is not JSON/],
    ["another object", '{"tool": "restic"}', /is not a report of tele-sessions/],
    ["a list", "[1]", /is not a report of tele-sessions/],
    ["null", "null", /is not a report of tele-sessions/],
    ["what inspect prints", JSON.stringify({ ...report, command: "inspect" }), /is what `inspect` printed/],
    ["what check prints", JSON.stringify({ ...report, command: "check" }), /is what `check` printed/],
    [
      "a newer schema",
      JSON.stringify({ tool: "tele-sessions", version: "9.1.0", schemaVersion: 2 }),
      /later version, tele-sessions 9\.1\.0 \(schema version 2; this one reads up to 1\): use that version/,
    ],
    [
      "a count that is none",
      JSON.stringify({ ...report, sessions: { ...report.sessions, found: -1 } }),
      /see its key sessions\.found/,
    ],
    [
      "a key that names a path with control characters",
      JSON.stringify({ ...report, databases: { "\u001b[2J": "x" } }),
      /see its key databases\.\\u001b\[2J/,
    ],
  ];
  for (const [name, text, why] of rows) {
    it(name, () => {
      const path = written(text);
      assert.throws(
        () => readReport(path),
        (error) =>
          error instanceof SettingsError &&
          error.message.startsWith(`report: ${path} `) &&
          why.test(error.message) &&
          !error.message.includes("\u001b"),
      );
    });
  }

  it("a file that is missing", () => {
    assert.throws(
      () => readReport(join(directory, "none")),
      /none cannot be read: no such file or directory; check the path \(ENOENT\)/,
    );
  });
});
