import assert from "node:assert/strict";
import { mkdirSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

test("copies sessions of every format and layout, byte for byte, and nothing else", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const manifest = join(top, "manifest");
  const made = await makeSessions(join(top, "sessions"), { count: 600, strays: true, manifest });
  const beganMs = Date.now();
  const { exitCode, stderr, report } = await run([...["copy", ...between(join(top, "sessions"), redis), "--json"]]);

  assert.equal(exitCode, 0, stderr);
  await assertCopied(redis, { manifest, beganMs, sessions: made.sessions, expired: made.expired });
  assert.equal(report.command, "copy");
  assert.equal(report.dryRun, false);
  const { json = 0 } = made.formats;
  assert.deepEqual(report.source, {
    directories: [join(top, "sessions")],
    // A file of no bytes has a session's name.
    layouts: { flat: (made.layouts["flat"] ?? 0) + 1, scattered: (made.layouts["scattered"] ?? 0) + 1 },
    formats: { pickle: made.sessions - json, json },
    ignored: made.ignored,
    empty: made.empty,
    shards: [],
  });
  assert.deepEqual(report.target, {
    redis: `localhost:${redis.port}/0`,
    keyLayout: "documented",
    keyLayoutEvidence: "none",
    prefix: null,
    serverWorks: "files",
  });
  const { sessions } = report;
  assert.equal(sessions.found, made.sessions);
  assert.equal(sessions.copied, made.sessions - made.expired);
  assert.equal(sessions.expired, made.expired);
  assert.equal(sessions.authenticated, made.authenticated);
  assert.equal(sessions.anonymous, made.anonymous);
  assert.equal(sessions.unvisited, 0);
  assert.equal(report.bytes.read, made.bytes);
  assert.ok(report.peakMemoryBytes < 250_000_000);
  assert.match(stderr, /^Done\. All 610 sessions of\s[\s\S]* in Redis +600 {3}600 copied now$/m);
});

test("a second copy ends with the same keys and values", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const manifest = join(top, "manifest");
  await makeSessions(join(top, "sessions"), { count: 100, manifest });
  const args = ["copy", ...between(join(top, "sessions"), redis), "--json"];
  const beganMs = Date.now();
  assert.equal((await run(args)).exitCode, 0);
  assert.equal((await run(args)).exitCode, 0);
  await assertCopied(redis, { manifest, beganMs, sessions: 100 });
});

test("several directories, a glob, one directory named twice: each session once", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const places = ["one/sessions", "two words/sessions", ".hidden/sessions", "apart"];
  for (const [seed, place] of places.entries()) {
    await makeSessions(join(top, "servers", place), { count: 50, seed: seed + 1 });
  }
  mkdirSync(join(top, "servers", "none"));
  symlinkSync(join(top, "servers", "one"), join(top, "servers", "linked"));
  const { exitCode, stderr, report } = await run([
    ...["copy", "--session-dir", join(top, "servers", "*", "sessions")],
    ...["--session-dir", join(top, "servers", "apart"), "--session-dir", join(top, "servers", "one", "sessions")],
    ...["--port", String(redis.port), "--json"],
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.equal(report.sessions.copied, 200);
  assert.equal(await countKeys(redis), 200);
  assert.deepEqual([...report.source.directories].sort(), places.map((place) => join(top, "servers", place)).sort());
});

test("a directory whose name is a glob of others is taken literally", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  await makeSessions(join(top, "a*"), { count: 10, seed: 1 });
  await makeSessions(join(top, "ab"), { count: 10, seed: 2 });
  const { report } = await run(["copy", ...between(join(top, "a*"), redis), "--json"]);
  assert.deepEqual(report.source.directories, [join(top, "a*")]);
  assert.equal(await countKeys(redis), 10);
});

test("the session directory is found", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const port = String(redis.port);

  await t.test("by TELE_SESSION_DIR, a glob", async () => {
    const top = makeTemporaryDirectory();
    await makeSessions(join(top, "x", "sessions"), { count: 3 });
    const { report } = await run(["copy", "--port", port, "--json"], {
      environment: { TELE_SESSION_DIR: join(top, "*", "sessions") },
    });
    assert.equal(report.sessions.found, 3);
  });

  await t.test("by the data_dir of the file in TELE_RC", async () => {
    const top = makeTemporaryDirectory();
    await makeSessions(join(top, "data", "sessions"), { count: 4 });
    writeFileSync(join(top, "tele.conf"), `[options]\nadmin_passwd = NotToBeShown\ndata_dir = ${join(top, "data")}\n`);
    const { report } = await run(["copy", "--port", port, "--json"], {
      environment: { TELE_RC: join(top, "tele.conf") },
    });
    assert.equal(report.sessions.found, 4);
    assert.deepEqual(report.source.directories, [join(top, "data", "sessions")]);
  });

  await t.test("in XDG_DATA_HOME", async () => {
    const top = makeTemporaryDirectory();
    await makeSessions(join(top, "Tele", "sessions"), { count: 5 });
    const { report } = await run(["copy", "--port", port, "--json"], { environment: { XDG_DATA_HOME: top } });
    assert.equal(report.sessions.found, 5);
  });

  await t.test("below the home directory", async () => {
    const home = makeTemporaryDirectory();
    await makeSessions(join(home, ".local", "share", "Tele", "sessions"), { count: 6 });
    const { report } = await run(["copy", "--port", port, "--json"], { environment: { HOME: home } });
    assert.equal(report.sessions.found, 6);
  });

  await t.test("relative to where it runs", async () => {
    const top = makeTemporaryDirectory();
    await makeSessions(join(top, "sessions"), { count: 7 });
    const { report } = await run(["copy", "--session-dir", "sessions", "--port", port, "--json"], {
      cwd: top,
    });
    assert.equal(report.sessions.found, 7);
    assert.deepEqual(report.source.directories, [join(top, "sessions")]);
  });
});

test("a directory without a session", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const empty = makeTemporaryDirectory();
  const rows = [
    { name: "an empty one", directory: empty, flags: [] },
    {
      name: "a missing one, with --allow-missing",
      directory: join(empty, "none"),
      flags: ["--allow-missing"],
    },
    {
      name: "a glob without a match, with --allow-missing",
      directory: join(empty, "*", "s"),
      flags: ["--allow-missing"],
    },
  ];
  for (const { name, directory, flags } of rows) {
    await t.test(`${name}: exit 0 and a line that says so`, async () => {
      const args = ["copy", ...between(directory, redis), ...flags];
      const { exitCode, stdout, stderr } = await run(args);
      assert.equal(exitCode, 0, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^Nothing to do: no session file/m);
      const { report } = await run([...args, "--json"]);
      assert.equal(report.sessions.found, 0);
    });
  }
  rmdirSync(empty);
});
