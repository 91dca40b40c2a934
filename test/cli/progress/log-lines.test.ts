import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { jsonLines, logEvents, textLines } from "../../../src/cli/progress/log-line.js";
import { type LogOptions, logReporter } from "../../../src/cli/progress/log-reporter.js";
import { progressFacts } from "../../../src/cli/progress/progress-facts.js";
import { asksForJsonLines } from "../../../src/cli/unparsed.js";
import { outcomesOf } from "../../../src/model/outcome.js";
import { RunProgress } from "../../../src/model/progress/run-progress.js";
import { newRunRecord } from "../../../src/model/run-record.js";
import { textStyle } from "../../../src/report/text-style.js";
import { projectRoot } from "../../support/project.js";
import { copying } from "../../support/terminal/progress-states.js";

const text = textLines(textStyle(false));

/** A run that reports to a log, with a clock that the test sets. */
function logOf(t: TestContext, options: Partial<LogOptions> = {}) {
  t.mock.timers.enable({ apis: ["setInterval", "Date"] });
  t.mock.method(performance, "now", () => Date.now());
  let written = "";
  t.mock.method(process.stderr, "write", (line: string) => {
    written += line;
    return true;
  });
  const record = newRunRecord(outcomesOf.copy);
  record.directories = ["/srv/s"];
  record.redis = "redis-1:6379/0";
  const progress = new RunProgress(record, false);
  const reporter = logReporter(progress, { format: text, showsProgress: true, showsWaits: true, ...options });
  t.after(() => reporter.end());
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) t.mock.timers.tick(1000);
  };
  const take = (): string[] => {
    const lines = written.split("\n").filter((line) => line !== "");
    written = "";
    return lines;
  };
  return { progress, reporter, pass, take };
}

describe("log-reporter", () => {
  it("a copy: connecting at once, from, to and total at once, then a line every ten seconds", (t) => {
    const { progress, pass, take } = logOf(t);
    progress.enter({ name: "listing", done: () => 0 });
    progress.enter({ name: "connecting" });
    assert.deepEqual(take(), ["Connecting to redis-1:6379/0 ..."]);
    progress.enter({ name: "preparing" });
    let done = 0;
    progress.enter({ name: "copying", pass: 1, total: 20_000, done: () => done });
    assert.deepEqual(take(), ["Copying 20,000 session files from /srv/s to redis-1:6379/0"]);
    for (let second = 0; second < 25; second++) {
      done += 100;
      pass(1);
    }
    assert.deepEqual(take(), [
      "copying 5%, 1,000 of 20,000, 100/s, about 3 min 10 s left",
      "copying 10%, 2,000 of 20,000, 100/s, about 3 min 0 s left",
    ]);
    progress.enter({ name: "settling", pass: 2, total: 20_000, done: () => 5000 });
    assert.deepEqual(take(), [], "a phase that is short is not worth a line");
    pass(10);
    assert.deepEqual(take(), ["settling 25%, 5,000 of 20,000, 0/s"]);
  });

  it("a listing is told after a second, then every ten", (t) => {
    const { progress, pass, take } = logOf(t);
    progress.enter({ name: "listing", done: () => 7 });
    assert.deepEqual(take(), []);
    pass(1);
    assert.deepEqual(take(), ["Listing /srv/s ..."]);
    pass(10);
    assert.deepEqual(take(), ["listing, 7 session files so far, 0/s"]);
  });

  it("a wait: at once with what to do, every ten seconds, and its end", (t) => {
    const { progress, pass, take } = logOf(t);
    progress.wait({ target: "redis", why: "connection refused", sinceMs: 0, untilMs: 300_000 });
    assert.deepEqual(take(), [
      "Waiting for Redis at redis-1:6379: connection refused, 0 s; trying for 5 min 0 s more (--retry-for). " +
        "Nothing is lost; Ctrl-C stops here, and running it again goes on.",
    ]);
    pass(23);
    assert.deepEqual(take(), [
      "Waiting for Redis at redis-1:6379: connection refused, 10 s; trying for 4 min 50 s more (--retry-for)",
      "Waiting for Redis at redis-1:6379: connection refused, 20 s; trying for 4 min 40 s more (--retry-for)",
    ]);
    progress.goOn("redis");
    assert.deepEqual(take(), ["Redis is back after 23 s"]);
    pass(30);
    assert.deepEqual(take(), []);
  });

  const shown = [
    ["--no-progress: only waits", { showsProgress: false }, ["Waiting for Redis", "Redis is back"]],
    ["--quiet: nothing", { showsProgress: false, showsWaits: false }, []],
  ] as const;
  for (const [name, options, starts] of shown) {
    it(name, (t) => {
      const { progress, pass, take } = logOf(t, options);
      progress.enter({ name: "connecting" });
      progress.enter({ name: "copying", total: 5, done: () => 1 });
      pass(15);
      progress.wait({ target: "redis", why: "no answer", sinceMs: 15_000, untilMs: 60_000 });
      progress.goOn("redis");
      const lines = take();
      assert.deepEqual(
        lines.map((line) => starts.find((start) => line.startsWith(start))),
        starts,
      );
    });
  }

  it("says nothing of the progress after its end, but still says what it is given", (t) => {
    const { progress, reporter, pass, take } = logOf(t);
    reporter.end();
    progress.enter({ name: "copying", total: 5, done: () => 1 });
    pass(30);
    reporter.say("error", "it broke");
    assert.deepEqual(take(), ["error: it broke"]);
  });
});

describe("log-line", () => {
  const rows = [
    ["warning", "x", "warning: x\n"],
    ["error", "x", "error: x\n"],
    ["progress", "x", "x\n"],
    ["waiting", "x", "x\n"],
    ["phase", "x", ""],
    ["end", "", ""],
  ] as const;
  for (const [event, words, line] of rows)
    it(`for people: ${event} ${JSON.stringify(words)}`, () => assert.equal(text(event, words), line));

  it("for programs: one line, whatever is in it", () => {
    const line = jsonLines("error", 'two\nlines, "quoted"', { exitCode: 3 });
    assert.match(line, /^[^\n]*\n$/);
    const { time, ...rest } = JSON.parse(line);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, { event: "error", text: 'two\nlines, "quoted"', exitCode: 3 });
  });

  for (const [words, asks] of [
    [["copy", "--log-format", "json"], true],
    [["copy", "--log-format=json"], true],
    [["copy", "--log-format", "text"], false],
    [["copy", "--json"], false],
    [["json", "--log-format"], false],
  ] as const)
    it(`${words.join(" ")}: ${asks ? "JSON" : "text"}`, () => assert.equal(asksForJsonLines(words), asks));
});

describe("docs/log-format.md leaves nothing out", () => {
  const [events = "", keys = ""] = readFileSync(join(projectRoot, "docs/log-format.md"), "utf8").split("## Progress");
  const rowsIn = (part: string): string[] =>
    [...part.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) =>
      cell.split(", ").map((one) => one.replaceAll("`", "")),
    );

  it("every event has a row, in the order of the code", () => {
    assert.deepEqual(rowsIn(events), [...logEvents]);
  });

  it("every key of progress has one", () => {
    assert.deepEqual(rowsIn(keys).sort(), Object.keys(progressFacts(copying)).sort());
  });
});
