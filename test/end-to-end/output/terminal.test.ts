import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { between } from "../../support/process/between.js";
import { program } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import type { Terminal, TerminalOptions } from "../../support/terminal/terminal.js";
import { openTerminalWith } from "../../support/terminal/terminal.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { drawScreen } from "../support/screen.js";
import { slowOf, startSlowReplies } from "../support/slow-replies.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 600;
const directory = join(makeTemporaryDirectory(), "s");
await makeSessions(directory, { count: sessions });

interface Watched {
  readonly terminal: Terminal;
  readonly redis: RedisServer;
  /** Lets a run that all but stands still in its middle go on. */
  goOn(): void;
}

/** A copy in a terminal that has written some sessions and all but stands still. */
async function watch(t: TestContext, options: TerminalOptions, args: readonly string[] = []): Promise<Watched> {
  const redis = await redisOf(t);
  const slow = await startSlowReplies(t, redis.port, 300);
  const terminal = await openTerminalWith([...program, "copy", ...between(directory, slow), ...args], {
    ...options,
    environment: { LC_ALL: "C.UTF-8", ...options.environment },
  });
  await slowOf(slow, terminal.result);
  await waitUntil("Redis holds some sessions", async () => (await countKeys(redis)) > 0);
  return { terminal, redis, goOn: slow.hurry };
}

