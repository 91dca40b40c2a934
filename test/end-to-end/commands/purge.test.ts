import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { compileNative } from "../../../bench/native/compile-native.js";
import { provideCompiler } from "../../../bench/rivals/rival-programs.js";
import { between } from "../../support/process/between.js";
import { program } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { openTerminalWith } from "../../support/terminal/terminal.js";
import { assertCopied } from "../support/assert-copied.js";
import { heldOf, startGate } from "../support/gate.js";
import {
  anonymousLifetimeMs,
  dayMs,
  fullLifetimeMs,
  hourMs,
  keyOf,
  pathOf,
  saveSession,
  sidOf,
} from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const fileValue = '{"db": "x", "uid": 2, "v": "file"}';
const otherValue = '{"db": "x", "uid": 2, "v": "other"}';

function newDirectory(): string {
  return join(makeTemporaryDirectory(), "sessions");
}

/** What lies in a session directory and its scatter folders. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => !lstatSync(join(directory, name)).isDirectory())
    .sort();
}

/**
 * What Redis holds before: a value and when it ends, counted from now (null: never), a list, or
 * nothing.
 */
type Before = readonly [value: string, endsInMs: number | null] | "list" | "nothing";

const rows: readonly {
  readonly name: string;
  readonly before: Before;
  readonly value?: string;
  readonly ageMs?: number;
  readonly outcome: "removed" | "absent" | "kept" | "failed";
  /** Of a purge of this file alone. */
  readonly exitCode: number;
}[] = [
  { name: "an equal entry", before: [fileValue, fullLifetimeMs - hourMs], outcome: "removed", exitCode: 0 },
  {
    name: "an equal entry, a set in another order",
    value: '{"db": "x", "uid": 2, "s": {"_type": "set", "value": [1, 2]}}',
    before: ['{"db": "x", "uid": 2, "s": {"_type": "set", "value": [2, 1]}}', hourMs],
    outcome: "removed",
    exitCode: 0,
  },
  {
    name: "an entry that the server saved after the file",
    before: [otherValue, fullLifetimeMs - hourMs],
    outcome: "removed",
    exitCode: 0,
  },
  {
    name: "another value without a lifetime: just saved",
    before: [otherValue, null],
    outcome: "removed",
    exitCode: 0,
  },
  {
    name: "another value that was saved before the file",
    before: [otherValue, fullLifetimeMs - 2 * dayMs],
    outcome: "kept",
    exitCode: 4,
  },
  {
    name: "another value saved in the future: doubt keeps",
    before: [otherValue, fullLifetimeMs + dayMs],
    outcome: "kept",
    exitCode: 4,
  },
  { name: "a value that is no session: doubt keeps", before: ["oops", hourMs], outcome: "kept", exitCode: 4 },
  { name: "nothing in Redis", before: "nothing", outcome: "absent", exitCode: 4 },
  { name: "a list in Redis", before: "list", outcome: "failed", exitCode: 1 },
  { name: "a corrupt file", value: "{", before: [fileValue, hourMs], outcome: "failed", exitCode: 1 },
  {
    name: "over, and modified less than 7 days ago",
    value: '{"db": "x", "uid": 2, "expiration": -1, "db": "x"}',
    before: "nothing",
    outcome: "kept",
    exitCode: 0,
  },
  {
    name: "over, and modified 8 days ago",
    value: '{"db": "x", "uid": 2, "expiration": -1, "db": "x"}',
    ageMs: 8 * dayMs,
    before: "nothing",
    outcome: "removed",
    exitCode: 0,
  },
  {
    name: "never copied and 8 days old, which a copy would still take",
    ageMs: 8 * dayMs,
    before: "nothing",
    outcome: "absent",
    exitCode: 4,
  },
  {
    name: "an equal entry, and a time in the future: young for ever",
    ageMs: -hourMs,
    before: [fileValue, hourMs],
    outcome: "kept",
    exitCode: 4,
  },
];

function setUp(row: (typeof rows)[number], number: number, directory: string): string[][] {
  const { value = fileValue, ageMs = dayMs, before } = row;
  saveSession(directory, number, value, { mtimeMs: Date.now() - ageMs });
  if (before === "nothing") return [];
  if (before === "list") return [["RPUSH", keyOf(number), "x"]];
  const [held, endsInMs] = before;
  return [["SET", keyOf(number), held, ...(endsInMs === null ? [] : ["PX", String(endsInMs)])]];
}

