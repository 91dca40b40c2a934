import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ReportError } from "../../src/model/errors.js";
import type { Failure } from "../../src/model/outcome.js";
import { PageFile } from "../../src/report/page-file.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { sampleReport } from "../support/reports/sample-report.js";

const failureOf = (index: number, suspicious = false): Failure => ({
  sid: `${String(index).padStart(6, "0")}${"a".repeat(34)}`,
  path: `/srv/s/${index}`,
  reason: "corrupt",
  detail: "",
  ...(suspicious ? { suspicious: true } : {}),
});

describe("page-file: the file of --html", () => {
  it("takes its place when it is complete, with mode 0600, and replaces an older one", () => {
    const directory = makeTemporaryDirectory();
    const path = join(directory, "p.html");
    writeFileSync(path, "old", { mode: 0o644 });
    const file = new PageFile(path);
    assert.equal(readFileSync(path, "utf8"), "old");
    file.finish("<!doctype html>");
    assert.deepEqual(
      [readFileSync(path, "utf8"), statSync(path).mode & 0o777, readdirSync(directory)],
      ["<!doctype html>", 0o600, ["p.html"]],
    );
  });

  it("a directory took its place during the run: ReportError, no temporary file left", () => {
    const directory = makeTemporaryDirectory();
    const path = join(directory, "p.html");
    const file = new PageFile(path);
    mkdirSync(path);
    assert.throws(() => file.finish("page"), ReportError);
    assert.deepEqual(readdirSync(directory), ["p.html"]);
  });

  it("a run that ends without a page leaves nothing", () => {
    const directory = makeTemporaryDirectory();
    new PageFile(join(directory, "p.html")).discard();
    assert.deepEqual(readdirSync(directory), []);
  });

  it("keeps 1,000 of many failures, suspicious ones first, and counts the others", () => {
    const file = new PageFile(join(makeTemporaryDirectory(), "p.html"));
    for (let index = 0; index < 5000; index++) file.addFailure(failureOf(index, index % 2000 === 1999));
    const report = sampleReport({ failures: [], failuresOmitted: 5000 });
    const { failures, failuresOmitted } = file.withFindings(report);
    assert.deepEqual([failures.length, failuresOmitted], [1000, 4000]);
    assert.deepEqual(
      failures.slice(0, 3).map(({ session }) => session),
      ["001999…", "003999…", "000000…"],
    );
    file.forgetFindings();
    file.addFailure(failureOf(7));
    assert.deepEqual(
      file.withFindings(sampleReport({ failuresOmitted: 1 })).failures.map(({ session }) => session),
      ["000007…"],
    );
    file.discard();
  });
});
