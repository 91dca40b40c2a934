import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type * as library from "../../../src/library/index.js";
import type { CopyOptions, PurgeOptions, SessionResult } from "../../../src/library/index.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { run } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";

const file = join(projectRoot, "dist", "library.js");
const { copySessions, exportSessions, purgeSessions, SettingsError, verifySessions }: typeof library = createRequire(
  import.meta.url,
)(file);

const top = makeTemporaryDirectory();
const sessionDir = join(top, "sessions");
const manifest = join(top, "manifest");
await makeSessions(sessionDir, { count: 600, manifest });

/** What a call leaves changed of this process, and what it printed. */
async function tracesOf(call: () => Promise<unknown>): Promise<unknown> {
  const events = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "exit", "uncaughtException"];
  const state = () => [...events.map((name) => process.listenerCount(name)), process.exitCode];
  const before = state();
  const printed: unknown[] = [];
  const streams = [process.stdout, process.stderr];
  const writes = streams.map((stream) => stream.write);
  for (const stream of streams) stream.write = (chunk: unknown) => printed.push(chunk) > 0;
  let during: unknown;
  try {
    const called = call();
    setImmediate(() => {
      during = state();
    });
    await called;
  } finally {
    streams.forEach((stream, index) => {
      stream.write = writes[index] ?? stream.write;
    });
  }
  return { printed, isUnchanged: [during, state()].every((now) => String(now) === String(before)) };
}

test("what import names is what is exported, and nothing of the packages within", async () => {
  const imported: object = await import(pathToFileURL(file).href);
  // Node itself adds these to what it imports from CommonJS.
  const names = Object.keys(imported).filter((name) => !["default", "module.exports"].includes(name));
  assert.deepEqual(names, ["SettingsError", "copySessions", "exportSessions", "purgeSessions", "verifySessions"]);
});

describe("the library", () => {
  test("copy, verify, purge: as the commands do, with threads, and without a trace in the process", async (t) => {
    const { port } = await redisOf(t);
    const results: SessionResult[] = [];
    const phases = new Set<string>();
    const beganMs = Date.now();
    const traces = await tracesOf(async () => {
      const report = await copySessions({
        ...{ sessionDir: [sessionDir], port, lanes: 2, maxFailed: "1%" },
        onOutcome: (result) => results.push(result),
        onProgress: ({ phase }) => phases.add(phase),
      });
      assert.deepEqual([report.outcome, report.exitCode, report.command], ["complete", 0, "copy"]);
      assert.equal(results.length, report.sessions.found);
      assert.equal(results.filter(({ outcome }) => outcome === "copied").length, report.sessions.copied);
      assert.ok(
        results.every(({ session }) => session.length <= 9),
        "session ids are cut",
      );
      assert.ok(phases.has("listing") && phases.has("copying"), [...phases].join());
    });
    assert.deepEqual(traces, { printed: [], isUnchanged: true });
    await assertCopied({ port }, { manifest, beganMs, sessions: 600 });
    const verified = await verifySessions({ sessionDir, port });
    assert.deepEqual([verified.outcome, verified.sessions.found], ["complete", 600], verified.warnings.join());
    const purged = await purgeSessions({ sessionDir, port, dryRun: true, inUse: true });
    assert.deepEqual([purged.outcome, purged.dryRun], ["complete", true], purged.warnings.join());
    assert.ok(purged.sessions.purged > 0);
    const back = makeTemporaryDirectory();
    const exported = await exportSessions({ sessionDir: back, port, layout: "scattered", format: "json" });
    assert.deepEqual([exported.outcome, exported.sessions.exported], ["complete", verified.sessions.equal]);
    const compared = await verifySessions({ sessionDir: back, port, reverse: true });
    assert.deepEqual([compared.outcome, compared.sessions.equal], ["complete", verified.sessions.equal]);
  });

  test("the report is the object that --json prints", async (t) => {
    const redis = await redisOf(t);
    const args = ["copy", ...between(sessionDir, redis), "--dry-run", "--json"];
    const { report: printed } = await run(args);
    const report = await copySessions({ sessionDir, port: redis.port, dryRun: true });
    const shape = (value: unknown): unknown =>
      typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shape(part)]))
        : typeof value;
    const { settings: _, throughput: _t, phases: _p, ...mine } = report;
    const { settings: _s, throughput: _u, phases: _q, ...its } = printed;
    assert.deepEqual(shape(mine), shape(its));
    assert.deepEqual([report.version, report.sessions], [printed.version, printed.sessions]);
  });

  test("a run that fails resolves: Redis is away, and no value of an option is shown", async () => {
    const password = "not to be seen";
    const report = await copySessions({ sessionDir, port: 1, password });
    assert.deepEqual([report.outcome, report.exitCode], ["failed", 3]);
    assert.ok(report.errors.length > 0);
    assert.doesNotMatch(JSON.stringify(report), /not to be seen/);
  });

  test("variables count only if they are given", async (t) => {
    const { port } = await redisOf(t, { args: ["--requirepass", "p"] });
    const environment = { TELE_SESSION_REDIS_PORT: String(port), TELE_SESSION_REDIS_PASSWORD: "p" };
    Object.assign(process.env, environment);
    t.after(() => {
      for (const name of Object.keys(environment)) delete process.env[name];
    });
    const options: CopyOptions = { sessionDir, dryRun: true };
    assert.equal((await copySessions({ ...options, port })).exitCode, 5, "no password");
    assert.equal((await copySessions({ ...options, environment })).exitCode, 0);
    assert.equal((await copySessions({ ...options, port, password: "p" })).exitCode, 0);
  });

  test("two shards, named in either way, share the sessions", async (t) => {
    const { port } = await redisOf(t);
    const environment = { JOB_COMPLETION_INDEX: "1" };
    const shards = [
      await copySessions({ sessionDir, port, shard: "1/2" }),
      await copySessions({ sessionDir, port, shardCount: 2, environment }),
    ];
    assert.deepEqual(
      shards.map(({ outcome, source }) => [outcome, source.shards]),
      [
        ["complete", ["1/2"]],
        ["complete", ["2/2"]],
      ],
    );
    assert.equal(
      shards.reduce((sum, { sessions }) => sum + sessions.found, 0),
      600,
    );
    assert.ok(shards.every(({ sessions }) => sessions.found > 0));
  });

  test("an aborted signal stops the run, before it or in its midst; another goes on", async (t) => {
    const redis = await redisOf(t);
    const controller = new AbortController();
    const copied = copySessions({
      ...{ sessionDir, port: redis.port, maxRate: 200, signal: controller.signal },
      onOutcome: () => controller.abort(),
    });
    await once(controller.signal, "abort");
    const { outcome, exitCode, sessions } = await copied;
    assert.deepEqual([outcome, exitCode], ["interrupted", 143]);
    assert.ok(sessions.found < 600 && Number(sessions.copied) > 0, JSON.stringify(sessions));
    const none = await copySessions({ sessionDir, port: redis.port, signal: AbortSignal.abort() });
    assert.deepEqual([none.outcome, none.sessions.found], ["interrupted", 0]);
    const rest = await copySessions({ sessionDir, port: redis.port, maxDuration: "10m" });
    assert.deepEqual([rest.outcome, rest.sessions.found], ["complete", 600]);
  });

  test("what a callback throws stops the run and comes back", async (t) => {
    const { port } = await redisOf(t);
    const thrown = new Error("of the program");
    const onOutcome = () => {
      throw thrown;
    };
    await assert.rejects(copySessions({ sessionDir, port, maxRate: 200, onOutcome }), (error) => error === thrown);
    assert.ok(Number(await redisCommand({ port }, "DBSIZE")) < 600);
  });

  test("unverified asks nobody: with yes it removes", async (t) => {
    const directory = join(top, "few");
    mkdirSync(directory);
    await makeSessions(directory, { count: 5 });
    const { port } = await redisOf(t);
    const purged = await purgeSessions({ sessionDir: directory, port, unverified: true, yes: true });
    assert.deepEqual([purged.outcome, purged.sessions.purged], ["complete", 5], purged.warnings.join());
  });
});