describe("what a purge removes and what it leaves (spec.md section 4, Purge)", () => {
  test("each kind of file and entry, dry and in earnest", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory();
    await redisPipeline(
      redis,
      rows.flatMap((row, number) => setUp(row, number, directory)),
    );
    const keys = await countKeys(redis);
    const args = ["purge", ...between(directory, redis), "--json", "--list"];
    const dry = await run([...args, "--dry-run"]);
    assert.equal(filesIn(directory).length, rows.length, "a dry run touches nothing");
    const real = await run(args);
    for (const [number, { name, outcome, ageMs = 0 }] of rows.entries()) {
      const told = new RegExp(`^${sidOf(number).slice(0, 6)}… ${outcome}\\b`, "m");
      assert.match(real.stderr, told, name);
      if (ageMs >= 0) assert.match(dry.stderr, told, name);
      assert.equal(existsSync(pathOf(directory, number)), outcome !== "removed", name);
    }
    assert.deepEqual([real.exitCode, dry.exitCode], [1, 1]);
    assert.equal(await countKeys(redis), keys, "purge writes nothing");
  });

  test("the exit code of each alone", async (t) => {
    const redis = await redisOf(t);
    // One of each that differs: what is left is what counts.
    for (const code of [0, 1, 4]) {
      const directory = newDirectory();
      await redisCommand(redis, "FLUSHALL");
      const alike = rows.flatMap((row, number) => (row.exitCode === code ? [[row, number] as const] : []));
      await redisPipeline(
        redis,
        alike.flatMap(([row, number]) => setUp(row, number, directory)),
      );
      const args = ["purge", ...between(directory, redis)];
      assert.equal((await run(args)).exitCode, code);
      if (code === 1) assert.equal((await run([...args, "--max-failed", "9"])).exitCode, 4, "they are left");
    }
  });
});

test("copy --purge: every session is right in Redis, and only what is no session is left", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const [directory, manifest] = [join(top, "s"), join(top, "manifest")];
  await makeSessions(directory, { count: 600, strays: true, manifest });
  const port = String(redis.port);
  const dry = await run(["copy", "--purge", "--session-dir", directory, "--port", port, "--json", "--dry-run"]);
  assert.deepEqual([dry.exitCode, dry.report.sessions.purged], [0, 600]);
  const before = filesIn(directory);
  const beganMs = Date.now();
  const { exitCode, stderr, report } = await run([
    ...["copy", "--purge", "--session-dir", directory, "--port", port, "--json"],
  ]);
  assert.equal(exitCode, 0, stderr);
  const { copied, expired, purged, found } = report.sessions;
  assert.deepEqual({ copied, expired, purged, found }, { copied: 600, expired: 10, purged: 600, found: 610 });
  assert.match(stderr, /Redis has no persistence/);
  await assertCopied(redis, { manifest, beganMs, sessions: 610, expired: 10 });
  const after = filesIn(directory);
  assert.equal(before.length - after.length, 600);
  assert.deepEqual(
    after.filter((name) => name.includes(".tele-sessions")),
    [],
  );
  const again = await run(["copy", "--purge", "--session-dir", directory, "--port", port, "--json"]);
  assert.deepEqual([again.exitCode, again.report.sessions.found], [0, 10], again.stderr);
});

test("never: a symlink or what it points to, no session, an empty file, a directory", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  const outside = join(makeTemporaryDirectory(), "outside");
  writeFileSync(outside, fileValue);
  saveSession(directory, 1, fileValue);
  symlinkSync(outside, pathOf(directory, 2));
  writeFileSync(pathOf(directory, 3), "");
  mkdirSync(pathOf(directory, 4));
  writeFileSync(join(directory, `werkzeug_${sidOf(5)}.sess.bak`), fileValue);
  for (const number of [1, 2, 3, 4, 5]) {
    await redisCommand(redis, "SET", keyOf(number), fileValue, "PX", String(hourMs));
  }
  const args = ["--session-dir", directory, "--json", "--allow-missing"];
  for (const more of [
    ["--port", String(redis.port)],
    ["--unverified", "--yes"],
  ]) {
    const { exitCode, stderr, report } = await run(["purge", ...args, ...more]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.found, more[0] === "--port" ? 1 : 0);
    assert.equal(report.source.empty, 1);
    assert.deepEqual(
      [2, 3, 4].map((number) => existsSync(pathOf(directory, number))),
      [true, true, true],
    );
    assert.ok(existsSync(outside) && !existsSync(pathOf(directory, 1)));
  }
});

