import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { caretaker } from "./caretaker.js";
import type { TestEvent } from "./event-reporter.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "./temporary-directory.js";

/** What came of one test file. */
export interface TestFileResult {
  readonly passed: number;
  /** One text for each failure. A skipped test, a file without tests and a file that ended badly are failures too. */
  readonly failures: readonly string[];
  /** What its tests reported by `t.diagnostic`. */
  readonly said: readonly string[];
  /** What it wrote to stdout and stderr. */
  readonly written: string;
  readonly seconds: number;
}

const reporter = join(dirname(fileURLToPath(import.meta.url)), "event-reporter.js");

/** Runs one compiled test file in a process of its own; it is killed when the time is up. */
export async function runTestFile(
  path: string,
  environment: NodeJS.ProcessEnv,
  timeLimitMs: number,
): Promise<TestFileResult> {
  const directory = makeTemporaryDirectory();
  const eventFile = join(directory, "events");
  const began = performance.now();
  const { ending, written } = await runNode(
    [`--test-reporter=${reporter}`, `--test-reporter-destination=${eventFile}`, path],
    environment,
    timeLimitMs,
  );
  const events = existsSync(eventFile) ? readEvents(readFileSync(eventFile, "utf8")) : [];
  removeTemporaryDirectory(directory);

  const passed = events.filter((event) => event.kind === "passed" && !event.skipped).length;
  const failures = events.flatMap(describeFailure);
  if (ending !== undefined && (failures.length === 0 || !ending.startsWith("ended with exit code"))) {
    failures.push([`the file ${ending}`, ...describeUnfinished(events)].join("; "));
  }
  if (ending === undefined && !events.some((event) => event.kind === "ended")) {
    failures.push(["the file has no tests, or ended before them", ...describeUnfinished(events)].join("; "));
  }
  if (passed === 0 && failures.length === 0) failures.push("the file has no tests, suites only");
  return {
    passed,
    failures,
    said: events.flatMap((event) => (event.kind === "said" ? [event.text] : [])),
    written,
    seconds: (performance.now() - began) / 1000,
  };
}

function runNode(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  timeLimitMs: number,
): Promise<{ ending: string | undefined; written: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const spare = child.pid === undefined ? () => undefined : caretaker.killAtEnd(child.pid);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));

    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeLimitMs);
    child.once("exit", (code, signal) => {
      clearTimeout(limit);
      spare();
      // What it started may hold its output open; its own words have been read by now or will be at once.
      const close = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, 1000);
      child.once("close", () => {
        clearTimeout(close);
        resolve({
          ending: describeEnding(late, timeLimitMs, code, signal),
          written: Buffer.concat(chunks).toString(),
        });
      });
    });
  });
}

function describeEnding(
  late: boolean,
  timeLimitMs: number,
  code: number | null,
  signal: NodeJS.Signals | null,
): string | undefined {
  if (late) return `was not over after ${timeLimitMs / 1000} s`;
  if (signal !== null) return `was ended by ${signal}`;
  return code === 0 ? undefined : `ended with exit code ${code}`;
}

function readEvents(text: string): TestEvent[] {
  // The last line of a file that was killed may be cut short.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line): TestEvent => JSON.parse(line));
}

function describeFailure(event: TestEvent): string[] {
  if (event.kind === "failed") return [`${event.name}\n${event.error}\nat ${event.where}`];
  if (event.kind === "passed" && event.skipped) return [`${event.name}\nskipped: no test is`];
  return [];
}

function describeUnfinished(events: readonly TestEvent[]): string[] {
  const started = events.flatMap((event) => (event.kind === "started" ? [event.name] : []));
  const last = started.at(-1);
  return last === undefined ? [] : [`the last test that it began: ${last}`];
}
