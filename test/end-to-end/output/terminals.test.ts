import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { between } from "../../support/process/between.js";
import { program, runCommand } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { type ScreenOptions, type WatchedScreen, watchScreen } from "../../support/terminal/watched-screen.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { type SlowReplies, startSlowReplies } from "../support/slow-replies.js";
import { waitUntil } from "../support/wait-until.js";

// `npm run test:terminals` looks at every size; `npm test` at a narrow and a usual one.
const isWhole = process.env["TELE_SESSIONS_TERMINALS"] === "all";
const sizes = isWhole ? [40, 60, 80, 120, 200] : [40, 80];
const sessions = 1400;

/** Session files of the test's own: short enough to be seen at 60 columns. */
async function sessionsOf(count = sessions): Promise<string> {
  const directory = join(makeTemporaryDirectory(), "s");
  await makeSessions(directory, { count });
  return directory;
}
const directory = await sessionsOf();

interface Watched {
  readonly screen: WatchedScreen;
  readonly redis: RedisServer;
  readonly slow: SlowReplies;
}

/** A copy that has written some sessions and all but stands still, in a terminal. */
async function watchCopy(t: TestContext, options: ScreenOptions, args: readonly string[] = []): Promise<Watched> {
  const redis = await redisOf(t);
  const slow = await startSlowReplies(t, redis.port, 300);
  const command = [...program, "copy", ...between(directory, slow), ...args];
  const screen = await watchScreen(t, command, options);
  await slow.slow;
  await waitUntil("Redis holds some sessions", async () => (await countKeys(redis)) > 0);
  return { screen, redis, slow };
}

/** What a copy shows at a width, below what `--list` and warnings left above it. */
function copyView(columns: number): RegExp {
  if (columns < 60) return /^\d+% [\d.]+k?\/1\.4k [\d.]+k?\/s( \d+ (s|min \d+ s) left)?$/;
  const title = columns > 80 ? "Copying \\S+ to localhost:\\d+/0( +1 thread, pass 1)?" : "Copying.*";
  return new RegExp(
    `^${title}\\n` +
      " {2}#+\\.+ +[1-9]\\d?% {3}[1-9][\\d,]* of 1,400\\n" +
      " {2}[\\d,]+/s {3}\\d+ s elapsed(, about [\\dmins ]+ left)?( {3}[\\d.]+ KiB written)?\\n" +
      " {2}copied [1-9][\\d,]*( +Redis [\\d.]+ [KM]iB(, 0 evicted)?)?$",
  );
}

/** Holds of every screen of a run: nothing reaches the last column, and only ASCII signs. */
function assertPlain(lines: readonly string[], columns: number): void {
  for (const line of lines) {
    assert.ok(line.length < columns, `${line.length} columns: ${line}`);
    assert.match(line, /^[\x20-\x7e]*$/);
  }
}