test("copy --purge, a scatter folder that cannot be read after the copy: exit 3, nothing removed", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  for (let number = 1; number <= 20; number++) {
    saveSession(directory, number, fileValue, { layout: number === 20 ? "flat" : "scattered" });
  }
  const folder = dirname(pathOf(directory, 1, "scattered"));
  // Then no later pass takes them again, if there is one. Listings: the look for sessions, the main
  // pass, and those of the purge.
  await pause(2100);
  const refusing = await compileNative(await provideCompiler(), "refused_folder", makeTemporaryDirectory(), [
    "-shared",
    "-fPIC",
    "-ldl",
  ]);
  const { exitCode, stderr, report } = await run(["copy", "--purge", ...between(directory, redis), "--json"], {
    environment: { LD_PRELOAD: refusing, REFUSED_FOLDER: folder, REFUSED_BEHIND: "2" },
  });
  assert.equal(exitCode, 3, stderr);
  assert.match(stderr, /^error: the directory .* cannot be read \(EACCES\)$/m);
  assert.deepEqual([report.sessions.copied, report.sessions.purged], [20, 0]);
  assert.equal(filesIn(directory).length, 20);
});

describe("a directory that a server still uses (spec.md section 4, Purge)", () => {
  for (const inUse of [false, true]) {
    test(`copy --purge${inUse ? " --in-use" : ""} while a session is saved`, async (t) => {
      const redis = await redisOf(t);
      const directory = newDirectory();
      await makeSessions(directory, { count: 600, layouts: ["flat"] });
      const gate = await startGate(t, redis.port, 100_000);
      const running = start([
        ...["copy", "--purge", ...between(directory, gate), "--json"],
        ...(inUse ? ["--in-use"] : []),
      ]);
      await heldOf(gate, running.result);
      saveSession(directory, 1, fileValue, { mtimeMs: Date.now() });
      gate.open();
      const { exitCode, stderr, report } = await running.result;
      assert.deepEqual([exitCode, report.sessions.purged], inUse ? [0, 601] : [4, 0], stderr);
      assert.equal(filesIn(directory).length, inUse ? 0 : 601);
      if (!inUse) assert.match(stderr, /a server is still using this directory\. Nothing was removed; use --in-use/);
      assert.equal(await countKeys(redis), 601);
    });

    test(`purge${inUse ? " --in-use" : ""} while a session is saved`, async (t) => {
      const redis = await redisOf(t);
      const directory = newDirectory();
      await makeSessions(directory, { count: 600, layouts: ["flat"] });
      const copied = await run(["copy", ...between(directory, redis)]);
      assert.equal(copied.exitCode, 0);
      await redisCommand(redis, "SET", keyOf(1), fileValue, "PX", String(fullLifetimeMs));
      const gate = await startGate(t, redis.port, 5000);
      const running = start(["purge", ...between(directory, gate), "--json", ...(inUse ? ["--in-use"] : [])]);
      await heldOf(gate, running.result);
      // Names that sort and hash anywhere: some of them are read behind the gate.
      for (let number = 1; number <= 200; number++) {
        await redisCommand(redis, "SET", keyOf(number), fileValue, "PX", String(fullLifetimeMs));
        saveSession(directory, number, fileValue, { mtimeMs: Date.now() });
      }
      gate.open();
      const { exitCode, stderr, report } = await running.result;
      if (inUse) assert.equal(exitCode, 0, stderr);
      else {
        assert.deepEqual([exitCode, report.sessions.purged], [4, 0], stderr);
        assert.match(stderr, /a server is still using this directory\. Nothing more was removed/);
        assert.equal(filesIn(directory).length, 800);
      }
    });
  }
});

test("files that are only touched meanwhile, their rights or their owners, are none that a server uses", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  await makeSessions(directory, { count: 600, layouts: ["flat"] });
  const gate = await startGate(t, redis.port, 100_000);
  const args = ["copy", "--purge", ...between(directory, gate), "--json"];
  const running = start(args);
  await heldOf(gate, running.result);
  for (const name of filesIn(directory)) chmodSync(join(directory, name), 0o640);
  gate.open();
  const { exitCode, stderr, report } = await running.result;
  assert.deepEqual([exitCode, report.sessions.purged], [0, 600], stderr);
  assert.ok((report.passes[1]?.found ?? 0) > 100, "they are looked at again");
  assert.deepEqual(filesIn(directory), []);
});

