import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { between } from "../../support/process/between.js";
import { runCommand } from "../../support/process/command.js";
import { assertNothingSecret } from "../../support/process/secrets.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { parsePrometheusText, type ScrapedSample } from "../../support/reports/prometheus-text.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { keyOf, saveSession } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const value = '{"db": "x", "uid": 2, "v": "file"}';

/** Where a run writes for the programs that watch it. */
interface Watched {
  readonly directory: string;
  readonly metrics: string;
  readonly log: string;
  readonly flags: readonly string[];
}

function watched(count = 3): Watched {
  const top = makeTemporaryDirectory();
  const directory = join(top, "s");
  mkdirSync(directory);
  for (let number = 1; number <= count; number++) saveSession(directory, number, value);
  const [metrics, log] = [join(top, "copy.prom"), join(top, "termination-log")];
  return { directory, metrics, log, flags: ["--metrics-file", metrics, "--termination-log", log] };
}

function metricsOf({ metrics }: Watched): readonly ScrapedSample[] {
  const text = readFileSync(metrics, "utf8");
  assertNothingSecret(text);
  assert.equal(statSync(metrics).mode & 0o777, 0o644, "node_exporter may read it");
  return parsePrometheusText(text);
}

function exitCodeIn(samples: readonly ScrapedSample[]): number | undefined {
  return samples.find(({ name }) => name === "tele_sessions_exit_code")?.value;
}

function wordsOf({ log }: Watched): string {
  const text = readFileSync(log, "utf8");
  assertNothingSecret(text);
  assert.ok(Buffer.byteLength(text) <= 4096);
  assert.match(text, /^[^\x1b]*\n$/);
  return text;
}

