import assert from "node:assert/strict";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisPipeline } from "../../support/servers/redis-command.js";
import { openTerminal } from "../../support/terminal/terminal.js";
import { heldOf, startGate } from "../support/gate.js";
import { dayMs, keyOf, pathOf, saveSession, sidOf } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";
import { drawScreen } from "../support/screen.js";

const value = '{"db": "x", "uid": 2, "v": "file"}';
const expired = '{"db": "x", "uid": 2, "expiration": -1}';

/** A directory with so many sessions, a day old. */
function sessionsOf(count: number): string {
  const directory = join(makeTemporaryDirectory(), "sessions");
  for (let number = 0; number < count; number++) saveSession(directory, number, value);
  return directory;
}

/** The words that the last line gives to a shell; none if it is a sentence only. */
function nextCommand(stderr: string): string[] {
  const last = stderr.slice(stderr.lastIndexOf("\nNext  ")).replaceAll(/\s*\\?\n\s*/g, " ");
  const [, words = ""] = /tele-sessions (.*)$/.exec(last.trim()) ?? [];
  return words === "" ? [] : words.split(" ");
}

/** Whether a line of a list names a session of this kind. */
function listed(stderr: string, number: number, kind: string): boolean {
  return new RegExp(`^ {6}sessions/werkzeug_${sidOf(number).slice(0, 6)}….sess {2}${kind}: .`, "m").test(stderr);
}

test("every Next line is the right next command, from the rehearsal to the purge", async (t) => {
  const redis = await redisOf(t, { args: ["--appendonly", "yes"] });
  const directory = sessionsOf(20);
  saveSession(directory, 20, expired);
  const flags = `--session-dir ${directory} --port ${redis.port}`;

  const rehearsal = await run(["copy", ...flags.split(" "), "-n"]);
  assert.match(rehearsal.stderr, /^Dry run: nothing was changed\. All 21 sessions of/m);
  assert.match(rehearsal.stderr, /^ {2}would be in Redis +20 {3}20 to copy$/m);
  assert.equal(nextCommand(rehearsal.stderr).join(" "), `copy ${flags}`);

  const first = await run(nextCommand(rehearsal.stderr));
  assert.match(first.stderr, /^Done\. All 21 sessions of[\s\S]*^ {2}in Redis +20 {3}20 copied now$/m);
  assert.match(first.stderr, /^Next {2}switch the server to session_redis, then run the same command again/m);
  assert.equal(nextCommand(first.stderr).join(" "), `verify ${flags}`);

  // The server is switched, and saves a session in Redis.
  await redisPipeline(redis, [["SET", keyOf(30), value, "EX", "604800"]]);
  const second = await run(["copy", ...flags.split(" "), "--json"]);
  assert.match(second.stderr, /^ {2}in Redis +20 {3}20 already there$/m);
  assert.deepEqual([second.report.sessions.identical, second.report.listed], [20, 21]);
  assert.equal(nextCommand(second.stderr).join(" "), `verify ${flags}`);

  const verified = await run(nextCommand(second.stderr));
  assert.match(verified.stderr, /^Done\. All 21 sessions of/m);
  assert.equal(nextCommand(verified.stderr).join(" "), `purge ${flags} --dry-run`);

  const foreseen = await run(nextCommand(verified.stderr));
  assert.match(foreseen.stderr, /^ {2}would be removed +20 {3}proven to be in Redis$/m);
  assert.doesNotMatch(foreseen.stderr, /were removed|the file removed/);
  assert.equal(nextCommand(foreseen.stderr).join(" "), `purge ${flags}`);

  const purged = await run(nextCommand(foreseen.stderr));
  assert.match(purged.stderr, /^Done\. 20 of 21 session files of/m);
  // What expired less than 7 days ago stays a while.
  assert.match(purged.stderr, /\nNext {2}in 7 days, run the same command again/);
  assert.equal(readdirSync(directory).length, 1);
  const old = (Date.now() - 8 * dayMs) / 1000;
  utimesSync(pathOf(directory, 20), old, old);
  const last = await run(["purge", ...flags.split(" ")]);
  assert.match(last.stderr, /\nNext {2}nothing more to do\n$/);
});

