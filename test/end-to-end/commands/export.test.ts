import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { between } from "../../support/process/between.js";
import { letOthersPass } from "../../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { connectRedis } from "../../support/servers/redis-client.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { dayMs, fullLifetimeMs, hourMs, keyOf, pathOf, saveSession, sidOf } from "../support/made-session.js";
import { run, start } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const nobody = 65_534;
const asNobody = ["setpriv", "--reuid", String(nobody), "--regid", String(nobody), "--clear-groups"];

/** A session directory as servers make it: 0700, of an owner of its own. */
function makeDirectory(owner = 0): string {
  const directory = join(makeTemporaryDirectory(), "s");
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, owner, owner);
  return directory;
}

function textOf(note: string): string {
  return `{"db": "x", "uid": 2, "note": "${note}"}`;
}

/** Sets a key as a server saves it: so long ago, with a lifetime that is no copy's. */
function savedAgo(number: number, note: string, agoMs = hourMs): string[] {
  // A second that is not signed but by one chance in a thousand.
  const expiresMs = Math.floor((Date.now() - agoMs + fullLifetimeMs) / 1000) * 1000 + (number % 7);
  return ["SET", keyOf(number), textOf(note), "PXAT", String(expiresMs)];
}

async function fill(redis: RedisServer, count: number): Promise<void> {
  await redisPipeline(
    redis,
    Array.from({ length: count }, (_, number) => savedAgo(number, `value ${number}`)),
  );
}

/** Waits until an export has written this many files. */
function untilWritten(directory: string, count: number): Promise<void> {
  const files = () => namesIn(directory).filter((name) => name.endsWith(".sess") && !name.startsWith("tmp"));
  return waitUntil(`${count} session files are written`, () => files().length >= count);
}

/** Names below a directory, session files or not. A file renamed while this looks is left out. */
function namesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => lstatSync(join(directory, name), { throwIfNoEntry: false })?.isFile())
    .sort();
}

/** Every session key with its value and when it expires. */
async function keysOf(redis: RedisServer): Promise<Map<string, readonly [value: string, expiresMs: number]>> {
  const client = await connectRedis(redis);
  const [found] = await client.pipeline([["KEYS", "session:*"]]);
  const keys = (Array.isArray(found) ? found : []).map(String);
  const replies = await client.pipeline(
    keys.flatMap((key) => [
      ["GET", key],
      ["PEXPIRETIME", key],
    ]),
  );
  client.close();
  return new Map(keys.map((key, at) => [key, [String(replies[2 * at]), Number(replies[2 * at + 1])]]));
}

const inMemory = async (t: TestContext) => ({ redis: await redisOf(t), directory: makeDirectory() });

describe("there and back: keys, values, lifetimes and bytes", () => {
  for (const [server, ...formats] of [
    ["15.0", "pickle4"],
    ["10.0", "python2"],
    ["16.0", "pickle4"],
    ["19.0", "json"],
  ] as const) {
    test(`--server ${server}`, async (t) => {
      const [redis, other] = [await redisOf(t), await redisOf(t)];
      const [first, second] = [makeDirectory(), makeDirectory()];
      const made = join(makeTemporaryDirectory(), "made");
      await makeSessions(made, { count: 400, mtimes: "spread", formats });
      await run(["copy", ...between(made, redis), "--ttl", "remaining", "-q"]);
      const args = [
        "--server",
        server,
        "--json",
        ...(server < "16" || server === "15.0" ? ["--max-failed", "100%"] : []),
      ];
      const { report, stderr } = await run(["export", ...between(first, redis), ...args]);
      const { exported, failed } = report.sessions;
      const keys = await keysOf(redis);
      assert.equal(exported + failed, keys.size, stderr);
      assert.ok(exported > 100);

      await run(["copy", ...between(first, other), "--ttl", "remaining", "-q"]);
      const copied = await keysOf(other);
      assert.equal(copied.size, exported);
      for (const [key, [value, expiresMs]] of copied) {
        const [expected, expectedMs] = keys.get(key) ?? ["", 0];
        assert.equal(value, expected);
        assert.ok(Math.abs(expiresMs - expectedMs) < 3000, `${expiresMs} for ${expectedMs}`);
      }
      await run(["export", ...between(second, other), ...args]);
      assert.deepEqual(namesIn(second), namesIn(first));
      for (const name of namesIn(first)) {
        assert.deepEqual(readFileSync(join(second, name)), readFileSync(join(first, name)));
        const times = [first, second].map((directory) => statSync(join(directory, name)).mtimeMs);
        assert.ok(Math.abs((times[0] ?? 0) - (times[1] ?? 0)) < 3000);
      }
      const reverse = await run(["verify", "--reverse", ...between(first, redis), ...args]);
      assert.equal(reverse.report.sessions.equal, exported, reverse.stderr);
    });
  }
});