test("a file that changed between the proof and its removal stays, and the next run copies it", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  for (let number = 1; number <= 20; number++) saveSession(directory, number, fileValue);
  const port = String(redis.port);
  assert.equal((await run(["copy", "--session-dir", directory, "--port", port])).exitCode, 0);
  // The others are old enough to be proven once.
  await pause(2100);
  // A young file makes the purge wait between both: within that time another one is replaced.
  saveSession(directory, 21, fileValue, { mtimeMs: Date.now() + 1000 });
  await redisCommand(redis, "SET", keyOf(21), fileValue, "PX", String(hourMs));
  const gate = await startGate(t, redis.port, 8000);
  const running = start(["purge", ...between(directory, gate), "--json"]);
  await heldOf(gate, running.result);
  gate.open();
  saveSession(directory, 7, otherValue);
  const { exitCode, stderr } = await running.result;
  assert.ok(existsSync(pathOf(directory, 7)), stderr);
  assert.equal(exitCode, 4, stderr);
  const again = await run(["copy", "--session-dir", directory, "--port", port, "--on-conflict", "overwrite"]);
  assert.equal(again.exitCode, 0, again.stderr);
  assert.equal(String(await redisCommand(redis, "GET", keyOf(7))), otherValue);
});

describe("--unverified: without asking Redis", { concurrency: 2 }, () => {
  const nobody = findFreePort();
  test("needs --yes if there is no terminal: exit 2, nothing touched", async () => {
    const directory = newDirectory();
    const path = saveSession(directory, 1, fileValue);
    const { exitCode, stderr } = await run(["purge", "--unverified", "--session-dir", directory]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /--unverified must be confirmed, and there is no terminal/);
    assert.ok(existsSync(path));
  });

  test("with --yes: removes what can be decoded, no Redis is asked", async () => {
    const directory = newDirectory();
    for (let number = 1; number <= 5; number++) saveSession(directory, number, number === 5 ? "{" : fileValue);
    const { exitCode, stderr, report } = await run([
      ...["purge", "--unverified", "--yes", "--session-dir", directory, "--port", String(await nobody), "--json"],
    ]);
    assert.deepEqual([exitCode, Reflect.get(report.sessions, "removed")], [0, 4], stderr);
    assert.equal(filesIn(directory).length, 1, "what cannot be decoded stays");
  });

  for (const [typed, code, left] of [
    ["remove\r", 0, 0],
    ["yes\r", 2, 3],
    ["\x04", 2, 3],
    ["\x03", 130, 3],
  ] as const) {
    test(`in a terminal, where ${JSON.stringify(typed)} is typed: exit ${code}`, async () => {
      const directory = newDirectory();
      for (let number = 1; number <= 3; number++) saveSession(directory, number, fileValue);
      const terminal = await openTerminalWith([...[...program, "purge", "--unverified", "--session-dir", directory]]);
      await terminal.waitFor(
        /This removes the session files in\s[\s\S]*\s\(3\)\s[\s\S]*Type "remove" to begin \(or give --yes\): $/,
      );
      terminal.type(typed);
      const { exitCode, output } = await terminal.result;
      assert.equal(exitCode, code, output);
      assert.equal(filesIn(directory).length, left);
    });
  }
});