describe("what verify finds is named, with the command that mends it", () => {
  test("10 missing, 1 different, 10 wrong lifetimes: counted, listed, and mended", async (t) => {
    const redis = await redisOf(t);
    const directory = sessionsOf(30);
    const args = between(directory, redis);
    await run(["copy", ...args]);
    const persist = Array.from({ length: 10 }, (_, number) => ["PERSIST", keyOf(number)]);
    await redisPipeline(redis, persist);
    // Saved in files after the copy.
    for (let number = 30; number < 40; number++) saveSession(directory, number, value, { mtimeMs: Date.now() });
    saveSession(directory, 20, '{"db": "x", "uid": 2, "v": "later"}', { mtimeMs: Date.now() });

    const found = await run(["verify", ...args, "--json"]);
    assert.equal(found.exitCode, 4, found.stderr);
    assert.match(found.stderr, /^NOT ALL: 21 of 40 sessions are not in Redis as they should be\.$/m);
    for (const row of ["in Redis +19", "MISSING +10", "DIFFERENT +1", "WRONG LIFETIME +10"]) {
      assert.match(found.stderr, new RegExp(`^ {2}${row} {3}`, "m"));
    }
    assert.equal(found.stderr.match(/^ {6}sessions\/werkzeug_/gm)?.length, 10);
    const named = found.report.differences.filter(({ file }) => file.startsWith(directory));
    assert.equal(named.length, 21);
    assert.match(found.stderr, /^ {6}11 more \(--report FILE lists them all\)/m);
    assert.match(found.stderr, /\nExit 4: 10 missing, 1 different, 10 with a wrong lifetime\n$/);

    const quiet = await run(["verify", ...args, "--quiet"]);
    assert.equal(
      quiet.stderr,
      "Exit 4: 10 missing, 1 different, 10 with a wrong lifetime. " +
        "21 of 40 sessions are not in Redis as they should be\n",
    );

    const mend = /^Mend {2}tele-sessions ([\s\S]*?)\nExit/m.exec(found.stderr)?.[1] ?? "";
    assert.equal((await run(mend.split(/[\s\\]+/))).exitCode, 0);
    assert.equal((await run(["verify", ...args])).exitCode, 0);
  });

  test("what a purge left is named, with the command that mends it; --quiet says it in a line", async (t) => {
    const redis = await redisOf(t, { args: ["--appendonly", "yes"] });
    const directory = sessionsOf(6);
    const args = between(directory, redis);
    await run(["copy", ...args]);
    // Saved in a file after the copy, and never copied.
    saveSession(directory, 7, value);
    await redisPipeline(redis, [["SET", keyOf(30), value, "EX", "604800"]]);

    const quiet = await run(["purge", ...args, "--quiet", "--dry-run"]);
    assert.equal(quiet.exitCode, 4, quiet.stderr);
    assert.match(quiet.stderr, /^Exit 4: session files would be left: 1 that Redis does not hold\. 6 of 7 session/);

    const purged = await run(["purge", ...args]);
    assert.match(purged.stderr, /^NOT ALL: 6 of 7 session files were removed\.$/m);
    assert.match(purged.stderr, /^ {2}ABSENT +1 {3}left: Redis does not hold them$/m);
    assert.ok(listed(purged.stderr, 7, "absent"), purged.stderr);
    assert.match(purged.stderr, /\nMend {2}tele-sessions copy [\s\S]*\nExit 4: session files left: 1 that Redis does/);
  });
});

test("Redis goes away in the middle: what is in Redis, out of everything, and what to do", async (t) => {
  const count = 1500;
  const directory = sessionsOf(count);
  const redis = await redisOf(t);
  const gate = await startGate(t, redis.port, 100_000);
  const running = start(["copy", ...between(directory, gate), "--retry-for", "0", "--json"]);
  await heldOf(gate, running.result);
  await redis.stop();
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.equal(exitCode, 3, stderr);
  const { copied, unvisited } = report.sessions;
  assert.equal(report.listed, count);
  const text = (number: number) => number.toLocaleString("en");
  assert.match(stderr, new RegExp(`^FAILED: ${text(copied)} of 1,500 sessions`, "m"));
  assert.match(stderr, new RegExp(`; ${text(unvisited)}\\s(were|was)\\snot\\sreached\\.$`, "m"));
  assert.match(stderr, /\nExit 3: Redis could not be used\. What was done stays done: run the same command again\n$/);
});

