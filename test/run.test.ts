import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeTemporaryDirectory, temporaryVariable } from "./support/process/temporary-directory.js";

const head =
  'import { describe, it, test } from "node:test";\nimport assert from "node:assert/strict";\n' +
  'import { setTimeout as later } from "node:timers/promises";\n';

const here = dirname(fileURLToPath(import.meta.url));

/** Runs the files given, by name and content, and returns what the runner printed and returned. */
async function run(
  files: Readonly<Record<string, string>>,
  filters: readonly string[] = [],
  timeLimitMs = 30_000,
): Promise<{ said: string; passed: number; failed: number }> {
  const place = makeTemporaryDirectory();
  const directory = join(place, "tests");
  mkdirSync(directory);
  writeFileSync(join(place, "package.json"), '{"type": "module"}');
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), head + content);
  }
  const runner = join(place, "runner.js");
  writeFileSync(
    runner,
    `import { runTestFiles } from ${JSON.stringify(join(here, "support", "run-test-files.js"))};
     console.log(JSON.stringify(await runTestFiles(${JSON.stringify({ directory, filters, timeLimitMs })})));`,
  );
  // node:test runs no files within a test file.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [runner], { env: environment });
  const lines = stdout.trimEnd().split("\n");
  return { ...JSON.parse(lines.pop() ?? ""), said: lines.join("\n") };
}

test("tests and subtests are counted, suites are not, the diagnostics are shown", async () => {
  const { said, ...counts } = await run({
    "one.test.js": 'test("a", (t) => t.diagnostic("200 rows"));\ndescribe("s", () => { it("b", () => {}); });',
    "deep/two.test.js": 'test("c", () => console.log("chatter"));',
    "deep/not-a-test.js": 'throw new Error("never loaded");',
  });
  assert.deepEqual(counts, { passed: 3, failed: 0 }, said);
  assert.match(said, /^ok {6}2 passed {2,}[\d.]+ s {2}one\n {5}200 rows$/m);
  assert.match(said, /^ok {6}1 passed {2,}[\d.]+ s {2}deep\/two$/m);
  assert.doesNotMatch(said, /chatter/);
});

const unreported = 'test("a", () => {}); test("b", async () => { await later(100); process.exit(0); });';

const failing: readonly (readonly [title: string, content: string, passed: number, shown: RegExp])[] = [
  ["a test that fails", 'test("a", () => assert.equal(1, 2));', 0, /- a\n[\s\S]*1 !== 2/],
  [
    "a subtest that fails",
    'test("p", async (t) => { await t.test("c", () => assert.fail("told")); await t.test("d", () => {}); });',
    1,
    /- p > c\n[\s\S]*told/,
  ],
  ["a suite that throws", 'describe("s", () => { throw new Error("told"); });', 0, /- s\n[\s\S]*told/],
  ["a file that does not load", 'import "./absent.js";', 0, /Cannot find module/],
  ["a file without tests", "", 0, /has no tests/],
  ["a file of empty suites", 'describe("s", () => {});', 0, /has no tests/],
  ["a skipped test", 'test("a", () => {}); test.skip("b", () => {});', 1, /- b\n.*skipped/],
  ["a test still to do", 'test("a", () => {}); test.todo("b");', 1, /- b\n.*to do/],
  [
    "a bad exit code",
    'test("a", () => {}); process.on("exit", () => { process.exitCode = 7; });',
    1,
    /ended with exit code 7/,
  ],
  ["a crash", 'test("a", () => process.kill(process.pid, "SIGKILL"));', 0, /ended by SIGKILL/],
  ["an exit before any result", 'test("a", () => process.exit(0));', 0, /ended before them/],
  ["an exit between two tests", unreported, 1, /ended before its tests; the last that it began: b/],
  [
    "a test that leaves a clue",
    'test("a", () => { console.error("a clue"); assert.fail(); });',
    0,
    /What it wrote:\n\s+a clue/,
  ],
];

for (const [title, content, passed, shown] of failing) {
  test(`${title} fails the run`, async () => {
    const { said, ...counts } = await run({ "bad.test.js": content });
    assert.deepEqual(counts, { passed, failed: 1 }, said);
    assert.match(said, shown);
  });
}

test("a file that hangs is ended, and the test it hung in is named", async () => {
  const hanging = 'test("sleeper", () => new Promise(() => setInterval(() => {}, 1000)));';
  const { said, ...counts } = await run({ "bad.test.js": hanging }, [], 5000);
  assert.deepEqual(counts, { passed: 0, failed: 1 });
  assert.match(said, /was not over in time.*; the last that it began: sleeper/);
});

test("filters choose files by a part of their path, and must match one", async () => {
  const files = {
    "redis/one.test.js": 'test("a", () => {});',
    "cli/two.test.js": 'test("b", () => assert.fail());',
  };
  assert.equal((await run(files, ["redis/"])).failed, 0);
  assert.equal((await run(files, ["one", "two"])).failed, 1);
  const said = "No test file matches nowhere.";
  assert.deepEqual(await run(files, ["nowhere"]), { passed: 0, failed: 1, said });
});

test("the last line counts, and a run without a passed test fails", () => {
  const { status, stdout } = spawnSync(process.execPath, [join(here, "run.js"), "nowhere"], {
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.equal(stdout, "No test file matches nowhere.\n0 passed, 1 failed\n");
});

test("what a file makes in the runner's temporary directory outlives the file", () => {
  const support = JSON.stringify(join(here, "support", "process", "temporary-directory.js"));
  const script = `import(${support}).then((made) => console.log(made.makeTemporaryDirectory()))`;
  const place = makeTemporaryDirectory();
  const { stdout } = spawnSync(process.execPath, ["-e", script], {
    env: { ...process.env, [temporaryVariable]: place },
    encoding: "utf8",
  });
  assert.equal(dirname(dirname(stdout)), place);
  assert(existsSync(stdout.trim()));
});

test("a run without a Redis says in a sentence what to install, and fails", () => {
  const runner = join(here, "run.js");
  const { status, stdout } = spawnSync(process.execPath, [runner, "nothing"], {
    env: { PATH: makeTemporaryDirectory(), TELE_SESSIONS_NO_INSTALL: "1" },
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stdout, /^A Redis server is missing: put [^\n]*\.\n0 passed, 1 failed\n$/);
});