const wrong: readonly (readonly [options: object, message: RegExp])[] = [
  [{ port: "x" }, /^--port: "x" is not usable; it takes a port, 1 to 65535$/],
  [{ port: 70_000 }, /^--port: "70000" is not usable/],
  [{ port: true }, /^port: the value given is not usable; it takes a port/],
  [{ host: null }, /^host: the value given is not usable/],
  [{ dryRun: "yes" }, /^dryRun: .* it takes true or false$/],
  [{ sessionDir: [] }, /^sessionDir: .* a path, or a list of these$/],
  [{ url: ["redis://a"] }, /^url: /],
  [{ unverified: true }, /^unverified .*: confirm it with yes$/],
  [{ purge: true }, /^purge means nothing to purge$/],
  [{ hots: "h", prot: 1 }, /^hots is no option\nprot is no option$/],
  [{ json: true }, /^json is no option$/],
  [{ metricsFile: "m" }, /^metricsFile is no option$/],
  [{ jobCompletionIndex: 1 }, /^jobCompletionIndex is no option$/],
  [{ shard: "3/2" }, /^--shard: "3\/2" is not usable/],
  [{ shard: "1/2", shardCount: 2 }, /^--shard and --shard-count cannot be used together$/],
  [{ cluster: true, db: 1 }, /^--cluster: a Cluster has only database 0, not 1$/],
  [{ password: 1 }, /^password takes text$/],
  [{ url: "redis://h", host: "h" }, /^--url and --host cannot be used together/],
  [{ environment: { TELE_SESSION_REDIS_PORT: "x" } }, /^TELE_SESSION_REDIS_PORT: "x" is not usable/],
];
for (const [options, message] of wrong) {
  test(`${JSON.stringify(options)} is refused`, async () => {
    await assert.rejects(purgeSessions({ sessionDir, ...options } as PurgeOptions), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, message);
      return true;
    });
  });
}