describe("in a terminal a purge asks before it begins (spec.md section 4, Purge)", { concurrency: 2 }, () => {
  const word = new RegExp(
    "\\r\\n {2}! Redis has no persistence: a restart would log out everyone\\.\\r\\n\\r\\n" +
      'Type "remove" to begin \\(or give --yes\\): $',
  );
  const yesOrNo = /Begin\? \[y\/N\] \(or give --yes\): $/;
  const saving = ["--save", "3600 1"];
  const rows: readonly {
    readonly name: string;
    readonly command: readonly string[];
    readonly settings?: readonly string[];
    /** Absent if nothing is asked. */
    readonly question?: RegExp;
    readonly typed?: string;
    readonly exit: number;
    readonly left: number;
    /** Keys in Redis at the end, of three sessions. */
    readonly keys?: number;
  }[] = [
    {
      name: "purge, no persistence: the word",
      command: ["purge"],
      question: word,
      typed: "remove\r",
      exit: 0,
      left: 0,
    },
    {
      name: "purge, no persistence: y is not enough",
      command: ["purge"],
      question: word,
      typed: "y\r",
      exit: 2,
      left: 3,
    },
    {
      name: "purge, persistence: y",
      command: ["purge"],
      settings: saving,
      question: yesOrNo,
      typed: "y\r",
      exit: 0,
      left: 0,
    },
    {
      name: "purge, persistence: Enter declines",
      command: ["purge"],
      settings: saving,
      question: yesOrNo,
      typed: "\r",
      exit: 2,
      left: 3,
    },
    {
      name: "purge, persistence: no",
      command: ["purge"],
      settings: saving,
      question: yesOrNo,
      typed: "n\r",
      exit: 2,
      left: 3,
    },
    { name: "purge: Ctrl-C", command: ["purge"], question: word, typed: "\x03", exit: 130, left: 3 },
    { name: "purge --yes asks nothing", command: ["purge", "--yes"], exit: 0, left: 0 },
    { name: "purge --dry-run asks nothing", command: ["purge", "--dry-run"], exit: 0, left: 3 },
    {
      name: "copy --purge: the word",
      command: ["copy", "--purge"],
      question: word,
      typed: "remove\r",
      exit: 0,
      left: 0,
      keys: 3,
    },
    {
      name: "copy --purge: declined, nothing is written",
      command: ["copy", "--purge"],
      question: word,
      typed: "\r",
      exit: 2,
      left: 3,
      keys: 0,
    },
    {
      name: "copy --purge --yes asks nothing",
      command: ["copy", "--purge", "--yes"],
      exit: 0,
      left: 0,
      keys: 3,
    },
    { name: "copy asks nothing", command: ["copy"], exit: 0, left: 3, keys: 3 },
    { name: "verify asks nothing", command: ["verify"], exit: 0, left: 3 },
  ];
  const entryOf = (number: number) => ["SET", keyOf(number), fileValue, "PX", fullLifetimeMs - hourMs];
  for (const { name, command, settings = [], question, typed = "", exit, left, keys } of rows) {
    test(name, async (t) => {
      const redis = await redisOf(t, { args: settings });
      const directory = newDirectory();
      for (let number = 1; number <= 3; number++) saveSession(directory, number, fileValue);
      const place = between(directory, redis);
      if (command[0] !== "copy") await redisPipeline(redis, [1, 2, 3].map(entryOf));
      const terminal = await openTerminalWith([...program, ...command, ...place]);
      if (question !== undefined) {
        await terminal.waitFor(question);
        assert.match(
          terminal.output().replaceAll(/\s+/g, " "),
          /the session files in .* \(3\).* After that, Redis has the only copy\./,
        );
        terminal.type(typed);
      }
      const { exitCode, output } = await terminal.result;
      assert.equal(exitCode, exit, output);
      assert.equal(filesIn(directory).length, left);
      if (question === undefined) assert.doesNotMatch(output, /the only copy/);
      if (exit === 2) assert.match(output, /not confirmed: nothing was (copied or )?removed/);
      if (keys === 0) assert.equal(await redisCommand(redis, "DBSIZE"), 0, "not even a mark");
      if (keys !== undefined) assert.equal(await countKeys(redis), keys);
    });
  }
});

describe("files that a crash left aside", () => {
  const aside = (number: number, pid = 4_000_000) =>
    `.tele-sessions-${pid}-0123456789abcdef-werkzeug_${sidOf(number)}.sess`;

  test("a copy puts them back and copies them; a dry run and verify only tell", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory();
    saveSession(directory, 1, fileValue);
    writeFileSync(join(directory, aside(2)), otherValue);
    // A later save stands in its place.
    saveSession(directory, 3, fileValue, { mtimeMs: Date.now() + 1000 });
    writeFileSync(join(directory, aside(3)), otherValue);
    const args = [...between(directory, redis), "--json"];
    for (const command of [["verify"], ["copy", "--dry-run"], ["purge", "--dry-run"]]) {
      const { stderr } = await run([...command, ...args]);
      assert.match(stderr, /a purge that was interrupted, or still runs, has set 2 session files aside/);
      assert.ok(existsSync(join(directory, aside(2))));
    }
    const { exitCode, stderr, report } = await run(["copy", ...args]);
    assert.deepEqual([exitCode, report.sessions.copied, report.sessions.found], [0, 3, 3], stderr);
    assert.match(stderr, /put back 1 session file that an interrupted purge had set aside/);
    assert.deepEqual(
      filesIn(directory),
      [1, 2, 3].map((number) => `werkzeug_${sidOf(number)}.sess`),
    );
    const values = await redisPipeline(
      redis,
      [1, 2, 3].map((number) => ["GET", keyOf(number)]),
    );
    assert.deepEqual(values.map(String), [fileValue, otherValue, fileValue]);
  });
});

