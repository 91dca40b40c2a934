import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { readReportFile, run } from "../support/observed-run.js";
import { countKeys } from "../support/redis-of-test.js";

const good = 200;
const corrupt = 300;
const top = makeTemporaryDirectory();
const directory = join(top, "sessions");
const manifest = join(top, "manifest");
await makeSessions(directory, { count: good, manifest });
const corruptSids = Array.from({ length: corrupt }, (_, index) =>
  createHash("sha1").update(`corrupt ${index}`).digest("hex"),
);
for (const sid of corruptSids)
  writeFileSync(join(directory, `werkzeug_${sid}.sess`), Buffer.from(`\x80\x04\x8cNotToBeShown${sid}`, "latin1"));
const redis = await startRedis();
const copy = ["copy", ...between(directory, redis)];
test.after(() => redis.stop());

test("300 corrupt files: 100 in --json, every one in the report, the others copied", async () => {
  const file = join(top, "report.json");
  const beganMs = Date.now();
  const { exitCode, stderr, report } = await run([...copy, "--json", "--report", file]);
  assert.equal(exitCode, 1);
  assert.equal(report.sessions.found, good + corrupt);
  assert.equal(report.sessions.failed, corrupt);
  assert.equal(report.failures.length, 100);
  assert.equal(report.failuresOmitted, 200);
  await assertCopied(redis, { manifest, beganMs, sessions: good });

  const whole = readReportFile(file);
  assert.equal(whole.failures.length, corrupt);
  assert.equal(whole.failuresOmitted, 0);
  assert.deepEqual(
    whole.failures.map(({ session }) => session).sort(),
    corruptSids.map((sid) => `${sid.slice(0, 6)}…`).sort(),
  );
  assert.deepEqual(whole.sessions, report.sessions);
  assert.equal(whole.exitCode, 1);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(top).filter((name) => name.startsWith("report.json")),
    ["report.json"],
  );
  assert.match(stderr, /^NOT ALL: 300 of 500 sessions are not in Redis; their owners must log in again\.$/m);
  assert.match(stderr, /corrupt 300/);
});

test("a report takes the place of an earlier one and is for its owner only", async () => {
  const file = join(top, "earlier.json");
  writeFileSync(file, "earlier", { mode: 0o644 });
  await run([...copy, "--report", file]);
  assert.equal(readReportFile(file).failures.length, corrupt);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("--report names what is no plain file: exit 2, and it is left as it is", async (t) => {
  await t.test("a directory", async () => {
    const place = join(top, "reports");
    mkdirSync(place);
    const { exitCode, stderr } = await run([...copy, "--report", place]);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /--report/);
    assert.deepEqual(readdirSync(place), []);
  });

  await t.test("a pipe, as a device would be", async () => {
    const place = join(top, "pipe");
    execFileSync("mkfifo", [place]);
    const { exitCode } = await run([...copy, "--report", place]);
    assert.ok(lstatSync(place).isFIFO(), "the pipe was replaced");
    assert.equal(exitCode, 2);
  });
});

test("--max-failed: how many may fail", async (t) => {
  const rows: readonly (readonly [allowed: string, exitCode: number])[] = [
    ["299", 1],
    ["300", 0],
    ["59.9%", 1],
    ["60%", 0],
    ["100%", 0],
    ["0", 1],
  ];
  for (const [allowed, expected] of rows) {
    await t.test(`${allowed}: exit ${expected}`, async () => {
      const { exitCode, report } = await run([...copy, "--max-failed", allowed, "--json"]);
      assert.equal(exitCode, expected);
      assert.equal(report.sessions.failed, corrupt);
    });
  }
  await t.test("TELE_SESSION_REDIS_MAX_FAILED says it too", async () => {
    const { exitCode } = await run(copy, { environment: { TELE_SESSION_REDIS_MAX_FAILED: "60%" } });
    assert.equal(exitCode, 0);
  });
});

test("--max-session-size: larger sessions fail, and only they", async (t) => {
  const place = join(top, "large");
  mkdirSync(place);
  const sizes = { small: 900, large: 1100, vast: 100_000 };
  for (const [name, size] of Object.entries(sizes)) {
    const sid = createHash("sha1").update(name).digest("hex");
    writeFileSync(join(place, `werkzeug_${sid}.sess`), JSON.stringify({ uid: 2, note: "n".repeat(size) }));
  }
  const args = ["copy", ...between(place, redis), "--json"];
  for (const limit of ["1000", "1KiB"]) {
    await t.test(limit, async () => {
      const { exitCode, report } = await run([...args, "--max-session-size", limit]);
      assert.equal(exitCode, 1);
      assert.equal(report.sessions.copied + report.sessions.identical, 1);
      assert.deepEqual(
        report.failures.map(({ reason }) => reason),
        ["too-large", "too-large"],
      );
    });
  }
});

test("--quiet: a run that ends well says nothing, one that does not says why", async (t) => {
  await t.test("all copied", async () => {
    const place = join(top, "few");
    await makeSessions(place, { count: 5, seed: 7 });
    const result = await run(["copy", ...between(place, redis), "--quiet"]);
    assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, "", ""]);
  });
  await t.test("some failed", async () => {
    const { exitCode, stdout, stderr } = await run([...copy, "--quiet"]);
    assert.deepEqual([exitCode, stdout], [1, ""]);
    assert.match(stderr, /300/, "exit 1 without a word");
  });
  await t.test("--json is still printed", async () => {
    const { report } = await run([...copy, "--quiet", "--json", "--max-failed", "100%"]);
    assert.equal(report.sessions.failed, corrupt);
  });
});

test("--list names every session and what became of it, by 6 characters", async () => {
  await redisCommand(redis, "FLUSHALL");
  const { stderr } = await run([...copy, "--list"]);
  const lines = stderr.split("\n");
  assert.equal(lines.filter((line) => /^[A-Za-z0-9_-]{6}… copied$/.test(line)).length, good);
  assert.equal(lines.filter((line) => /^[0-9a-f]{6}… failed corrupt: /.test(line)).length, corrupt);
});

test("--show-ids shows sids whole: in lines, in --json and in the report", async () => {
  const file = join(top, "ids.json");
  const { stderr, report } = await run([...copy, "--list", "--show-ids", "--json", "--report", file]);
  for (const sid of corruptSids) assert.ok(stderr.includes(`${sid} failed`));
  assert.ok(report.failures.every(({ session }) => corruptSids.includes(session)));
  assert.ok(readFileSync(file, "utf8").includes(corruptSids[0] ?? "none"));
});

test("keys of corrupt sessions are not written", async () => {
  const { report } = await run([...copy, "--db", "1", "--json"]);
  assert.equal(report.sessions.copied, good);
  assert.equal(await countKeys({ ...redis, db: 1 }), good);
});