/** Whether a line is one that is redrawn: a bar, or a share of the whole. */
const isOfView = (line: string): boolean => /^ *#*\.* *\d+% /.test(line);
const anyEscape = /\x1b/;
const anyColor = /\x1b\[[0-9;]*m/;

describe("in a terminal", { concurrency: 4 }, () => {
  test("four lines, redrawn in place; then the summary, the cursor restored", async (t) => {
    const { terminal, redis, goOn } = await watch(t, { columns: 120 });
    await terminal.waitFor(/about \d+ (?:s|min \d+ s) left/);
    const midway = drawScreen(terminal.output(), 120);
    const title = `Copying ${directory} to localhost:\\d+/0( +1 thread, pass 1)?`;
    assert.match(
      midway.lines.join("\n"),
      new RegExp(
        `^${title}\n` +
          " {2}#+\\.+ +\\d+% {3}[1-9][\\d,]* of 600\n" +
          " {2}[\\d,]+/s {3}\\d+ s elapsed, about \\d+ (?:s|min \\d+ s) left {3}[\\d.]+ KiB written\n" +
          " {2}copied [1-9][\\d,]* +Redis [\\d.]+ [KM]iB, 0 evicted$",
      ),
    );
    assert.ok((await countKeys(redis)) > 0);
    assert.equal(midway.cursorIsShown, false);
    goOn();
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 0);
    const after = drawScreen(output, 120);
    assert.ok(after.cursorIsShown);
    assert.match(after.lines.join("\n"), /^Done\. All 600 sessions of/m);
    assert.ok(!after.lines.some((line) => isOfView(line)), "the view is gone");
    assert.match(output, anyColor);
  });

  for (const columns of [10, 40, 79]) {
    const rows = columns < 60 ? 1 : 4;
    test(`${columns} columns: the view has ${rows === 1 ? "one line" : "four lines"} and never wraps`, async (t) => {
      const { terminal, goOn } = await watch(t, { columns });
      await terminal.waitFor(/[1-9]\d?%/);
      const { lines, wraps } = drawScreen(terminal.output(), columns);
      assert.deepEqual([lines.length, wraps], [rows, 0], lines.join("\n"));
      assert.ok(lines.every((line) => line.length < columns));
      goOn();
      const { exitCode, output } = await terminal.result;
      assert.equal(exitCode, 0);
      const after = drawScreen(output, columns);
      assert.ok(after.cursorIsShown);
      assert.ok(!after.lines.some((line) => isOfView(line)), after.lines.join("\n"));
    });
  }

  test("0 columns: it neither hangs nor burns time", async (t) => {
    const redis = await redisOf(t);
    const slow = await startSlowReplies(t, redis.port, 300);
    const terminal = await openTerminalWith(
      [...["sh", "-c", '"$@"; code=$?; times; exit $code', "sh", ...program, "copy"], ...between(directory, slow)],
      { columns: 0 },
    );
    await slowOf(slow, terminal.result);
    // A span in which it has nothing to do.
    await sleep(3000);
    slow.hurry();
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 0, output);
    assert.match(output, /Done\./);
    const [, minutes, seconds, systemMinutes, systemSeconds] =
      /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(output.replaceAll("\r", "")) ?? [];
    const busy = Number(minutes) * 60 + Number(seconds) + Number(systemMinutes) * 60 + Number(systemSeconds);
    assert.ok(busy < 2.5, `${busy} s of work`);
  });

  for (const { name, options } of [
    { name: "TERM=dumb", options: { term: "dumb" } },
    { name: "CI=true and NO_COLOR", options: { environment: { CI: "true", NO_COLOR: "1" } } },
  ]) {
    test(`${name}: plain lines, no escape sequence`, async (t) => {
      const { terminal, goOn } = await watch(t, options);
      goOn();
      const { exitCode, output } = await terminal.result;
      assert.equal(exitCode, 0);
      assert.doesNotMatch(output, anyEscape);
      assert.doesNotMatch(output.replaceAll("\r\n", "\n"), /\r/);
      assert.match(output, /Done\./);
    });
  }

  for (const { name, options, args } of [
    { name: "CI=true", options: { environment: { CI: "true" } }, args: [] },
    { name: "--no-progress", options: {}, args: ["--no-progress"] },
    { name: "--quiet", options: {}, args: ["--quiet"] },
  ]) {
    test(`${name}: nothing is redrawn, the cursor left alone`, async (t) => {
      const { terminal, goOn } = await watch(t, options, args);
      goOn();
      const { exitCode, output } = await terminal.result;
      assert.equal(exitCode, 0);
      assert.doesNotMatch(output.replaceAll(/\x1b\[[0-9;]*m/g, ""), anyEscape);
      assert.doesNotMatch(output, /\d%/);
    });
  }

  test("NO_COLOR: a view without colours", async (t) => {
    const { terminal, goOn } = await watch(t, { environment: { NO_COLOR: "1" } });
    await terminal.waitFor(/copied [1-9]/);
    goOn();
    const { output } = await terminal.result;
    assert.doesNotMatch(output, anyColor);
    assert.match(output, /Done\./);
  });

  test("a terminal without UTF-8 gets ASCII only", async (t) => {
    const { terminal, goOn } = await watch(t, { columns: 120, environment: { LC_ALL: "C" } });
    await terminal.waitFor(/ {2}#+\.+ +\d/);
    goOn();
    const { output } = await terminal.result;
    assert.doesNotMatch(output, /[^\x00-\x7f]/);
  });

  test("Ctrl-C typed as a key: what is in flight is finished, exit 130, the cursor restored", async (t) => {
    const { terminal, redis, goOn } = await watch(t, { columns: 100 }, ["--json"]);
    await terminal.waitFor(/copied/);
    terminal.type("\x03");
    await terminal.waitFor(/SIGINT: /);
    goOn();
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 130);
    assert.ok(drawScreen(output, 100).cursorIsShown);
    assert.match(output, /STOPPED: [\d,]+ of 600 sessions/);
    assert.equal(await countKeys(redis), Number(/"copied":(\d+)/.exec(output)?.[1]));
  });

  test("Ctrl-C typed twice: it ends at once, the cursor restored", async (t) => {
    const { terminal } = await watch(t, { columns: 100 });
    await terminal.waitFor(/copied/);
    terminal.type("\x03");
    await terminal.waitFor(/SIGINT: /);
    const began = performance.now();
    terminal.type("\x03");
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 130);
    assert.ok(performance.now() - began < 2000);
    assert.ok(drawScreen(output, 100).cursorIsShown);
  });

  test("lines of --list stand above the view and do not cut it", async (t) => {
    const { terminal, goOn } = await watch(t, { columns: 100 }, ["--list"]);
    goOn();
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 0);
    const { lines } = drawScreen(output, 100);
    assert.equal(lines.filter((line) => /^\S{6}… copied$/.test(line)).length, sessions);
    assert.ok(!lines.some((line) => isOfView(line)));
  });
});

test("FORCE_COLOR: colours where no terminal is; 0 and NO_COLOR take them away", async (t) => {
  const redis = await redisOf(t);
  const rows = [
    { name: "FORCE_COLOR=1", environment: { FORCE_COLOR: "1" }, colored: true },
    { name: "FORCE_COLOR=0", environment: { FORCE_COLOR: "0" }, colored: false },
    { name: "both", environment: { FORCE_COLOR: "1", NO_COLOR: "1" }, colored: false },
    { name: "neither", environment: {}, colored: false },
  ];
  for (const { name, environment, colored } of rows) {
    await t.test(name, async () => {
      const { stderr } = await run(["copy", ...between(directory, redis)], {
        environment,
      });
      assert.equal(anyColor.test(stderr), colored);
      assert.doesNotMatch(stderr, /\n\(node:\d+\) Warning/);
    });
  }
});
