import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { between } from "../../support/process/between.js";
import { type CommandResult, runCommand } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { saveSession } from "../support/made-session.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const session = '{"db": "x", "uid": 2}';

function directoryOf(count: number, value = session): string {
  const directory = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= count; number++) saveSession(directory, number, value);
  return directory;
}

/** The names of the checks in the JSON, by verdict. */
function namesOf({ stdout }: CommandResult, verdict: string): string[] {
  const { checks }: { checks: readonly { name: string; verdict: string; setting?: string }[] } = JSON.parse(stdout);
  return checks.filter((one) => one.verdict === verdict).map(({ name, setting }) => setting ?? name);
}

/** Calls of each command since Redis was started, without those of this test. */
async function callsOf(redis: RedisServer): Promise<readonly string[]> {
  const statistics = String(await redisCommand(redis, "INFO", "commandstats"));
  return [...statistics.matchAll(/^cmdstat_([^:|]+)/gm)].map(([, name = ""]) => name);
}

/** The screen with what differs from run to run replaced. */
function steady(screen: string, directory: string, { port }: RedisServer): string {
  return screen
    .replaceAll(directory, "DIRECTORY")
    .replaceAll(String(port), "PORT")
    .replace(/Redis [\d.]+, master/, "Redis N, master")
    .replace(/\d+\.\d ms/, "N ms")
    .replace(/[\d.]+ s ago/, "N s ago")
    .replace(/[\d.]+ (?:bytes|[KM]iB) needed/, "N needed")
    .replace(/ +\(--/g, " (--");
}

describe("check (operator.md, Screens)", { concurrency: 2 }, () => {
  test("a set-up that is fine: every precondition with what was seen, and the next command", async (t) => {
    const redis = await redisOf(t);
    await redisCommand(redis, "CONFIG", "SET", "appendonly", "yes");
    const directory = directoryOf(5);
    const { exitCode, stdout, stderr } = await runCommand(["check", ...between(directory, redis)], {
      environment: { COLUMNS: "200" },
    });
    assert.deepEqual([exitCode, stdout], [0, ""], stderr);
    assert.deepEqual(steady(stderr, directory, redis).split("\n"), [
      "Session directory  DIRECTORY (--session-dir)",
      "  ok    readable      5 session files, flat",
      "  ok    removable     uid 0 may remove files from 1 folder",
      "  ok    server        works on files: the directory changed N s ago",
      "",
      "Redis  localhost:PORT/0 (--port)",
      "  ok    reachable     Redis N, master, no replica, N ms away",
      "  ok    login         user default",
      "  ok    permissions   all 14 commands on session:* and tele-sessions:*",
      "  ok    memory        about N needed; Redis has no memory limit",
      "  ok    eviction      noeviction",
      "  ok    persistence   Redis saves to its disk",
      "  ok    clock         agrees with this machine to the second",
      "",
      "What the server will read",
      "  ok    keys          session:<sid>",
      "  ok    other runs    none",
      "",
      "Nothing to fix, 0 warnings. copy can begin.",
      "Next  tele-sessions copy --session-dir DIRECTORY --port PORT",
      "",
    ]);
    const [command = "", ...args] = /\nNext {2}(.*)\n$/.exec(stderr)?.[1]?.split(" ") ?? [];
    assert.equal(command, "tele-sessions");
    assert.equal((await runCommand(args)).exitCode, 0, "the next command can be pasted");
  });

  test("several problems show in one go, and a run names all of them too", async (t) => {
    const redis = await redisOf(t, { args: ["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"] });
    const rules = ["on", "nopass", "~*", "&*", "+@all", "-exists", "-set", "-info", "-scan"];
    await redisCommand(redis, "ACL", "SETUSER", "u", ...rules);
    await redisCommand(redis, "SET", "session:shop:x", "y");
    const args = [...between(directoryOf(5), redis), "--username", "u", "--prefix", "shop"];
    const checked = await runCommand(["check", ...args, "--json"]);
    assert.equal(checked.exitCode, 5, checked.stderr);
    assert.deepEqual(namesOf(checked, "fail"), ["permissions", "keys"]);
    assert.deepEqual(namesOf(checked, "warn"), ["eviction", "persistence", "--username"]);
    // A full stop after a command would be pasted with it.
    assert.match(checked.stderr, /CONFIG SET appendonly yes$/m);
    assert.doesNotMatch(checked.stderr, /ACL SETUSER [a-z+|\s]*\.$/m);
    assert.match(checked.stderr, /\n2 to fix, 3 warnings\. copy would be refused: permissions, keys\.\nExit 5/);
    for (const command of [["copy", "--dry-run"], ["copy"]]) {
      const { exitCode, stderr } = await runCommand([...command, ...args]);
      assert.equal(exitCode, 5, stderr);
      assert.match(stderr, /^error: .*the commands EXISTS and SET.*ACL SETUSER u \+exists \+set \+scan \+info/m);
      assert.match(stderr, /^error: .*SCAN.*--key-layout/m);
      assert.equal(await countKeys(redis), 1);
    }
  });

  test("a wrong directory does not hide what Redis lacks, but a run ends with its exit code", async (t) => {
    const redis = await redisOf(t, { args: ["--requirepass", "pw"] });
    const args = [...between(join(directoryOf(1), "none"), redis)];
    const checked = await runCommand(["check", ...args, "--json"]);
    assert.deepEqual(namesOf(checked, "fail"), ["readable", "login"]);
    const { exitCode } = await runCommand(["copy", ...args]);
    assert.deepEqual([checked.exitCode, exitCode], [2, 2]);
  });

  test("46.8 MiB into 30mb: refused in check, dry run and copy, before the first write", async (t) => {
    const redis = await redisOf(t, { args: ["--maxmemory", "30mb", "--maxmemory-policy", "noeviction"] });
    const directory = directoryOf(1950, JSON.stringify({ db: "x", uid: 2, v: "x".repeat(25_000) }));
    for (const command of [["check"], ["copy", "--dry-run"], ["copy"]]) {
      const { exitCode, stderr } = await runCommand([...command, ...between(directory, redis)]);
      assert.equal(exitCode, 5, stderr);
      const words = stderr.replace(/\s+/g, " ");
      assert.match(
        words,
        /about (?:4[5-9]|5\d)\.\d MiB needed, 2[89]\.\d MiB free.*[Ss]et maxmemory to at least \d\d\.0 MiB/,
      );
      assert.equal(await countKeys(redis), 0);
    }
  });

  test("without --probe nothing is written; with it a Redis that refuses writes is found", async (t) => {
    const redis = await redisOf(t);
    const args = ["check", ...between(directoryOf(5), redis), "--json"];
    await redisCommand(redis, "CONFIG", "RESETSTAT");
    assert.equal((await runCommand(args)).exitCode, 0);
    const writes = new Set(["set", "del", "pexpireat"]);
    assert.deepEqual(
      (await callsOf(redis)).filter((name) => writes.has(name)),
      [],
    );

    const probed = await runCommand([...args, "--probe"]);
    assert.deepEqual([probed.exitCode, await countKeys(redis)], [0, 0], probed.stderr);
    assert.ok(namesOf(probed, "ok").includes("writable"));

    await redisCommand(redis, "CONFIG", "SET", "min-replicas-to-write", "1");
    const refused = await runCommand([...args, "--probe"]);
    assert.equal(refused.exitCode, 5, refused.stderr);
    assert.deepEqual(namesOf(refused, "fail"), ["writable"]);
    assert.match(refused.stderr, /too few replicas are\s+connected/);
  });

  test("what only a purge needs is a warning without --purge", async (t) => {
    const redis = await redisOf(t);
    await redisCommand(redis, "ACL", "SETUSER", "u", "on", "nopass", "~*", "&*", "+@all", "-client|list");
    const args = ["check", ...between(directoryOf(5), redis), "--username", "u", "--wait-replicas", "1", "--json"];
    const forCopy = await runCommand(args);
    assert.equal(forCopy.exitCode, 0, forCopy.stderr);
    assert.deepEqual(namesOf(forCopy, "warn").sort(), [
      ...["--username", "other runs", "permissions", "persistence", "replicas"],
    ]);
    const forPurge = await runCommand([...args, "--purge"]);
    assert.equal(forPurge.exitCode, 5, forPurge.stderr);
    assert.deepEqual(namesOf(forPurge, "fail").sort(), ["other runs", "replicas"]);
    assert.equal((await runCommand([...args, "--purge", "--alone"])).exitCode, 3);
  });

  test("--quiet: one line for what failed, and the exit", async (t) => {
    const redis = await redisOf(t, { args: ["--requirepass", "pw"] });
    const { exitCode, stderr } = await runCommand(["check", ...between(directoryOf(1), redis), "--quiet"]);
    assert.equal(exitCode, 5);
    assert.match(stderr, /^error: .*asks for a password.*\nExit 5: .*copy would be refused: login\.\n$/);
  });

  test("40 columns: every line fits", async (t) => {
    const redis = await redisOf(t);
    const environment = { COLUMNS: "40" };
    const { stderr } = await runCommand(["check", ...between(directoryOf(5), redis)], { environment });
    for (const line of stderr.split("\n")) assert.ok(line.length <= 40 || /\S{20,}/.test(line), line);
  });

  test("--skip-check leaves out what can only warn, and nothing that refuses", async (t) => {
    const redis = await redisOf(t, { args: ["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"] });
    const args = between(directoryOf(5), redis);
    const says = /Redis evicts keys when it is full/;
    assert.match((await runCommand(["copy", "--dry-run", ...args])).stderr, says);
    const skipped = await runCommand(["copy", "--dry-run", "--skip-check", ...args]);
    assert.doesNotMatch(skipped.stderr, says);
    await redisCommand(redis, "CONFIG", "SET", "maxmemory", "1mb");
    assert.equal((await runCommand(["copy", "--skip-check", ...args])).exitCode, 5);
  });
});

test("both layouts, other names and empty files are counted", async (t) => {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  await makeSessions(directory, { count: 1000, strays: true });
  const { exitCode, stderr } = await runCommand(["check", ...between(directory, redis)]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /ok {4}readable {6}1,0\d\d session files, 5\d\d of them flat; \d+ other names/);
  assert.match(stderr, /warn {2}long ids {6}[\d,]+ session ids of 84 or more characters/);
});
