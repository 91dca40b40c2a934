import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { runCommand } from "../../support/process/command.js";
import { assertNothingSecret } from "../../support/process/secrets.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { startFaultProxy } from "../../support/proxies/fault-proxy.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { readReportFile, run } from "../support/observed-run.js";
import { countKeys } from "../support/redis-of-test.js";

const good = 300;
const top = makeTemporaryDirectory();
// A name that is a tag, for whoever forgets to escape it.
const directory = join(top, "<b>sessions");
await makeSessions(directory, { count: good, mtimes: "spread", layouts: ["flat"] });
const corrupt = ["one", "two", "three"].map((text) => createHash("sha1").update(text).digest("hex"));
for (const sid of corrupt) writeFileSync(join(directory, `werkzeug_${sid}.sess`), "\x80\x04\x8c");
const redis = await startRedis({ args: ["--maxmemory", "200mb"] });
test.after(() => redis.stop());

/** A page, after a look at what holds for every one. */
function readPage(path: string): string {
  const page = readFileSync(path, "utf8");
  assertNothingSecret(page);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.doesNotMatch(page, /<script|<b>|undefined|NaN/);
  return page;
}

test("copy --report --html: what Redis said, when it was away, whom it concerned", async () => {
  const [report, html] = [join(top, "copy.json"), join(top, "copy.html")];
  const proxy = await startFaultProxy(redis.port, [{ kind: "refuse", at: 40, connections: 3 }]);
  const { exitCode, stderr } = await run([
    ...["copy", ...between(directory, proxy), "--report", report, "--html", html, "--max-rate", "500"],
  ]);
  await proxy.stop();
  assert.equal(exitCode, 1, stderr);
  const written = readReportFile(report);
  const { redis: facts, sessions, throughput, phases, lifetimes, ages, byReason, user } = written;
  assert.equal(sessions.copied, good);
  assert.deepEqual(byReason, { corrupt: 3 });
  assert.deepEqual([facts?.role, facts?.persistence, facts?.evicted], ["master", false, 0]);
  assert.equal(facts?.memoryLimit, 200 * 2 ** 20);
  assert.match(facts?.version ?? "", /^\d+\.\d+/);
  assert.match(facts?.runId ?? "", /^[0-9a-f]{6}…$/);
  assert.ok((facts?.memoryAfter ?? 0) > (facts?.memoryBefore ?? Number.POSITIVE_INFINITY));
  const kinds = throughput.marks.map(({ kind }) => kind);
  assert.ok(kinds.indexOf("redis-away") >= 0 && kinds.indexOf("redis-back") > kinds.indexOf("redis-away"));
  assert.ok(kinds.includes("pass"));
  assert.ok((throughput.samples.at(-1)?.sessions ?? 0) >= good + corrupt.length);
  assert.ok(phases.some(({ name, seconds }) => name === "copying" && seconds > 0.3));
  assert.equal(
    lifetimes.reduce((sum, one) => sum + one.sessions, 0),
    good,
  );
  assert.ok(ages.filter(({ anonymous }) => anonymous > 0).length > 3, "files of many ages");
  assert.equal(user?.uid, process.getuid?.());
  assert.ok(Date.parse(written.endedAt ?? "") >= Date.parse(written.startedAt ?? ""));

  const page = readPage(html);
  assert.match(page, /Not all: 3 of 303 session files are not in Redis\./);
  assert.match(page, /Redis was away for/);
  assert.match(page, /&lt;b&gt;sessions\/werkzeug_[0-9a-f]{6}….sess/);
  assert.deepEqual(
    readdirSync(top).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

test("report: the closing words of a run, again", async () => {
  const { exitCode, stdout, stderr } = await run(["report", join(top, "copy.json")]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^NOT ALL: 3 of 303 sessions are not in Redis/);
  assert.match(stdout, /corrupt 3/);
  assert.match(stderr, /^Next {2}tele-sessions report \S+copy\.json( \\\n {5})? --html report\.html\n$/);
});

test("verify and purge --html: differences by path, with their remedies", async () => {
  const [html, left] = [join(top, "verify.html"), join(top, "purge.html")];
  const keys = await redisCommand(redis, "KEYS", "session:*");
  const [key = ""] = Array.isArray(keys) ? keys.map(String) : [];
  await redisCommand(redis, "SET", key, '{"db": "other"}');
  const verified = await run(["verify", ...between(directory, redis), "--html", html, "--max-failed", "3"]);
  assert.equal(verified.exitCode, 4, verified.stderr);
  assert.match(readPage(html), /<h3>1 difference<\/h3>.*>(wrong-lifetime|different)<.*Run copy again/s);
  const purged = await run([
    ...["purge", ...between(directory, redis), "--dry-run", "--html", left, "--max-failed", "3"],
  ]);
  assert.match(readPage(left), /Nothing was changed.*the file would be removed/s, purged.stderr);
});

test("report --html: the three parts of one job become one page", async () => {
  const shards = [1, 2, 3].map((index) => join(top, `shard-${index}.json`));
  await redisCommand(redis, "FLUSHALL");
  for (const [index, report] of shards.entries()) {
    const part = join(top, `part-${index}`);
    mkdirSync(part);
    const names = readdirSync(directory).filter((_, at) => at % 3 === index);
    for (const name of names) copyFileSync(join(directory, name), join(part, name));
    await run(["copy", ...between(part, redis), "--report", report]);
  }
  const html = join(top, "job.html");
  const { exitCode, stdout, stderr } = await run(["report", ...shards, "--html", html]);
  assert.deepEqual([exitCode, stdout], [0, ""]);
  assert.match(stderr.replace(/\s+/g, " "), /^Next open \S+job\.html in a browser, or print it/);
  assert.match(readPage(html), /3 of 303 session files are not in Redis/);

  const printed = await run(["report", ...shards, "--html", html, "--quiet"]);
  assert.deepEqual([printed.exitCode, printed.stdout, printed.stderr], [0, "", ""]);
});

test("report --json: one object with the merged report", async () => {
  const file = join(top, "shard-1.json");
  const { stdout } = await runCommand(["report", file, join(top, "shard-2.json"), "--json"]);
  const { tool, command, exitCode, files, page, report, error } = JSON.parse(stdout);
  assert.deepEqual([tool, command, exitCode, page, error], ["tele-sessions", "report", 0, null, undefined]);
  assert.deepEqual(files, [file, join(top, "shard-2.json")]);
  assert.equal(report.sessions.found + readReportFile(join(top, "shard-3.json")).sessions.found, 303);
  const refused = await runCommand(["report", join(top, "none.json"), "--json"]);
  const answer = JSON.parse(refused.stdout);
  assert.deepEqual([answer.exitCode, answer.report, refused.exitCode], [2, null, 2]);
  const why = "none.json cannot be read: no such file or directory; check the path (ENOENT)";
  assert.ok(answer.error.endsWith(why), answer.error);
  assert.match(refused.stderr, /^error: report: [^\n]+\(ENOENT\)\nExit 2: nothing was touched\n$/);
  const quiet = await runCommand(["report", join(top, "none.json"), "--json", "--quiet"]);
  assert.match(quiet.stderr, /^Exit 2: report: [^\n]+\(ENOENT\)\n$/);
});

test("report reads the files of older versions", async () => {
  const fixtures = join(projectRoot, "fixtures", "reports");
  for (const name of readdirSync(fixtures)) {
    const html = join(top, `${name}.html`);
    const { exitCode, stderr } = await run(["report", join(fixtures, name), "--html", html]);
    assert.equal(exitCode, 0, stderr);
    assert.match(readPage(html), /tele-sessions 0\.3\.0: report of/);
  }
});

test("report refuses: exit 2, the reason and the file, and no page", async (t) => {
  const [copy, verify] = [join(top, "shard-1.json"), join(top, "verify.json")];
  await run(["verify", ...between(directory, redis), "--report", verify]);
  const newer = join(top, "newer.json");
  writeFileSync(newer, JSON.stringify({ ...JSON.parse(readFileSync(copy, "utf8")), schemaVersion: 2 }));
  const twin = join(top, "twin.json");
  copyFileSync(copy, twin);
  mkdirSync(join(top, "taken"));
  const html = join(top, "refused.html");
  const rows: readonly (readonly [name: string, args: readonly string[], why: RegExp])[] = [
    ["no file", [], /missing required argument|not valid|file/],
    [
      "a missing file",
      [join(top, "none")],
      /none cannot be read: no such file or directory; check the path \(ENOENT\)/,
    ],
    ["a page", [join(top, "job.html")], /job\.html is not a report: it is not JSON/],
    ["a newer report", [newer], /newer\.json was written by a later version/],
    ["two commands", [copy, verify], /the command differs: copy and verify/],
    ["one file twice", [copy, join(top, ".", "shard-1.json")], /shard-1\.json is given twice/],
    ["a page that is a directory", [copy, "--html", join(top, "taken")], /--html: .*not a regular file/],
    ["a page in no directory", [copy, "--html", join(top, "none", "p.html")], /--html: .*\(ENOENT\)/],
    ["a page on stdout", [copy, "--html", "-"], /--html takes the path of one/],
  ];
  for (const [name, args, why] of rows) {
    await t.test(name, async () => {
      const page = args.includes("--html") ? [] : ["--html", html];
      const { exitCode, stdout, stderr } = await run(["report", ...args, ...page]);
      assert.deepEqual([exitCode, stdout], [2, ""], stderr);
      assert.match(stderr, why);
      assert.match(stderr, /^error: .*\nExit 2: nothing was touched\n$/s);
      assert.ok(!readdirSync(top).some((file) => file === "refused.html" || file.endsWith(".tmp")));
    });
  }
});

test("a copy whose page cannot be written: exit 2, and nothing is copied", async (t) => {
  await redisCommand(redis, "FLUSHALL");
  const report = join(top, "never.json");
  for (const [name, args, why] of [
    ["a directory in its place", ["--html", join(top, "taken")], /--html: .*not a regular file/],
    ["stdout", ["--html", "-"], /--html takes the path of one/],
    ["the report's own file", ["--html", report], /--report and --html name the same file/],
  ] as const) {
    await t.test(name, async () => {
      const { exitCode, stderr } = await run([...["copy", ...between(directory, redis), "--report", report, ...args]]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, why);
      assert.equal(await countKeys(redis), 0);
    });
  }
});

test("a step that is off writes its page too", async () => {
  const html = join(top, "off.html");
  const { exitCode } = await run(["--stop-after-init", "--html", html]);
  assert.equal(exitCode, 0);
  assert.match(readPage(html), /Done: no session file was found/);
});