describe("what becomes of a key and the file that it has", () => {
  const json = ["--layout", "flat", "--format", "json", "--json"];
  const day = { mtimeMs: Date.now() - dayMs };
  const minute = { mtimeMs: Date.now() - 60_000 };
  const rows: readonly {
    readonly name: string;
    readonly prepare?: (directory: string) => void;
    readonly key?: readonly string[];
    readonly args?: readonly string[];
    readonly outcome: string;
    readonly reverse: string;
    readonly holds?: "redis" | "file" | "nothing";
  }[] = [
    { name: "no file", outcome: "exported", reverse: "missing" },
    {
      name: "an empty file",
      prepare: (directory) => saveSession(directory, 1, ""),
      outcome: "exported",
      reverse: "missing",
    },
    {
      name: "an older session",
      prepare: (directory) => saveSession(directory, 1, textOf("file"), day),
      outcome: "exported",
      reverse: "different",
    },
    {
      name: "an older session, kept",
      prepare: (directory) => saveSession(directory, 1, textOf("file"), day),
      args: ["--on-conflict", "keep"],
      outcome: "kept",
      reverse: "newer",
      holds: "file",
    },
    {
      name: "a newer session",
      prepare: (directory) => saveSession(directory, 1, textOf("file"), minute),
      outcome: "kept",
      reverse: "different",
      holds: "file",
    },
    {
      name: "a newer session, overwritten",
      prepare: (directory) => saveSession(directory, 1, textOf("file"), minute),
      args: ["--on-conflict", "overwrite"],
      outcome: "exported",
      reverse: "different",
    },
    {
      name: "an equal session that is as new",
      prepare: (directory) => saveSession(directory, 1, textOf("redis"), minute),
      outcome: "identical",
      reverse: "equal",
    },
    {
      name: "an equal session of an earlier time",
      prepare: (directory) => saveSession(directory, 1, textOf("redis"), day),
      outcome: "identical",
      reverse: "wrong-lifetime",
    },
    {
      name: "an older file that is damaged",
      prepare: (directory) => saveSession(directory, 1, "{damaged", day),
      outcome: "exported",
      reverse: "different",
    },
    {
      name: "a newer file that is damaged",
      prepare: (directory) => saveSession(directory, 1, "{damaged", minute),
      outcome: "kept",
      reverse: "different",
      holds: "nothing",
    },
    {
      name: "a symlink",
      prepare: (directory) => symlinkSync("/etc/passwd", pathOf(directory, 1)),
      outcome: "failed",
      reverse: "failed",
      holds: "nothing",
    },
    {
      name: "no JSON",
      key: ["SET", keyOf(1), "junk"],
      outcome: "failed",
      reverse: "failed",
      holds: "nothing",
    },
    {
      name: "no dict",
      key: ["SET", keyOf(1), "[1]"],
      outcome: "failed",
      reverse: "failed",
      holds: "nothing",
    },
    {
      name: "no session",
      key: ["SET", keyOf(1), '{"a": 1}'],
      outcome: "failed",
      reverse: "failed",
      holds: "nothing",
    },
    { name: "a list", key: ["RPUSH", keyOf(1), "x"], outcome: "failed", reverse: "failed", holds: "nothing" },
    {
      name: "no sid",
      key: ["SET", "session:\u001b[31mbad", textOf("x")],
      outcome: "failed",
      reverse: "failed",
      holds: "nothing",
    },
    {
      name: "a session that says it is over",
      key: ["SET", keyOf(1), '{"db": "x", "uid": 2, "deletion_time": 1000.5}'],
      outcome: "expired",
      reverse: "expired",
      holds: "nothing",
    },
  ];
  for (const { name, prepare, key = savedAgo(1, "redis"), args = [], outcome, reverse, holds = "redis" } of rows) {
    test(name, async (t) => {
      const { redis, directory } = await inMemory(t);
      prepare?.(directory);
      await redisCommand(redis, ...key);
      const all = [...between(directory, redis), ...json, "--allow-missing", ...args];
      const stamps = () =>
        namesIn(directory).map((file) => {
          const { ino, size, mtimeNs, ctimeNs } = lstatSync(join(directory, file), { bigint: true });
          return { file, ino, size, mtimeNs, ctimeNs };
        });
      const before = stamps();
      const compared = await run(["verify", "--reverse", ...all]);
      assert.equal(compared.report.sessions[reverse as "equal"], 1, compared.stderr);
      assert.equal(compared.exitCode, { failed: 1, equal: 0, newer: 0, expired: 0 }[reverse] ?? 4);
      const dry = await run(["export", "-n", ...all]);
      assert.equal(dry.report.sessions[outcome as "exported"], 1, dry.stderr);
      assert.deepEqual(stamps(), before);
      const { report, exitCode, stderr } = await run(["export", ...all]);
      assert.equal(report.sessions[outcome as "exported"], 1, stderr);
      assert.equal(exitCode, outcome === "failed" ? 1 : 0, stderr);
      const path = pathOf(directory, 1);
      if (holds !== "nothing") assert.equal(readFileSync(path, "utf8"), textOf(holds));
      if (holds !== "redis") return;
      const isNew = outcome === "exported" || reverse === "wrong-lifetime";
      if (isNew) assert.ok(Math.abs(statSync(path).mtimeMs - (Date.now() - hourMs)) < 600_000);
    });
  }

  test("keys of other prefixes are not touched, and one's own prefix is found in both layouts", async (t) => {
    const { redis, directory } = await inMemory(t);
    const sid = sidOf(1);
    await redisPipeline(redis, [
      ["SET", `session:shop:${sid}`, textOf("documented"), "EX", 600_000],
      ["SET", `session::shop:${sidOf(2)}`, textOf("applet"), "EX", 600_000],
      ["SET", keyOf(3), textOf("none"), "EX", 600_000],
    ]);
    const args = [...between(directory, redis), "--server", "18.0", "--json"];
    const { report } = await run(["export", ...args]);
    assert.deepEqual([report.sessions.found, namesIn(directory).length], [1, 1]);
    await run(["export", ...args, "--prefix", "shop", "--key-layout", "documented"]);
    await run(["export", ...args, "--prefix", "shop", "--key-layout", "applet"]);
    assert.equal(namesIn(directory).length, 3);
  });

  test("a flat file is read where files are scattered, and stays; long ids have no flat file", async (t) => {
    const { redis, directory } = await inMemory(t);
    const long = `${"A".repeat(83)}-`;
    await redisPipeline(redis, [savedAgo(1, "redis"), ["SET", `session:${long}`, textOf("x"), "EX", 600_000]]);
    saveSession(directory, 1, textOf("file"));
    const args = [...between(directory, redis), "--layout", "scattered", "--format", "json", "--json"];
    const { report } = await run(["export", ...args]);
    assert.equal(report.sessions.exported, 2);
    assert.equal(readFileSync(pathOf(directory, 1, "scattered"), "utf8"), textOf("redis"));
    assert.equal(readFileSync(pathOf(directory, 1), "utf8"), textOf("file"));
    const flat = await run(["export", ...between(makeDirectory(), redis), "--server", "15.0", "--json"]);
    assert.deepEqual([flat.exitCode, flat.report.byReason], [1, { "invalid-sid": 1 }]);
  });
});