test("a file that an interrupted purge left aside was not compared: verify says so, exit 4", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  saveSession(directory, 1, fileValue);
  const args = [...between(directory, redis), "--json"];
  assert.equal((await run(["copy", ...args])).exitCode, 0);
  assert.equal((await run(["verify", ...args])).exitCode, 0);
  writeFileSync(join(directory, `.tele-sessions-4000000-0123456789abcdef-werkzeug_${sidOf(2)}.sess`), "{}");
  const { exitCode, report, stderr } = await run(["verify", ...args]);
  assert.deepEqual([exitCode, report.sessions.found], [4, 1], stderr);
});

test("--stop-after-init with PURGE alone removes all, and says how many Redis did not hold", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  for (let number = 1; number <= 5; number++) saveSession(directory, number, fileValue);
  saveSession(directory, 6, "{");
  await redisCommand(redis, "SET", keyOf(1), fileValue, "PX", String(anonymousLifetimeMs));
  const environment = { TELE_SESSION_REDIS: "1", TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1" };
  const step = ["--stop-after-init", "--session-dir", directory, "--json", "--port"];

  const lost = await run([...step, String(await findFreePort())], { environment });
  assert.equal(lost.exitCode, 3, "a Redis that cannot be asked");
  assert.equal(filesIn(directory).length, 6, "nothing removed");

  const { exitCode, stderr, report } = await run([...step, String(redis.port)], { environment });
  assert.equal(report.command, "stop-after-init");
  assert.deepEqual([Reflect.get(report.sessions, "removed"), report.sessions.failed], [5, 1], stderr);
  assert.match(stderr, /4 session files removed that Redis did not hold/);
  assert.equal(exitCode, 0, "what failed stays, and the rest was removed");
  assert.deepEqual(filesIn(directory), [`werkzeug_${sidOf(6)}.sess`]);
});

test("--stop-after-init with both switches copies, then purges what is proven", async (t) => {
  const redis = await redisOf(t);
  const directory = newDirectory();
  await makeSessions(directory, { count: 300 });
  const environment = {
    TELE_SESSION_REDIS: "1",
    TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1",
    TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1",
  };
  const { exitCode, stderr, report } = await run(["--stop-after-init", ...between(directory, redis), "--json"], {
    environment,
  });
  assert.deepEqual([exitCode, report.sessions.copied, report.sessions.purged], [0, 300, 300], stderr);
  assert.deepEqual(filesIn(directory), []);
  assert.equal(await countKeys(redis), 300);
});

test("a managed Redis hides CONFIG: nothing is known of its disk, and originals are removed", async (t) => {
  const redis = await redisOf(t, { args: ["--rename-command", "CONFIG", ""] });
  const directory = join(makeTemporaryDirectory(), "s");
  saveSession(directory, 1, fileValue);
  const { exitCode, stderr, report } = await run(["copy", "--purge", ...between(directory, redis), "--json"]);
  assert.deepEqual([exitCode, report.sessions.purged], [0, 1], stderr);
  assert.match(report.warnings.join(), /^Redis does not say whether it saves to disk/);
});

test("a Redis that refuses writes, as for want of replicas: exit 5, and nothing is removed", async (t) => {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  saveSession(directory, 1, fileValue);
  const args = [...between(directory, redis), "--json"];
  assert.equal((await run(["copy", ...args])).exitCode, 0);
  await redisCommand(redis, "CONFIG", "SET", "min-replicas-to-write", "1");
  const { exitCode, stderr, report } = await run(["purge", ...args]);
  assert.deepEqual([exitCode, report.sessions.purged], [5, 0], stderr);
  assert.equal(filesIn(directory).length, 1);
});