describe("real terminals: a copy", { concurrency: 2 }, () => {
  for (const columns of sizes) {
    test(`${columns} columns: the view in the middle, then the summary without it`, async (t) => {
      const { screen, slow } = await watchCopy(t, { columns });
      assertPlain(await screen.waitFor(copyView(columns)), columns);
      slow.hurry();
      await screen.ended();
      assert.match(await screen.history(), /^(\x1b\[\d+m)?Done/m);
      assert.doesNotMatch(await screen.history(), /\d% {3}|^\d+%/m);
    });
  }

  for (const columns of isWhole ? [70, 60, 59, 40, 10] : [60, 40]) {
    test(`from 120 to ${columns} columns: the view has the new width, and no line of the old one stays`, async (t) => {
      const { screen, slow } = await watchCopy(t, { columns: 120 });
      await screen.waitFor(copyView(120));
      await screen.resize(columns);
      const view = columns < 20 ? /^\d+%$/ : copyView(columns);
      assertPlain(await screen.waitFor(view), columns);
      slow.hurry();
      await screen.ended();
    });
  }

  test("wider and narrower between 80 and 200 columns: nothing stays either", async (t) => {
    const { screen, slow } = await watchCopy(t, { columns: 80 });
    await screen.waitFor(copyView(80));
    for (const columns of isWhole ? [200, 120, 200, 80, 120, 81, 200] : [120, 80]) {
      await screen.resize(columns);
      assertPlain(await screen.waitFor(copyView(columns)), columns);
    }
    slow.hurry();
    await screen.ended();
  });

  for (const { name, environment, isColored } of [
    { name: "with colours", environment: {}, isColored: true },
    ...(isWhole
      ? [
          { name: "NO_COLOR", environment: { NO_COLOR: "1" }, isColored: false },
          { name: "LANG=C", environment: { LC_ALL: "C", LANG: "C" }, isColored: true },
        ]
      : []),
  ]) {
    test(`${name}: the same view`, async (t) => {
      const { screen, slow } = await watchCopy(t, { columns: 100, environment });
      await screen.waitFor(copyView(100));
      assert.equal(/\x1b\[3\dmCopying/.test(await screen.history()), isColored);
      slow.hurry();
      await screen.ended();
    });
  }

  for (const { name, environment } of [
    { name: "TERM=dumb", environment: { TERM: "dumb" } },
    ...(isWhole ? [{ name: "CI", environment: { CI: "true" } }] : []),
  ]) {
    test(`${name}: plain lines`, async (t) => {
      const { screen, slow } = await watchCopy(t, { columns: 200, environment });
      const lines = await screen.lines();
      assert.match(lines.join("\n"), /^Connecting to \S+ \.\.\.\nCopying 1,400 session files from \S+ to \S+$/);
      slow.hurry();
      await screen.ended();
    });
  }

  test("lines of --list and warnings stand above the view, whole", async (t) => {
    const { screen, slow } = await watchCopy(t, { columns: 100 }, ["--list"]);
    await screen.waitFor(/^\S{6}\W+ copied\nCopying .*\n {2}#+\.+ .*\n.*\n.*$/m);
    slow.hurry();
    await screen.ended();
    const listed = (await screen.history()).split("\n").filter((line) => /^\S{6}\W+ copied$/.test(line));
    assert.equal(listed.length, sessions);
  });
});

describe("real terminals: waiting for Redis", { concurrency: 2 }, () => {
  for (const columns of isWhole ? sizes : [80]) {
    test(`${columns} columns: it says so, how long it tries, and that it is back`, async (t) => {
      const redis = await redisOf(t);
      const command = [...program, "copy", ...between(directory, redis), "--max-rate", "400"];
      const screen = await watchScreen(t, command, { columns });
      await waitUntil("Redis holds some sessions", async () => (await countKeys(redis)) > 0);
      process.kill(redis.pid, "SIGSTOP");
      const lines = await screen.waitFor(/^Waiting/m);
      assertPlain(lines, columns);
      const text = lines.join("\n").replaceAll(/\n */g, " ");
      const wide = new RegExp(
        "^Waiting for Redis at localhost:\\d+: no answer, \\d s trying for 5 min 2\\d s more \\(--retry-for\\)\\. " +
          "Nothing is lost; Ctrl-C stops here, and running it again goes on\\.$",
      );
      assert.match(text, columns < 60 ? /^Waiting \d s, no answer$/ : wide);
      process.kill(redis.pid, "SIGCONT");
      await screen.ended();
      assert.match(await screen.history(), /^Redis is back after \d+ s$/m);
      assert.doesNotMatch((await screen.lines()).join("\n"), /Waiting/);
    });
  }
});

describe("real terminals: a purge", { concurrency: 2 }, () => {
  for (const columns of isWhole ? sizes : [80]) {
    test(`${columns} columns: what is proved and what is removed`, async (t) => {
      const purged = await sessionsOf(600);
      const redis = await redisOf(t, { args: ["--appendonly", "yes"] });
      assert.equal((await runCommand(["copy", ...between(purged, redis)])).exitCode, 0);
      // A mark of the last three hours has a purge prove every file beforehand.
      for (const key of [await redisCommand(redis, "KEYS", "tele-sessions:mark:*")].flat()) {
        await redisCommand(redis, "DEL", String(key));
      }
      const command = [...program, "purge", ...between(purged, redis), "--max-rate", "200"];
      const screen = await watchScreen(t, command, { columns });
      await screen.waitFor(/\[y\s*\/N\]/);
      await screen.type("y", "Enter");
      const view =
        columns < 60
          ? /^\d+% \d+\/600 [\d.]+k?\/s/m
          : new RegExp(
              "^Removing from.*\\n {2}proved {3}#*\\.* +\\d+% +\\d+ of 600\\n" +
                " {2}removed {2}#*\\.* +\\d+% +\\d+ of 600\\n {2}\\d+ s elapsed",
              "m",
            );
      const lines = await screen.waitFor(view);
      if (columns >= 80) assert.match(lines.join("\n"), /block 1 of 1: (proving|removing)$/m);
      await screen.ended();
      assert.match((await screen.lines()).join("\n"), /removed +600\b/);
    });
  }
});

test("Ctrl-C: it says so above the view, and ends with the summary and the cursor", async (t) => {
  const { screen, slow } = await watchCopy(t, { columns: 100 });
  await screen.waitFor(copyView(100));
  await screen.type("C-c");
  // On a busy machine the view may say already that Redis is slow.
  await screen.waitFor(/^SIGINT: .*\n(Copying|Waiting)/m);
  slow.hurry();
  await screen.ended();
  assert.match(await screen.history(), /STOPPED/);
});