describe("where and how", () => {
  const refusals: readonly (readonly [name: string, args: readonly string[], says: RegExp])[] = [
    ["an empty directory shows nothing", [], /give --server, or --layout and --format/],
    ["another layout than the server's", ["--server", "15.0", "--layout", "scattered"], /--layout scattered was given/],
    ["another format than the server's", ["--server", "18.0", "--format", "pickle"], /--server 18.0 reads json/],
    ["no server", ["--server", "20.0"], /--server/],
  ];
  for (const [name, args, says] of refusals) {
    test(name, async (t) => {
      const { redis, directory } = await inMemory(t);
      const { exitCode, stderr } = await run(["export", ...between(directory, redis), ...args]);
      assert.equal(exitCode, 2);
      assert.match(stderr, says);
    });
  }

  test("a glob, several directories and a missing one are refused", async (t) => {
    const { redis, directory } = await inMemory(t);
    for (const where of [[`${directory.slice(0, -1)}[s]`], [directory, makeDirectory()], [`${directory}/none`]]) {
      const dirs = where.flatMap((one) => ["--session-dir", one]);
      const args = ["export", "--port", String(redis.port), "--server", "15.0", "--allow-missing", ...dirs];
      const { exitCode, stderr } = await run(args);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /one directory that exists, and no glob/);
    }
  });

  test("as the directory holds them: layout, format, protocol, mode and owner", async (t) => {
    const redis = await redisOf(t);
    await fill(redis, 3);
    const directory = makeDirectory(nobody);
    const pickle = Buffer.from("8002 7d71 0058 0200 0000 6462 7101 4e73 2e".replaceAll(" ", ""), "hex");
    chmodSync(saveSession(directory, 9, pickle.toString("latin1")), 0o640);
    writeFileSync(pathOf(directory, 9), pickle);
    const { exitCode, stderr } = await run(["export", ...between(directory, redis)]);
    assert.equal(exitCode, 0, stderr);
    for (const number of [0, 1, 2]) {
      const stats = statSync(pathOf(directory, number));
      assert.deepEqual([stats.uid, stats.gid, stats.mode & 0o777], [nobody, nobody, 0o640]);
      assert.deepEqual([...readFileSync(pathOf(directory, number)).subarray(0, 2)], [0x80, 2]);
    }
    const other = await run(["export", ...between(directory, redis), "--server", "18.0"]);
    assert.equal(other.exitCode, 2);
    assert.match(other.stderr, /the directory holds flat session files, and --server 18.0 reads scattered/);
  });

  test("scatter folders are the owner's, 0755", async (t) => {
    const redis = await redisOf(t);
    await fill(redis, 1);
    const directory = makeDirectory(nobody);
    assert.equal((await run(["export", ...between(directory, redis), "--server", "17.0"])).exitCode, 0);
    const stats = statSync(join(directory, "00"));
    assert.deepEqual([stats.uid, stats.mode & 0o777], [nobody, 0o755]);
    assert.equal(statSync(pathOf(directory, 0, "scattered")).mode & 0o777, 0o644);
  });
});