describe("refusals", () => {
  const rows: readonly (readonly [name: string, args: readonly string[], error: RegExp])[] = [
    [
      "a report below a directory that is missing",
      ["copy", "--report", "/none/r.json"],
      /^error: --report: \/none\/r\.json cannot be written: no such file or directory; check the path \(ENOENT\)$/m,
    ],
    [
      "a password file that is missing",
      ["copy", "--password-file", "/none"],
      /cannot be read: no such file or directory; check the path \(ENOENT\)$/m,
    ],
    ["-h with a word", ["copy", "-h", "redis.example"], /^error: -h is help; the host is --host redis\.example$/m],
    ["a flag as a command", ["dry-run"], /^error: dry-run is a flag: tele-sessions copy --dry-run$/m],
    ["no command", [], /^Topics: [\s\S]*^error: no command given$/m],
  ];
  for (const [name, args, error] of rows) {
    test(`${name}: the error, then Exit 2; with --quiet one line`, async () => {
      const { exitCode, stderr, stdout } = await run(args);
      assert.deepEqual([exitCode, stdout], [2, ""], stderr);
      assert.match(stderr, error);
      assert.match(stderr, /\nExit 2: nothing was touched\n$/);
      const quiet = await run([...args, "--quiet"]);
      assert.match(quiet.stderr, /^Exit 2: [^\n]+\n$/);
    });
  }

  test("what was typed is never shown: a URL with a password becomes its variable", async (t) => {
    const redis = await redisOf(t);
    const directory = sessionsOf(1);
    const url = `redis://:hunter2@127.0.0.1:${redis.port}/0`;
    const { stderr } = await run(["copy", "--session-dir", directory, "--url", url, "-v"]);
    assert.doesNotMatch(stderr, /hunter2/);
    assert.match(stderr, /--url "\$TELE_SESSION_REDIS_URL"$/m);
  });
});

test("--verbose: settings with what gave them, Redis, keys, the server, threads and passes", async (t) => {
  const redis = await redisOf(t);
  const directory = sessionsOf(3);
  writeFileSync(join(directory, "..", "tele.conf"), `[options]\ndata_dir = ${join(directory, "..")}\n`);
  const { stderr } = await run(["copy", "-v", "--config", join(directory, "..", "tele.conf"), "--ttl", "remaining"], {
    environment: { TELE_SESSION_REDIS_PORT: String(redis.port) },
  });
  const text = stderr.replaceAll(/\s+/g, " ");
  for (const said of [
    /settings --session-dir \S+\/sessions \(\S+\/tele\.conf\)/,
    /--ttl remaining \(flag\)/,
    new RegExp(`--port ${redis.port} \\(TELE_SESSION_REDIS_PORT\\)`),
    / by default: .*--expiration 604800/,
    /listed 3 session files in /,
    /1 thread: with \d+ processors? and this many files/,
    /Redis \d+\.\d+\.\d+, .*its clock agrees with ours/,
    /keys: session:<sid>, because nothing in Redis says otherwise/,
    /the server works on files: Redis holds no key that a server saved, no earlier complete run over/,
    /no later pass: no session file changed since its folder was listed/,
  ]) {
    assert.match(text, said);
  }
  const plain = await run(["copy", ...between(directory, redis)]);
  assert.doesNotMatch(plain.stderr, /settings|thread:|keys:/);
});

for (const columns of [40, 80]) {
  test(`a terminal of ${columns} columns: no line of the closing words is broken by the terminal`, async (t) => {
    const redis = await redisOf(t);
    const directory = sessionsOf(5);
    saveSession(directory, 6, "garbage");
    const terminal = await openTerminal(["copy", ...between(directory, redis), "--no-progress"], { columns });
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 1);
    const { lines, wraps } = drawScreen(output, columns);
    // The paths of this machine may be longer than the screen.
    const cut = lines.filter((line) => line.length === columns && !line.includes("/"));
    assert.deepEqual(wraps === 0 ? [] : cut, [], output);
    assert.match(lines.join(" ").replaceAll(/\s+/g, " "), /NOT ALL: 1 of 6 sessions .*Exit 1: more sessions failed/);
  });
}
