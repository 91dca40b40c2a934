import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisError, ReportError, SettingsError, SourceError } from "../../src/model/errors.js";
import { exitCodeOf, exitCodes, explainError, explainExitCode, type StopReason } from "../../src/report/exit-code.js";

const bug = new TypeError("undefined is not a function");
const settings = new SettingsError("settings");
const refused = new RedisError("refused", "refused");
const lost = new RedisError("unavailable", "lost");
const source = new SourceError("source");
const report = new ReportError("report");

type Row = readonly [
  name: string,
  errors: unknown[],
  stopped: StopReason | undefined,
  tooManyFailed: boolean,
  expected: number,
];

describe("exit-code: of several, the first of 70, signals, 2, 5, 3, 6, 1, 4, 0 counts (spec.md section 5)", () => {
  const rows: readonly Row[] = [
    ["nothing", [], undefined, false, 0],
    ["too many failed", [], undefined, true, 1],
    ["settings", [settings], undefined, false, 2],
    ["Redis lost", [lost], undefined, false, 3],
    ["the directory", [source], undefined, false, 3],
    ["the report", [report], undefined, false, 3],
    ["Redis refuses", [refused], undefined, false, 5],
    ["a bug", [bug], undefined, false, 70],
    ["a thrown text", ["text"], undefined, false, 70],
    ["a thrown undefined", [undefined], undefined, false, 70],
    ["SIGHUP", [], "SIGHUP", false, 129],
    ["SIGINT", [], "SIGINT", false, 130],
    ["SIGTERM", [], "SIGTERM", false, 143],
    ["out of time", [], "time", false, 6],
    ["a loss before out of time", [lost], "time", false, 3],
    ["a bug before a signal", [bug], "SIGINT", true, 70],
    ["a bug before everything, even if it came last", [settings, refused, lost, bug], undefined, true, 70],
    ["a signal before settings", [settings], "SIGTERM", true, 143],
    ["a signal before the losses it caused", [lost, source], "SIGINT", true, 130],
    ["settings before a refusal", [refused, settings], undefined, true, 2],
    ["a refusal before a loss", [lost, refused], undefined, true, 5],
    ["a loss before failures", [source], undefined, true, 3],
    ["a report that failed before failures", [report], undefined, true, 3],
    ["a refusal before a report that failed", [report, refused], undefined, false, 5],
  ];
  for (const [name, errors, stopped, tooManyFailed, expected] of rows)
    it(`${name}: ${expected}`, () =>
      assert.equal(exitCodeOf({ errors, partial: false }, tooManyFailed, stopped), expected));

  const partial: readonly Row[] = [
    ["differences", [], undefined, false, 4],
    ["failures before differences", [], undefined, true, 1],
    ["out of time before failures and differences", [], "time", true, 6],
    ["a signal before failures and differences", [], "SIGTERM", true, 143],
    ["a loss before out of time and differences", [lost], "time", false, 3],
  ];
  for (const [name, errors, stopped, tooManyFailed, expected] of partial)
    it(`${name}: ${expected}`, () =>
      assert.equal(exitCodeOf({ errors, partial: true }, tooManyFailed, stopped), expected));
});

describe("exit-code: the outcome that a report names", () => {
  const words = {
    complete: [0],
    partial: [1, 4, 6],
    refused: [2, 5],
    interrupted: [129, 130, 143],
    failed: [3, 70],
  };
  for (const [word, codes] of Object.entries(words))
    for (const code of codes) it(`${code}: ${word}`, () => assert.equal(explainExitCode(code).outcome, word));

  it("every exit code has one, and there are no others", () => {
    const documented = exitCodes.map(({ code }) => code).sort((one, other) => one - other);
    assert.deepEqual(
      documented,
      Object.values(words)
        .flat()
        .sort((one, other) => one - other),
    );
  });
});

describe("exit-code: an error as text for people", () => {
  for (const error of [settings, refused, lost, source, report])
    it(`${error.message}: its own message`, () => assert.equal(explainError(error), error.message));

  it("a bug shows its stack, never its message: that may hold a value", () => {
    const text = explainError(new RangeError("a-session-token in two\n lines"));
    assert.match(text, /^a bug in tele-sessions, please report it: RangeError\n\s+at /);
    assert(!text.includes("a-session-token"));
    assert.equal(explainError("a-session-token"), "a bug in tele-sessions, please report it: string");
  });
});