describe("what goes wrong", () => {
  test("a directory that is not ours: nothing is written, and the owner is named", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 10);
    letOthersPass(directory);
    chmodSync(directory, 0o755);
    const args = ["export", ...between(directory, redis), "--server", "15.0"];
    const { exitCode, stderr } = await run(args, { under: asNobody });
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /uid 65534 may not write session files in .* for uid 0.* Run the export as uid 0/s);
    assert.deepEqual(namesIn(directory), []);
  });

  const mounted = (t: TestContext, size: string): string => {
    const directory = makeDirectory();
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", directory]);
    t.after(() => execFileSync("umount", ["-l", directory]));
    return directory;
  };

  test("too little room is found before the first file", async (t) => {
    const redis = await redisOf(t);
    await fill(redis, 1000);
    const directory = mounted(t, "1m");
    const { exitCode, stderr } = await run(["export", ...between(directory, redis), "--server", "15.0"]);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /about .* MiB needed in .*, 1.0 MiB free\. Free some space there/s);
    assert.deepEqual(namesIn(directory), []);
  });

  test("a disk that fills up meanwhile: whole files only, and the rest after a second run", async (t) => {
    const redis = await redisOf(t);
    await fill(redis, 400);
    const directory = mounted(t, "2m");
    const args = ["export", ...between(directory, redis), "--server", "15.0", "--json"];
    const running = start([...args, "--max-rate", "400"]);
    await untilWritten(directory, 1);
    writeFileSync(join(directory, "filler.__tx_sess__"), "x".repeat(2 ** 20));
    const { exitCode, report, stderr } = await running.result;
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /ENOSPC/);
    assert.ok(report.sessions.unvisited > 0);
    const sizes = () =>
      namesIn(directory)
        .filter((one) => one.startsWith("werkzeug"))
        .map((name) => [name, statSync(join(directory, name)).size]);
    const written = sizes();
    assert.deepEqual(
      namesIn(directory).filter((name) => name.startsWith("tmp")),
      [],
    );
    rmSync(join(directory, "filler.__tx_sess__"));
    const again = await run(args);
    assert.deepEqual([again.exitCode, again.report.sessions.identical], [0, written.length]);
    const whole = new Map(sizes().map(([name, size]) => [name, size]));
    assert.equal(whole.size, 400);
    for (const [name, size] of written) assert.equal(size, whole.get(name));
  });

  test("a Redis that goes away: what was written stays, exit 3", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 2000);
    const args = ["export", ...between(directory, redis), "--server", "15.0", "--json", "--retry-for", "1s"];
    const running = start([...args, "--max-rate", "1000"]);
    await untilWritten(directory, 1);
    await redis.stop();
    const { exitCode, report, stderr } = await running.result;
    assert.equal(exitCode, 3, stderr);
    assert.equal(namesIn(directory).length, report.sessions.exported);
    assert.ok(report.sessions.exported > 0 && report.sessions.unvisited > 0);
  });

  test("a Redis that comes back empty: no file is removed", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 2000);
    const args = ["export", ...between(directory, redis), "--server", "15.0", "--json"];
    const running = start([...args, "--max-rate", "1000"]);
    await untilWritten(directory, 1);
    await redis.stop();
    await redisOf(t, { port: redis.port });
    const { exitCode, report, stderr } = await running.result;
    assert.equal(exitCode, 3, stderr);
    assert.ok(report.sessions.exported > 0);
    assert.equal(namesIn(directory).length, report.sessions.exported);
  });

  test("no key at all", async (t) => {
    const { redis, directory } = await inMemory(t);
    const { exitCode, stderr } = await run(["export", ...between(directory, redis), "--server", "15.0"]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /Nothing to do: no session key in localhost.*\n[\s\S]*Next {2}nothing more to do\. If you/);
  });

  test("a Redis that was emptied: no file is removed", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 600);
    const running = start(["export", ...between(directory, redis), "--server", "15.0", "--max-rate", "300"]);
    await untilWritten(directory, 150);
    await redisCommand(redis, "FLUSHALL");
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /Redis may have lost them, so their files stay/);
    assert.ok(namesIn(directory).length > 100);
  });
});

