import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  type CommandOptions,
  type CommandResult,
  type RunningCommand,
  startCommand,
} from "../../support/process/command.js";
import { assertNothingSecret } from "../../support/process/secrets.js";
import { assertReport, type ObservedReport } from "./report-contract.js";

export interface ObservedResult extends CommandResult {
  /**
   * What `--json` printed: the shape of the contract, and balanced. Throws where the run was not
   * asked for it.
   */
  readonly report: ObservedReport;
}

export interface ObservedRun extends Omit<RunningCommand, "result"> {
  readonly result: Promise<ObservedResult>;
}

/**
 * Runs the binary like `runCommand`, and holds every run to what is true of all: with
 * `--json` one object of the contract's shape on stdout and nothing else there.
 */
export function run(args: readonly string[], options: CommandOptions = {}): Promise<ObservedResult> {
  return start(args, options).result;
}

/** Like `run`, for a test that has something to do meanwhile. */
export function start(args: readonly string[], options: CommandOptions = {}): ObservedRun {
  const running = startCommand(args, options);
  return { ...running, result: running.result.then((result) => observe(args, result)) };
}

function observe(args: readonly string[], result: CommandResult): ObservedResult {
  const { stdout, stderr } = result;
  assertLastWords(args, result);
  if (!args.includes("--json") || stdout === "") {
    return {
      ...result,
      get report(): ObservedReport {
        throw new Error(`The run printed no report:\n${stdout}${stderr}`);
      },
    };
  }
  assert.match(stdout, /^\{.*\}\n$/, "stdout holds one line and nothing else");
  const report: ObservedReport = JSON.parse(stdout);
  assertReport(report, { idsAreShown: args.includes("--show-ids"), mostFailures: 100 });
  assert.equal(report.exitCode, result.exitCode, "the report's exit code is the process's");
  return { ...result, report };
}

/**
 * Holds a run to its last line: what to do next, or why it ended. With `--quiet`, an exit other than
 * 0 prints that line and warnings, and nothing else. A run that was killed has no last line.
 */
function assertLastWords(args: readonly string[], { exitCode, stderr }: CommandResult): void {
  const isHelp = args.some((arg) => /^(-h|--help|-V|--version|help)$/.test(arg));
  // A second signal stops a run at once.
  if (isHelp || exitCode === null || exitCode > 128) return;
  const isQuiet = args.includes("--quiet") || args.includes("-q");
  const said = asksForJsonLines(args) ? textOf(stderr) : stderr;
  // What is indented goes on with the line above it.
  const lines = said.split("\n").filter((line) => line !== "" && !line.startsWith(" "));
  assert.deepEqual(
    lines.filter((line) => line.startsWith("tele-sessions:")),
    [],
  );
  if (isQuiet) {
    // The state that a signal asked for is said too.
    const words = lines.filter((line) => !/^(?:\x1b\[\d+m)?warning: |, \d+ threads?, .* elapsed$/.test(line));
    assert.equal(words.length, exitCode === 0 ? 0 : 1, stderr);
  }
  if (exitCode !== 0) assert.match(lines.at(-1) ?? "", new RegExp(`^(?:\\x1b\\[\\d+m)?Exit ${exitCode}: .`), stderr);
  else if (!isQuiet) assert.match(lines.at(-1) ?? "", /^Next {2}./, stderr);
}

function asksForJsonLines(args: readonly string[]): boolean {
  return args.join(" ").includes("--log-format json");
}

/** What people would read. Every line of stderr has to be an object, and the last one an `end`. */
function textOf(stderr: string): string {
  const objects = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(objects.at(-1)?.event, "end", stderr);
  return objects
    .filter(({ text }) => text !== "")
    .map(({ event, text }) => (/^(warning|error)$/.test(event) ? `${event}: ${text}` : text))
    .join("\n");
}

/** The report file of a finished run, held to the same contract; every failure stands in it. */
export function readReportFile(path: string): ObservedReport {
  const text = readFileSync(path, "utf8");
  assertNothingSecret(text);
  const report: ObservedReport = JSON.parse(text);
  assertReport(report, { idsAreShown: false, mostFailures: Number.POSITIVE_INFINITY });
  return report;
}