describe("--metrics-file and --termination-log", { concurrency: 2 }, () => {
  test("a run that ends well, quiet or not; dry runs and other commands say which they are", async (t) => {
    const redis = await redisOf(t);
    const ground = watched();
    const { exitCode, stderr } = await run(["copy", ...between(ground.directory, redis), ...ground.flags, "-q"]);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    const samples = metricsOf(ground);
    assert.equal(exitCodeIn(samples), 0);
    const copied = samples.find(
      ({ name, labels }) => name === "tele_sessions_sessions" && labels["outcome"] === "copied",
    );
    assert.deepEqual(copied, {
      name: "tele_sessions_sessions",
      labels: { command: "copy", dry_run: "false", outcome: "copied" },
      value: 3,
    });
    assert.match(wordsOf(ground), /^Done\. All 3 sessions of\s[\s\S]*\nNext {2}/);
    assert.deepEqual(
      readdirSync(join(ground.directory, "..")).sort(),
      ["copy.prom", "s", "termination-log"],
      "no temporary file is left",
    );

    const words = [
      ["verify", []],
      ["purge", ["--dry-run"]],
      ["check", []],
      ["inspect", []],
    ] as const;
    for (const [command, more] of words) {
      const flags = command === "inspect" ? ["--session-dir", ground.directory] : between(ground.directory, redis);
      const result = await runCommand([command, ...flags, ...ground.flags, ...more]);
      assert.equal(result.exitCode, 0, result.stderr);
      const [first] = metricsOf(ground);
      assert.deepEqual([first?.labels["command"], first?.labels["dry_run"]], [command, String(more.length > 0)]);
      assert.match(wordsOf(ground), /\nNext {2}/);
    }
  });

  const refused: readonly (readonly [name: string, args: readonly string[], exitCode: number, says: RegExp])[] = [
    ["a bad value", ["copy", "--port", "x"], 2, /--port: "x" is not usable/],
    ["an unknown flag", ["copy", "--prot", "1"], 2, /unknown option/],
    ["no command", [], 2, /no command given/],
    [
      "a directory that is missing",
      ["copy", "--session-dir", "/none"],
      2,
      /the session directory \/none does not exist/,
    ],
    ["inspect without a directory", ["inspect", "--session-dir", "/none"], 2, /\/none does not exist/],
    ["the pre-deploy step with a bad value", ["--stop-after-init", "--port", "x"], 2, /--port/],
  ];
  for (const [name, args, code, says] of refused) {
    test(`a run that does not begin: ${name}`, async () => {
      const ground = watched(1);
      const environment =
        args[0] === "--stop-after-init"
          ? { TELE_SESSION_REDIS: "1", TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1" }
          : {};
      const { exitCode, stderr } = await runCommand([...args, ...ground.flags], { environment });
      assert.equal(exitCode, code, stderr);
      assert.equal(exitCodeIn(metricsOf(ground)), code);
      const words = wordsOf(ground);
      assert.match(words, new RegExp(`^Exit ${code}: `));
      assert.match(words, says);
    });
  }

  test("a run that fails, finds differences, or is refused by Redis", async (t) => {
    const redis = await redisOf(t);
    const ground = watched();
    const corrupt = createHash("sha1").update("corrupt").digest("hex");
    writeFileSync(join(ground.directory, `werkzeug_${corrupt}.sess`), "\x80\x04\x8c");
    const runTo = async (expected: number, ...args: string[]) => {
      const { exitCode, stderr } = await run([...args, ...ground.flags]);
      assert.equal(exitCode, expected, stderr);
      assert.equal(exitCodeIn(metricsOf(ground)), expected);
      const words = wordsOf(ground);
      assert.match(words, new RegExp(`^Exit ${expected}: `));
      return words;
    };
    const failed = await runTo(1, "copy", ...between(ground.directory, redis), "--show-ids");
    assert.match(failed, /werkzeug_[0-9a-f]{6}\S* +corrupt/);
    assert.ok(!failed.includes(corrupt), "ids are cut, whatever --show-ids says");
    await redisCommand(redis, "DEL", keyOf(1));
    await runTo(4, "verify", ...between(ground.directory, redis), "--max-failed", "1");
    const port = await findFreePort();
    assert.match(
      await runTo(3, "copy", ...between(ground.directory, { port })),
      /^Exit 3: Redis could not be used.*\n(?:.*\n)*?error: /,
    );
    await redisCommand(redis, "CONFIG", "SET", "requirepass", "hunter2");
    await runTo(5, "copy", ...between(ground.directory, redis));
  });

  test("a run that is stopped", async (t) => {
    const redis = await redisOf(t);
    const ground = watched(200);
    const running = start(["copy", ...between(ground.directory, redis), ...ground.flags, "--max-rate", "50"]);
    while ((await countKeys(redis)) < 3) await setTimeout(20);
    running.kill("SIGTERM");
    assert.equal((await running.result).exitCode, 143);
    assert.equal(exitCodeIn(metricsOf(ground)), 143);
    assert.match(wordsOf(ground), /^Exit 143: /);
  });

  test("the pre-deploy step that is off", async () => {
    const ground = watched();
    assert.equal((await run(["--stop-after-init", ...ground.flags])).exitCode, 0);
    assert.equal(metricsOf(ground)[0]?.labels["command"], "stop-after-init");
    assert.equal(wordsOf(ground), "Nothing to do: TELE_SESSION_REDIS is off.\nNext  nothing more to do\n");
  });

  test("a file that cannot be written: exit 2 before the start, 3 afterwards", async (t) => {
    const redis = await redisOf(t);
    const ground = watched();
    const args = ["copy", ...between(ground.directory, redis)];
    for (const flag of ["--metrics-file", "--termination-log"]) {
      const { exitCode, stderr } = await run([...args, flag, "/none/file"]);
      assert.equal(exitCode, 2);
      assert.match(stderr, new RegExp(`^error: ${flag}: /none/file cannot be written: .*\\n`));
      for (const command of ["inspect", "check"]) {
        const flags = command === "check" ? between(ground.directory, redis) : ["--session-dir", ground.directory];
        const other = await runCommand([command, ...flags, flag, "/none/file"]);
        assert.equal(other.exitCode, 2);
        assert.equal(other.stderr.match(/cannot be written/g)?.length, 1, other.stderr);
      }
    }
    assert.equal(await countKeys(redis), 0, "nothing was touched");
    const [other] = [join(ground.directory, "..", "gone")];
    mkdirSync(other);
    const both = ["--metrics-file", join(other, "a.prom"), "--termination-log", ground.log];
    const running = start([...args, ...both, "--max-rate", "2"]);
    while ((await countKeys(redis)) < 1) await setTimeout(20);
    rmSync(other, { recursive: true });
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 3, stderr);
    assert.match(wordsOf(ground), /^Exit 3: [\s\S]*error: the report \S+a\.prom could not be written/);
    const full = await run([...args, "--termination-log", "/dev/full"]);
    assert.equal(full.exitCode, 3, full.stderr);
    assert.match(full.stderr, /error: the termination log \/dev\/full could not be written/);
  });

  test("one file for two things is refused, and so is -", async () => {
    const { log } = watched(1);
    const { exitCode, stderr } = await run(["copy", "--report", log, "--termination-log", log]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /--report and --termination-log name the same file/);
    const dash = await run(["copy", "--metrics-file", "-"]);
    assert.match(dash.stderr, /--metrics-file: - is no file/);
    assert.ok(!existsSync("-"));
  });
});