describe("what happens meanwhile", () => {
  test("what is saved is written again, and what ends has no file in the end", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 600);
    const args = ["export", ...between(directory, redis), "--server", "19.0", "--json"];
    const running = start([...args, "--max-rate", "400"]);
    await running.waitFor(/Exporting/);
    const numbers = Array.from({ length: 600 }, (_, number) => number);
    const isThere = (number: number) =>
      statSync(pathOf(directory, number, "scattered"), { throwIfNoEntry: false }) !== undefined;
    while (numbers.filter(isThere).length < 200) await sleep(20);
    const written = numbers.filter(isThere);
    const [ended, saved, ofOthers] = [written.slice(0, 20), written.slice(20, 40), written.slice(40, 45)];
    for (const number of ofOthers) saveSession(directory, number, textOf("other"), { layout: "scattered" });
    await redisPipeline(
      redis,
      [...ended, ...ofOthers].map((number) => ["DEL", keyOf(number)]),
    );
    await redisPipeline(
      redis,
      saved.map((number) => savedAgo(number, "saved meanwhile", 0)),
    );
    const { exitCode, report, stderr } = await running.result;
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(ended.filter(isThere), []);
    // These are no longer as the run wrote them.
    assert.deepEqual(ofOthers.filter(isThere), ofOthers);
    for (const number of saved) {
      assert.equal(readFileSync(pathOf(directory, number, "scattered"), "utf8"), textOf("saved meanwhile"));
    }
    assert.ok((report.passes[1]?.exported ?? 0) >= saved.length, JSON.stringify(report.passes));
    assert.equal(report.sessions.vanished, ended.length);
  });

  test("a purge beside it waits until it has ended", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 600);
    const running = start(["export", ...between(directory, redis), "--server", "15.0", "--max-rate", "200"]);
    await untilWritten(directory, 1);
    const purge = start(["purge", ...between(directory, redis), "--yes"]);
    await purge.waitFor(/another run copies this directory/);
    assert.equal((await running.result).exitCode, 0);
    assert.equal((await purge.result).exitCode, 0);
  });

  test("Ctrl-C: what was written stays, and a second run ends it", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 600);
    const args = ["export", ...between(directory, redis), "--server", "15.0", "--json"];
    const running = start([...args, "--max-rate", "200"]);
    await untilWritten(directory, 1);
    running.kill("SIGINT");
    const { exitCode, report } = await running.result;
    assert.equal(exitCode, 130);
    assert.equal(report.sessions.found + report.sessions.unvisited, 600);
    const again = await run(args);
    assert.deepEqual([again.exitCode, again.report.sessions.identical], [0, report.sessions.exported]);
  });

  test("an account that may only read Redis can export", async (t) => {
    const { redis, directory } = await inMemory(t);
    await fill(redis, 10);
    await redisCommand(
      redis,
      "ACL",
      "SETUSER",
      "reader",
      "on",
      ">secret-of-reader",
      "~session:*",
      "+@read",
      "+info",
      "+client",
      "+time",
    );
    const environment = { TELE_SESSION_REDIS_PASSWORD: "secret-of-reader" };
    const args = ["export", ...between(directory, redis), "--username", "reader", "--server", "15.0"];
    const { exitCode, stderr } = await run(args, { environment });
    assert.equal(exitCode, 0, stderr);
    assert.equal(namesIn(directory).length, 10);
    await redisCommand(redis, "ACL", "SETUSER", "reader", "-scan");
    const denied = await run(args, { environment });
    assert.equal(denied.exitCode, 5);
    assert.match(denied.stderr, /SCAN/);
  });
});
