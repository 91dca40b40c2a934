import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runTestFiles } from "./support/run-test-files.js";
import { makeTemporaryDirectory } from "./support/temporary-directory.js";

const head = 'import { describe, it, test } from "node:test";\nimport assert from "node:assert/strict";\n';

/** Runs the files given, by name and content, and gives what the runner said. */
async function run(
  files: Readonly<Record<string, string>>,
  filters: readonly string[] = [],
  timeLimitMs = 30_000,
): Promise<{ succeeded: boolean; said: string; last: string | undefined }> {
  const directory = makeTemporaryDirectory();
  writeFileSync(join(directory, "package.json"), '{"type": "module"}');
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), head + content);
  }
  const lines: string[] = [];
  const say = (text: string): unknown => lines.push(text);
  const environment = process.env;
  const succeeded = await runTestFiles({ directory, filters, environment, timeLimitMs, concurrency: 2, say });
  return { succeeded, said: lines.join("\n"), last: lines.at(-1) };
}

test("tests and subtests are counted, suites are not, the diagnostics are shown", async () => {
  const { succeeded, said, last } = await run({
    "one.test.js":
      'test("a", (t) => t.diagnostic("200 rows"));\ndescribe("s", () => { it("b", () => {}); });',
    "deep/two.test.js": 'test("c", () => console.log("chatter"));',
    "deep/not-a-test.js": 'throw new Error("never loaded");',
  });
  assert.ok(succeeded, said);
  assert.equal(last, "3 passed, 0 failed");
  assert.match(said, /^ok {6}2 passed {2,}[\d.]+ s {2}one\n {5}200 rows$/m);
  assert.match(said, /^ok {6}1 passed {2,}[\d.]+ s {2}deep\/two$/m);
  assert.doesNotMatch(said, /chatter/);
});

const failing: readonly (readonly [title: string, content: string, last: string, shown: RegExp])[] = [
  ["a test that fails", 'test("a", () => assert.equal(1, 2));', "0 passed, 1 failed", /- a\n[\s\S]*1 !== 2/],
  [
    "a subtest that fails",
    'test("p", async (t) => { await t.test("c", () => assert.fail("told")); await t.test("d", () => {}); });',
    "1 passed, 1 failed",
    /- p > c\n[\s\S]*told/,
  ],
  [
    "a suite that throws",
    'describe("s", () => { throw new Error("told"); });',
    "0 passed, 1 failed",
    /- s\n[\s\S]*told/,
  ],
  ["a file that does not load", 'import "./absent.js";', "0 passed, 1 failed", /Cannot find module/],
  ["a file without tests", "", "0 passed, 1 failed", /has no tests/],
  [
    "a skipped test",
    'test("a", () => {}); test.skip("b", () => {});',
    "1 passed, 1 failed",
    /- b\n.*skipped/,
  ],
  ["a test still to do", 'test("a", () => {}); test.todo("b");', "1 passed, 1 failed", /- b\n.*skipped/],
  [
    "a bad exit code",
    'test("a", () => {}); process.on("exit", () => { process.exitCode = 7; });',
    "1 passed, 1 failed",
    /ended with exit code 7/,
  ],
  [
    "a crash",
    'test("a", () => process.kill(process.pid, "SIGKILL"));',
    "0 passed, 1 failed",
    /ended by SIGKILL/,
  ],
  [
    "an early exit",
    'test("a", () => {}); test("b", () => process.exit(0));',
    "0 passed, 1 failed",
    /ended before them/,
  ],
];

for (const [title, content, expected, shown] of failing) {
  test(`${title} fails the run`, async () => {
    const { succeeded, said, last } = await run({ "bad.test.js": content });
    assert.ok(!succeeded);
    assert.equal(last, expected);
    assert.match(said, shown);
  });
}

test("a file that hangs is ended, and the test it hung in is named", async () => {
  const hanging = 'test("sleeper", () => new Promise(() => setInterval(() => {}, 1000)));';
  const { succeeded, said, last } = await run({ "bad.test.js": hanging }, [], 1500);
  assert.ok(!succeeded);
  assert.equal(last, "0 passed, 1 failed");
  assert.match(said, /was not over after 1\.5 s; the last test that it began: sleeper/);
});

test("what a failing file wrote is shown", async () => {
  const { said } = await run({
    "bad.test.js": 'test("a", () => { console.error("a clue"); assert.fail(); });',
  });
  assert.match(said, /What it wrote:\n\s+a clue/);
});

test("filters choose files by a part of their path", async () => {
  const files = {
    "redis/one.test.js": 'test("a", () => {});',
    "cli/two.test.js": 'test("b", () => assert.fail());',
  };
  assert.equal((await run(files, ["redis/"])).last, "1 passed, 0 failed");
  assert.equal((await run(files, ["one", "two"])).last, "1 passed, 1 failed");
});

test("temporary directories outlive the file that made them, and go with the run", async () => {
  const here = dirname(fileURLToPath(import.meta.url));
  const support = JSON.stringify(join(here, "support", "temporary-directory.js"));
  const noted = join(makeTemporaryDirectory(), "noted");
  const { succeeded, said } = await run({
    "a.test.js": `
      import { writeFileSync } from "node:fs";
      import { makeTemporaryDirectory } from ${support};
      test("a", () => writeFileSync(${JSON.stringify(noted)}, makeTemporaryDirectory()));`,
    "b.test.js": `
      import { existsSync, readFileSync } from "node:fs";
      import { setTimeout } from "node:timers/promises";
      test("b", async () => {
        while (!existsSync(${JSON.stringify(noted)})) await setTimeout(20);
        await setTimeout(500);
        assert.ok(existsSync(readFileSync(${JSON.stringify(noted)}, "utf8")));
      });`,
  });
  assert.ok(succeeded, said);
  assert.ok(!existsSync(readFileSync(noted, "utf8")));
});

test("a run without tests fails", async () => {
  assert.deepEqual(await run({}), {
    succeeded: false,
    said: "No test file is there.\n0 passed, 1 failed",
    last: "0 passed, 1 failed",
  });
  const { succeeded, said } = await run({ "a.test.js": 'test("a", () => {});' }, ["nowhere"]);
  assert.ok(!succeeded);
  assert.match(said, /^No test file matches nowhere\.$/m);
});

test("a run without a Redis says in a sentence what to install, and fails", () => {
  const runner = join(dirname(fileURLToPath(import.meta.url)), "run.js");
  const { status, stdout } = spawnSync(process.execPath, [runner, "nothing"], {
    env: { PATH: makeTemporaryDirectory(), TELE_SESSIONS_NO_INSTALL: "1" },
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stdout, /^A Redis server is missing: put [^\n]*\.\n0 passed, 1 failed\n$/);
});
