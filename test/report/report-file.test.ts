import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ReportError, SettingsError } from "../../src/model/errors.js";
import { ReportFile } from "../../src/report/report-file.js";
import type { Report, ReportedFailure } from "../../src/report/schema/report-schema.js";
import { callUnprivileged } from "../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { sampleReport } from "../support/reports/sample-report.js";

const failureOf = (index: number): ReportedFailure => ({
  session: `${index}…`,
  file: `/srv/s/werkzeug_${index}….sess`,
  reason: "corrupt",
  detail: `"quoted" \\ \u0007 ü ${index}`,
});

describe("report-file: holds every failure (spec.md section 5)", () => {
  for (const count of [0, 1, 1000]) {
    it(`${count} failures: complete, valid JSON, mode 0600, no temporary file left`, () => {
      const directory = makeTemporaryDirectory();
      const path = join(directory, "report.json");
      const file = new ReportFile(path);
      assert(!existsSync(path));
      assert.equal(readdirSync(directory).length, 1);
      const all = Array.from({ length: count }, (_, index) => failureOf(index));
      for (const failure of all) file.addFailure(failure);
      const report = sampleReport({ failures: all.slice(0, 100), failuresOmitted: Math.max(0, count - 100) });
      file.finish(report);
      assert.deepEqual(readdirSync(directory), ["report.json"]);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const written: Report = JSON.parse(readFileSync(path, "utf8"));
      assert.deepEqual(written, { ...report, failures: all, failuresOmitted: 0 });
    });
  }

  it("failures are written as they happen", () => {
    const directory = makeTemporaryDirectory();
    const file = new ReportFile(join(directory, "r"));
    file.addFailure(failureOf(7));
    const [name = ""] = readdirSync(directory);
    assert.match(readFileSync(join(directory, name), "utf8"), /"7…"/);
    file.finish(sampleReport());
    assert.deepEqual(readdirSync(directory), ["r"]);
  });

  it("replaces an older report in one step, with mode 0600", () => {
    const path = join(makeTemporaryDirectory(), "r");
    writeFileSync(path, "old", { mode: 0o644 });
    const file = new ReportFile(path);
    assert.equal(readFileSync(path, "utf8"), "old");
    file.finish(sampleReport());
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(JSON.parse(readFileSync(path, "utf8")).tool, "tele-sessions");
  });
});

describe("report-file: refuses a path that cannot be written, before the run", () => {
  const rows: readonly (readonly [name: string, make: (directory: string) => string])[] = [
    ["a missing directory", (directory) => join(directory, "none", "r")],
    [
      "a file on the way",
      (directory) => {
        writeFileSync(join(directory, "f"), "");
        return join(directory, "f", "r");
      },
    ],
    [
      "a directory in its place",
      (directory) => {
        mkdirSync(join(directory, "r"));
        return join(directory, "r");
      },
    ],
    ["a name that is too long", (directory) => join(directory, "x".repeat(300))],
    [
      "a pipe in its place",
      (directory) => {
        execFileSync("mkfifo", [join(directory, "r")]);
        return join(directory, "r");
      },
    ],
  ];
  for (const [name, make] of rows) {
    it(name, () => {
      const path = make(makeTemporaryDirectory());
      assert.throws(
        () => new ReportFile(path),
        (error) => error instanceof SettingsError && error.message.startsWith("--report: "),
      );
    });
  }

  it("a directory without write permission", () => {
    const directory = makeTemporaryDirectory();
    const closed = join(directory, "closed");
    mkdirSync(closed, { mode: 0o500 });
    const caught = callUnprivileged<{ name: string; message: string } | null>(
      directory,
      new URL("../../src/report/report-file.js", import.meta.url),
      `try { new module.ReportFile(${JSON.stringify(join(closed, "r"))}); return null; }
       catch (error) { return { name: error.name, message: error.message }; }`,
    );
    assert.equal(caught?.name, "SettingsError");
    assert.match(caught?.message ?? "", /EACCES/);
  });

  it("a long name is fine, because the temporary name does not contain it", () => {
    const path = join(makeTemporaryDirectory(), "x".repeat(250));
    new ReportFile(path).finish(sampleReport());
    assert(existsSync(path));
  });
});

describe("report-file: reports a failed write at the end", () => {
  it("no space left: ReportError, the older report stays, no temporary file left", () => {
    const directory = makeTemporaryDirectory();
    const path = join(directory, "r");
    writeFileSync(path, "old");
    const module = new URL("../../src/report/report-file.js", import.meta.url).href;
    const script = `
      const { ReportFile } = await import(${JSON.stringify(module)});
      const file = new ReportFile(${JSON.stringify(path)});
      const failure = { session: "s", reason: "corrupt", detail: "x".repeat(100) };
      for (let index = 0; index < 1000; index++) file.addFailure(failure);
      try { file.finish(${JSON.stringify(sampleReport())}); process.stdout.write("finished"); }
      catch (error) { process.stdout.write(error.name + ": " + error.message); }`;
    // A limit of 8 blocks for files: writing beyond it fails as on a full disk.
    const limited = ["-c", 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script];
    const { stdout, stderr } = spawnSync("sh", limited, { encoding: "utf8" });
    assert.match(stdout, /^ReportError: the report .* could not be written: file too large \(EFBIG\)$/, stderr);
    assert.deepEqual(readdirSync(directory), ["r"]);
    assert.equal(readFileSync(path, "utf8"), "old");
  });

  it("a directory took its place during the run: ReportError, no temporary file left", () => {
    const directory = makeTemporaryDirectory();
    const path = join(directory, "r");
    const file = new ReportFile(path);
    mkdirSync(path);
    assert.throws(() => file.finish(sampleReport()), ReportError);
    assert(lstatSync(path).isDirectory());
    assert.deepEqual(readdirSync(directory), ["r"]);
  });
});
