import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ReportError, SettingsError } from "../../src/model/errors.js";
import { TerminationLog, terminationText } from "../../src/report/termination-log.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const words = {
  errors: ["Redis is gone"],
  summary: "FAILED: 3 of 4\n\n  in Redis  3",
  end: "Exit 3: try again",
};

describe("termination-log: the closing words, the most important first", () => {
  it("of a run that did not end well: why, errors, summary, warnings", () =>
    assert.equal(
      terminationText(words, ["one"], 3),
      "Exit 3: try again\nerror: Redis is gone\nFAILED: 3 of 4\n  in Redis  3\nwarning: one\n",
    ));

  it("of a run that ended well: summary, what is next, warnings", () =>
    assert.equal(
      terminationText({ errors: [], summary: "Done.", end: "Next  verify" }, ["one"], 0),
      "Done.\nNext  verify\nwarning: one\n",
    ));

  it("at most 4096 bytes, cut at the end of a line", () => {
    const warnings = Array.from({ length: 200 }, (_, index) => `${index} ${"\u00e4".repeat(30)}`);
    const text = terminationText(words, warnings, 3);
    const bytes = Buffer.byteLength(text);
    assert.ok(bytes <= 4096 && bytes > 4096 - 80, `${bytes} bytes`);
    assert.match(text, /^Exit 3: try again\n/);
    assert.match(text, /warning: \d+ \u00e4{30}\n$/);
  });

  it("a first line that is too long is cut between two characters", () => {
    for (const length of [4095, 4096, 4097, 9000]) {
      const text = terminationText({ errors: [], summary: "", end: `x${"\u{1f600}".repeat(length)}` }, [], 3);
      assert.ok(Buffer.byteLength(text) <= 4096);
      assert.match(text, /^x(\u{1f600}){1000,}\n$/u);
    }
  });
});

describe("termination-log: the file", () => {
  it("is written in place, and emptied before: it may be mounted, and hold an earlier run's words", () => {
    const directory = makeTemporaryDirectory();
    const [path, other] = [join(directory, "log"), join(directory, "other")];
    writeFileSync(path, "the words of an earlier run, which were longer");
    linkSync(path, other);
    const inode = statSync(path).ino;
    const log = new TerminationLog(path);
    assert.equal(readFileSync(path, "utf8"), "");
    log.finish("Exit 3\n");
    assert.equal(statSync(path).ino, inode);
    assert.equal(readFileSync(other, "utf8"), "Exit 3\n");
  });

  it("what cannot be written is refused at the start", () => {
    const directory = makeTemporaryDirectory();
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    mkdirSync(join(directory, "d"));
    for (const path of [join(directory, "none", "log"), join(directory, "d"), pipe]) {
      assert.throws(() => new TerminationLog(path), SettingsError, path);
    }
  });

  it("a disk that is full shows at the end", () => {
    const log = new TerminationLog("/dev/full");
    assert.throws(() => log.finish("Done.\n"), ReportError);
  });
});
