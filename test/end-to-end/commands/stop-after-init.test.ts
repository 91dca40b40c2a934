import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { cleanEnvironment } from "../../support/process/clean-environment.js";
import { program } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { readReportFile, run } from "../support/observed-run.js";
import { countKeys } from "../support/redis-of-test.js";

const top = makeTemporaryDirectory();
const directory = join(top, "sessions");
const manifest = join(top, "manifest");
const sessions = 80;
await makeSessions(directory, { count: sessions, manifest });
const redis = await startRedis();
test.after(() => redis.stop());
const step = ["--stop-after-init", ...between(directory, redis)];
const copyIsOn = { TELE_SESSION_REDIS: "True", TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "yes" };

test("switches that ask for nothing: it says so, exits 0 and touches nothing", async (t) => {
  const rows: readonly { name: string; environment: Record<string, string>; says: RegExp }[] = [
    { name: "none is set", environment: {}, says: /TELE_SESSION_REDIS is off/ },
    {
      name: "TELE_SESSION_REDIS is off",
      environment: { TELE_SESSION_REDIS: "0", TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1" },
      says: /TELE_SESSION_REDIS is off/,
    },
    {
      name: "TELE_SESSION_REDIS is empty",
      environment: { TELE_SESSION_REDIS: "", TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1" },
      says: /TELE_SESSION_REDIS is off/,
    },
    {
      name: "on, but neither other switch",
      environment: { TELE_SESSION_REDIS: "on" },
      says: /TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS and TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS are off/,
    },
    {
      name: "off, and the purge on",
      environment: { TELE_SESSION_REDIS: "off", TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1" },
      says: /TELE_SESSION_REDIS is off/,
    },
  ];
  // Nobody listens there, and the directory is missing: looking at either would be another exit
  // code.
  const nobody = ["--port", String(await findFreePort()), "--session-dir", join(top, "missing")];
  for (const { name, environment, says } of rows) {
    await t.test(name, async () => {
      const { exitCode, stdout, stderr } = await run(["--stop-after-init", ...nobody], { environment });
      assert.deepEqual([exitCode, stdout], [0, ""], stderr);
      assert.match(stderr, says);
    });
  }

  await t.test("--json prints its object then too", async () => {
    const { exitCode, stdout, report } = await run(["--stop-after-init", ...nobody, "--json"]);
    assert.equal(exitCode, 0);
    assert.notEqual(stdout, "");
    assert.equal(report.command, "stop-after-init");
    assert.equal(report.sessions.found, 0);
  });

  await t.test("--report writes its file then too", async () => {
    const file = join(top, "nothing.json");
    await run(["--stop-after-init", ...nobody, "--report", file]);
    assert.ok(existsSync(file), "no report was written");
    assert.equal(readReportFile(file).exitCode, 0);
  });
});

test("the switch to copy: it copies, as copy does", async () => {
  await redisCommand(redis, "FLUSHALL");
  const beganMs = Date.now();
  const { exitCode, stderr, report } = await run([...step, "--json"], { environment: copyIsOn });
  assert.equal(exitCode, 0, stderr);
  assert.equal(report.command, "stop-after-init");
  await assertCopied(redis, { manifest, beganMs, sessions });
});

test("it needs no terminal and no standard input: all closed, it copies", async () => {
  await redisCommand(redis, "FLUSHALL");
  const beganMs = Date.now();
  const exitCode = await new Promise<number | string | null>((resolve) => {
    execFile(
      "sh",
      ["-c", 'exec "$@" <&- >&- 2>&-', "sh", ...program, ...step],
      { env: { ...cleanEnvironment(top), ...copyIsOn } },
      (error) => resolve(error === null ? 0 : (error.code ?? null)),
    );
  });
  assert.equal(exitCode, 0);
  await assertCopied(redis, { manifest, beganMs, sessions });
});

test("what is refused beside it: exit 2, by name, nothing touched", async (t) => {
  const rows: readonly {
    name: string;
    args: readonly string[];
    environment: Record<string, string>;
    says: RegExp;
  }[] = [
    {
      name: "a command after it",
      args: [...step, "copy"],
      environment: copyIsOn,
      says: /--stop-after-init.*copy/,
    },
    {
      name: "a command before it",
      args: ["copy", ...step],
      environment: copyIsOn,
      says: /--stop-after-init.*copy/,
    },
    {
      name: "a switch to purge that is neither on nor off",
      args: step,
      environment: { ...copyIsOn, TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "perhaps" },
      says: /TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS.*perhaps/,
    },
    {
      name: "a switch that is neither on nor off",
      args: step,
      environment: { ...copyIsOn, TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "perhaps" },
      says: /TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS.*perhaps/,
    },
    {
      name: "a bad value of copy's",
      args: [...step, "--expiration", "0"],
      environment: copyIsOn,
      says: /--expiration/,
    },
  ];
  for (const { name, args, environment, says } of rows) {
    await t.test(name, async () => {
      await redisCommand(redis, "FLUSHALL");
      const { exitCode, stdout, stderr } = await run(args, { environment });
      assert.deepEqual([exitCode, stdout], [2, ""]);
      assert.match(stderr, says);
      assert.equal(await countKeys(redis), 0);
    });
  }
});

test("a refusal names the variable in --json too", async () => {
  const { exitCode, report } = await run([...step, "--json"], {
    environment: { ...copyIsOn, TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "perhaps" },
  });
  assert.equal(exitCode, 2);
  assert.match(report.warnings.join("\n"), /TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS/);
});

test("copy does not read the switches", async () => {
  await redisCommand(redis, "FLUSHALL");
  const { exitCode } = await run(["copy", ...step.slice(1)], {
    environment: {
      TELE_SESSION_REDIS: "off",
      TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "perhaps",
      TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1",
    },
  });
  assert.equal(exitCode, 0);
  assert.equal(await countKeys(redis), sessions);
});
