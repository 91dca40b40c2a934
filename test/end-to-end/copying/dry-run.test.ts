import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

/** Everything that a change to a directory's files would show in. */
function stateOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const path = join(directory, name);
      const { mode, ino, nlink, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
      const content = lstatSync(path).isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
      return [name, mode, ino, nlink, size, mtimeNs, ctimeNs, content].join(" ");
    });
}

/** The commands that Redis executed since its statistics were reset, and which of them write. */
async function commandsOf(
  redis: RedisServer,
): Promise<{ readonly all: readonly string[]; readonly writing: readonly string[] }> {
  const statistics = String(await redisCommand(redis, "INFO", "commandstats"));
  const all = [...statistics.matchAll(/^cmdstat_([^:|]+)/gm)].map(([, name = ""]) => name);
  const facts = await redisCommand(redis, "COMMAND", "INFO", ...all);
  assert.ok(Array.isArray(facts));
  const writing = all.filter((_, index) => String(facts[index]).split(",").includes("write"));
  return { all, writing };
}

test("the statistics tell a command that writes from one that reads", async (t) => {
  const redis = await redisOf(t);
  await redisCommand(redis, "CONFIG", "RESETSTAT");
  await redisCommand(redis, "SET", "a", "b");
  await redisCommand(redis, "GET", "a");
  assert.deepEqual((await commandsOf(redis)).writing, ["set"]);
});

test("a dry run writes nothing, changes no file and counts what a run would do", async (t) => {
  const rows = [
    { name: "copy", args: ["copy"], environment: {} },
    { name: "copy with a prefix", args: ["copy", "--prefix", "shop"], environment: {} },
    {
      name: "--stop-after-init",
      args: ["--stop-after-init"],
      environment: { TELE_SESSION_REDIS: "1", TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1" },
    },
  ];
  for (const { name, args, environment } of rows) {
    await t.test(name, async (t) => {
      const redis = await redisOf(t);
      await redisCommand(redis, "SET", "before", "1");
      const directory = join(makeTemporaryDirectory(), "s");
      await makeSessions(directory, { count: 500, strays: true, mtimes: "spread" });
      writeFileSync(join(directory, `werkzeug_${"0".repeat(40)}.sess`), "\x80\x04corrupt");
      const before = stateOf(directory);
      await redisCommand(redis, "CONFIG", "RESETSTAT");
      const all = [...args, ...between(directory, redis), "--json"];

      const dry = await run([...all, "--dry-run"], { environment });
      const { all: commands, writing } = await commandsOf(redis);
      assert.deepEqual(writing, []);
      assert.ok(commands.includes("info"), "Redis was asked");
      assert.equal(await countKeys(redis), 1);
      assert.deepEqual(stateOf(directory), before);
      assert.equal(dry.report.dryRun, true);
      assert.match(dry.stderr, /Dry run|would be/);
      assert.match(dry.stderr, /^ {2}about \d[\d.]* KiB of Redis memory; Redis has no memory limit$/m);

      const real = await run(all, { environment });
      assert.deepEqual(dry.report.sessions, real.report.sessions);
      assert.deepEqual(dry.report.failures, real.report.failures);
      assert.deepEqual(dry.report.source, real.report.source);
      assert.equal(dry.exitCode, real.exitCode);
      assert.deepEqual(stateOf(directory), before, "a real run without --purge changes no file either");
      assert.ok((await commandsOf(redis)).writing.includes("set"));
    });
  }
});

test("a dry run needs Redis as the real one would: refused where that would be", async (t) => {
  const redis = await redisOf(t, { args: ["--requirepass", "NotToBeShown"] });
  const directory = join(makeTemporaryDirectory(), "s");
  await makeSessions(directory, { count: 5 });
  const { exitCode } = await run(["copy", "--dry-run", ...between(directory, redis)]);
  assert.equal(exitCode, 5);
});
