import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { runTestFile, type TestFileResult } from "./run-test-file.js";
import { searchedVariable } from "./search-output.js";
import {
  makeTemporaryDirectory,
  removeTemporaryDirectory,
  temporaryVariable,
} from "./temporary-directory.js";

export interface TestRun {
  /** The directory of compiled tests. */
  readonly directory: string;
  /** Only files whose path holds one of these are run; all of them where there are none. */
  readonly filters: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** For each file. */
  readonly timeLimitMs: number;
  /** How many files run at a time. */
  readonly concurrency: number;
  readonly say: (text: string) => void;
}

/**
 * Runs every `*.test.js`, says a line for each and its failures in full, and last `N passed, N failed`. Tells whether
 * there was a test and none failed.
 */
export async function runTestFiles({
  directory,
  filters,
  environment,
  timeLimitMs,
  concurrency,
  say,
}: TestRun): Promise<boolean> {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.js"))
    .map((path) => path.split(sep).join("/"))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort((one, other) => turnOf(one) - turnOf(other) || (one < other ? -1 : 1));
  if (files.length === 0)
    say(`No test file ${filters.length === 0 ? "is there" : `matches ${filters.join(" ")}`}.`);

  let passed = 0;
  let failed = files.length === 0 ? 1 : 0;
  const queue = [...files];
  const place = makeTemporaryDirectory();
  const searched = join(place, "searched");
  writeFileSync(searched, "");
  async function takeFiles(): Promise<void> {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const result = await runTestFile(
        join(directory, path),
        { ...environment, [searchedVariable]: searched, [temporaryVariable]: place },
        timeLimitMs,
      );
      passed += result.passed;
      failed += result.failures.length;
      say(describeResult(relative(directory, join(directory, path)), result));
    }
  }
  await Promise.all(Array.from({ length: concurrency }, takeFiles));

  const sizes = readFileSync(searched, "utf8").trimEnd().split("\n").filter(Boolean).map(Number);
  removeTemporaryDirectory(place);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length > 0) {
    say(`Output of ${sizes.length} runs of the binary, ${bytes} bytes, was looked through for secrets.`);
  }
  say(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

/**
 * Sweeps first and end-to-end tests after them: what takes long must not be what the others wait
 * for.
 */
function turnOf(path: string): number {
  if (!path.includes("/")) return 0;
  return path.startsWith("end-to-end/") ? 1 : 2;
}

function describeResult(path: string, { passed, failures, said, written, seconds }: TestFileResult): string {
  const name = path.replace(/\.test\.js$/, "");
  const notes = said.map((text) => `     ${text}`);
  const head = `${String(passed).padStart(4)} passed`;
  if (failures.length === 0)
    return [`ok   ${head}  ${seconds.toFixed(1).padStart(5)} s  ${name}`, ...notes].join("\n");
  return [
    `FAIL ${head}  ${seconds.toFixed(1).padStart(5)} s  ${name}: ${failures.length} failed`,
    ...notes,
    ...failures.map((failure) => indent(`- ${failure}`)),
    ...(written.trim() === "" ? [] : [indent(`What it wrote:\n${written.trimEnd()}`)]),
  ].join("\n");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "     ");
}
