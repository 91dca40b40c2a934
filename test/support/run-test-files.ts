import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";

export interface TestRun {
  /** The directory of compiled tests. */
  readonly directory: string;
  /** Only files whose path holds one of these run; all of them if there are none. */
  readonly filters: readonly string[];
  /** For each file, milliseconds. */
  readonly timeLimitMs: number;
}

export interface TestCounts {
  passed: number;
  /** Tests that failed, are skipped or to do, and files that did not end well. */
  failed: number;
}

/** The parts of node:test's events that are read here. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string;
    readonly line?: number;
    readonly message: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details: { readonly type?: string; readonly error: TestError };
  };
}

interface TestError extends Error {
  readonly failureType: string;
  /** Of a file that did not end well. */
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

/** How many files run at a time. */
const concurrency = 4;

/**
 * Runs every `*.test.js` in a process of its own; prints a line for each and its failures in full.
 */
export async function runTestFiles({ directory, filters, timeLimitMs }: TestRun): Promise<TestCounts> {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.js"))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort((one, other) => turnOf(one) - turnOf(other) || (one < other ? -1 : 1));
  const total: TestCounts = { passed: 0, failed: 0 };
  if (files.length === 0) {
    console.log(`No test file ${filters.length === 0 ? "is there" : `matches ${filters.join(" ")}`}.`);
    total.failed = 1;
  }
  async function takeFiles(): Promise<void> {
    for (let path = files.shift(); path !== undefined; path = files.shift()) {
      const { passed, failed } = await runTestFile(directory, path, timeLimitMs);
      total.passed += passed;
      total.failed += failed;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, takeFiles));
  return total;
}

/** Sweeps first and end-to-end tests after them, so that nothing waits for what takes long. */
function turnOf(path: string): number {
  if (!path.includes("/")) return 0;
  return path.startsWith("end-to-end/") ? 1 : 2;
}

async function runTestFile(directory: string, relative: string, timeLimitMs: number): Promise<TestCounts> {
  const file = join(directory, relative);
  const began = performance.now();
  let passed = 0;
  const failures: string[] = [];
  const notes: string[] = [];
  let written = "";
  const path: string[] = [];
  let ending: string | undefined;
  let unfinished = 0;
  let lastBegun = "";
  // `timeout` would go to the tests of the file; a signal ends its process.
  const events: AsyncIterable<TestEvent> = run({ files: [file], signal: AbortSignal.timeout(timeLimitMs) });
  for await (const { type, data } of events) {
    const { name, nesting, details } = data;
    // A file is a test too, but it is reported only if it has no others or did not end well.
    const isFile = name === file;
    if (type === "test:stdout" || type === "test:stderr") written += data.message;
    // Those without a file are node:test's own sums.
    if (type === "test:diagnostic" && data.file !== undefined) notes.push(data.message);
    if (isFile) {
      if (type === "test:fail") ending = describeEnd(details.error);
      continue;
    }
    if (type === "test:enqueue") unfinished += 1;
    if (type === "test:dequeue") lastBegun = name;
    if (type === "test:start") path.splice(nesting, path.length, name);
    if (type !== "test:pass" && type !== "test:fail") continue;
    unfinished -= 1;
    const fullName = [...path.slice(0, nesting), name].join(" > ");
    if (type === "test:fail") {
      // It only failed because of its subtests, which count themselves.
      if (details.error.failureType === "subtestsFailed") continue;
      failures.push(`${fullName}\n${describe(details.error)}\nat ${data.file}:${data.line}`);
    } else if (data.skip !== undefined || data.todo !== undefined) {
      failures.push(`${fullName}\nskipped or to do: no test is`);
    } else if (details.type !== "suite") passed += 1;
  }
  if (unfinished > 0) ending = `${ending ?? "the file ended before its tests"}; the last that it began: ${lastBegun}`;
  if (passed === 0 && failures.length === 0) ending ??= "the file has no tests, or ended before them";
  if (ending !== undefined) failures.push(ending);

  const failed = failures.length;
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
  const name = relative.replace(/\.test\.js$/, "");
  const head = `${String(passed).padStart(4)} passed  ${seconds} s  ${name}`;
  console.log(failed === 0 ? `ok   ${head}` : `FAIL ${head}: ${failed} failed`);
  const details = [...notes, ...failures.map((failure) => `- ${failure}`)];
  if (failed > 0 && written.trim() !== "") details.push(`What it wrote:\n${written.trimEnd()}`);
  for (const text of details) console.log(text.replaceAll(/^/gm, "     "));
  return { passed, failed };
}

function describeEnd({ message, exitCode, signal }: TestError): string {
  if (signal != null) return `the file was ended by ${signal}`;
  return exitCode == null ? `the file was not over in time: ${message}` : `the file ended with exit code ${exitCode}`;
}

function describe(error: TestError): string {
  const text = inspect(error.cause ?? error, { depth: 8, maxStringLength: 4000, breakLength: 110 });
  return text.replaceAll(/^ +at .*node:internal.*\n/gm, "");
}
