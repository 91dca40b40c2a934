import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { heldOf, startGate } from "../support/gate.js";
import { assertFollowed, changeMeanwhile } from "../support/live/change-meanwhile.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 800;

/**
 * A copy of a directory that has written some sessions and stands still with others on their way.
 */
async function copyHalf(
  t: TestContext,
  { layout = "flat", more = [] }: { readonly layout?: "flat" | "scattered"; readonly more?: readonly string[] } = {},
) {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  await makeSessions(directory, { count: sessions, layouts: [layout] });
  const gate = await startGate(t, redis.port, 100_000);
  const place = between(directory, gate);
  const running = start(["copy", ...place, "--json", ...more]);
  await heldOf(gate, running.result);
  return { redis, directory, gate, running };
}

test("files that go while the copy runs are vanished, not failed", async (t) => {
  const { redis, directory, gate, running } = await copyHalf(t);
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.equal(exitCode, 0, stderr);
  assert.equal(report.sessions.failed, 0);
  assert.ok(report.sessions.vanished > 0, JSON.stringify(report.sessions));
  assert.equal(await countKeys(redis), report.sessions.copied);
});

test("what a live server ends or saves while the copy runs", async (t) => {
  const { redis, directory, gate, running } = await copyHalf(t);
  const written = new Set(String(await redisCommand(redis, "KEYS", "*")).split(","));
  const changes = changeMeanwhile(directory, (sid) => written.has(`session:${sid}`));
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.equal(exitCode, 0, stderr);
  await assertFollowed(redis, changes);
  assert.ok(report.passes.length > 1, "no later pass");
  assert.equal(report.stillChanging, 0);
});

test("a session that fails in a later pass is listed with the others, and counted in what is told", async (t) => {
  const path = join(makeTemporaryDirectory(), "report.json");
  const { redis, directory, gate, running } = await copyHalf(t, { more: ["--report", path] });
  // One that was written already: only a later pass reads it again.
  const [sid = ""] = String(await redisCommand(redis, "KEYS", "session:*"))
    .split(",")
    .map((key) => key.slice(8));
  writeFileSync(join(directory, "tmp.__wz_sess"), "{");
  renameSync(join(directory, "tmp.__wz_sess"), join(directory, `werkzeug_${sid}.sess`));
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.equal(exitCode, 1, stderr);
  assert.deepEqual([report.sessions.failed, report.passes[1]?.failed], [0, 1]);
  const failures = [{ session: `${sid.slice(0, 6)}…`, reason: "corrupt" }];
  const listed = (each: typeof report) => each.failures.map(({ session, reason }) => ({ session, reason }));
  assert.deepEqual([listed(report), report.failuresOmitted], [failures, 0]);
  assert.deepEqual(listed(JSON.parse(readFileSync(path, "utf8"))), failures);
  assert.match(stderr, new RegExp(`FAILED +1 {3}corrupt 1\\n .*werkzeug_${sid.slice(0, 6)}….sess  corrupt`));
});

test("the session directory itself goes while the copy runs: the run fails, what was written stands", async (t) => {
  const { redis, directory, gate, running } = await copyHalf(t, { layout: "scattered" });
  rmSync(directory, { recursive: true });
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.equal(exitCode, 3, stderr);
  assert.equal(await countKeys(redis), report.sessions.copied);
});

test("the session directory is away for a moment: what was not read fails, and the next run copies it", async (t) => {
  const { redis, directory, gate, running } = await copyHalf(t, { more: ["--list"] });
  renameSync(directory, `${directory}-away`);
  gate.open();
  await running.waitFor(/ failed unreadable/);
  renameSync(`${directory}-away`, directory);
  const { exitCode, stderr, report } = await running.result;
  assert.ok(exitCode === 1 || exitCode === 3, stderr);
  assert.ok(report.sessions.failed > 0, JSON.stringify(report.sessions));
  assert.equal(report.sessions.vanished, 0);
  const again = await run(["copy", ...between(directory, redis), "--json"]);
  assert.equal(again.exitCode, 0, again.stderr);
  const { copied, identical } = again.report.sessions;
  assert.equal(copied + identical, sessions, JSON.stringify(again.report.sessions));
});

test("sessions that are moved to another session directory while the copy runs stay in Redis", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const [from, to] = [join(top, "1"), join(top, "2")];
  await makeSessions(from, { count: sessions, layouts: ["flat"] });
  mkdirSync(to);
  const gate = await startGate(t, redis.port, 100_000);
  const running = start(["copy", "--session-dir", from, ...between(to, gate), "--json"]);
  await heldOf(gate, running.result);
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name));
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.equal(exitCode, 0, stderr);
  assert.equal(report.sessions.failed, 0);
  const keys = new Set(String(await redisCommand(redis, "KEYS", "session:*")).split(","));
  const lost = readdirSync(to).filter((name) => !keys.has(`session:${name.slice(9, 49)}`));
  const expired = report.sessions.expired + report.passes.reduce((sum, pass) => sum + pass.expired, 0);
  assert.ok(lost.length <= expired, `${lost.length} lost, ${expired} expired`);
});

test("another directory comes to the path during the copy: exit 3, and no mark says that it was copied", async (t) => {
  const other = join(makeTemporaryDirectory(), "s");
  await makeSessions(other, { count: sessions, layouts: ["flat"] });
  const { redis, directory, gate, running } = await copyHalf(t);
  renameSync(directory, `${directory}-away`);
  renameSync(other, directory);
  gate.open();
  const { exitCode, stderr } = await running.result;
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /^error: the directory .* was replaced by another directory during the copy$/m);
  const mark = String(await redisCommand(redis, "KEYS", "tele-sessions:mark:*"));
  assert.deepEqual(JSON.parse(String(await redisCommand(redis, "GET", mark))).shards, {});
});

test("two copies of one directory at once: both finish, nothing failed, nothing lost", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const manifest = join(top, "manifest");
  await makeSessions(join(top, "s"), { count: sessions, manifest });
  const args = ["copy", ...between(join(top, "s"), redis), "--json"];
  const beganMs = Date.now();
  for (const { exitCode, stderr, report } of await Promise.all([run(args), run(args)])) {
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.failed, 0);
    assert.equal(report.sessions.found, sessions);
  }
  await assertCopied(redis, { manifest, beganMs, sessions });
});

test("kill -9 in the middle: a second run finishes the job", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const manifest = join(top, "manifest");
  await makeSessions(join(top, "s"), { count: sessions, manifest });
  const gate = await startGate(t, redis.port, 100_000);
  const beganMs = Date.now();
  const running = start(["copy", ...between(join(top, "s"), gate)]);
  await heldOf(gate, running.result);
  await waitUntil("Redis holds some sessions", async () => (await countKeys(redis)) > 0);
  running.kill("SIGKILL");
  assert.equal((await running.result).signal, "SIGKILL");
  assert.ok((await countKeys(redis)) < sessions);
  const { exitCode } = await run(["copy", ...between(join(top, "s"), redis)]);
  assert.equal(exitCode, 0);
  await assertCopied(redis, { manifest, beganMs, sessions });
});
