import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { cleanEnvironment } from "../../support/process/clean-environment.js";
import { program } from "../../support/process/command.js";
import { assertNothingSecret } from "../../support/process/secrets.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";

const sessions = 300;
const top = makeTemporaryDirectory();
const manifest = join(top, "manifest");
await makeSessions(join(top, "s"), { count: sessions, manifest });
const redis = await startRedis();
test.after(() => redis.stop());

interface ShellResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a shell's line, `run` in it being the copy; the copy's own exit code is given back. */
async function runInShell(line: string): Promise<ShellResult> {
  const codeFile = join(top, "code");
  writeFileSync(codeFile, "");
  const copy = [...program, "copy", ...between(join(top, "s"), redis)];
  const script = `code=$1; shift; args="$*"; run() { $args "$@"; echo $? > "$code"; }; ${line}`;
  const written = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile("sh", ["-c", script, "sh", codeFile, ...copy], { env: cleanEnvironment(top) }, (_, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });
  assertNothingSecret(written.stdout + written.stderr);
  return { ...written, exitCode: Number(readFileSync(codeFile, "utf8")) };
}

test("output that nobody takes ends output, not the run", async (t) => {
  const rows: readonly { name: string; line: string; says?: RegExp }[] = [
    { name: "--json | head -c 10", line: "run --json | head -c 10", says: /^Done\. /m },
    { name: "--json into a pipe that is closed", line: "run --json | true", says: /^Done\. /m },
    { name: "stdout closed", line: "run --json >&-", says: /^Done\. /m },
    { name: "stderr closed", line: "run --list 2>&-" },
    { name: "both closed", line: "run --list --json >&- 2>&-" },
    { name: "--list into a pipe that is closed", line: "run --list 2>&1 | head -n 1" },
  ];
  for (const { name, line, says } of rows) {
    await t.test(name, async () => {
      await redisCommand(redis, "FLUSHALL");
      const beganMs = Date.now();
      const { exitCode, stderr } = await runInShell(line);
      await assertCopied(redis, { manifest, beganMs, sessions });
      assert.equal(exitCode, 0, stderr);
      if (says !== undefined) assert.match(stderr, says);
    });
  }
});

test("output that goes to a full disk", async (t) => {
  assert.ok(existsSync("/dev/full"), "this test needs /dev/full: run it on Linux");

  await t.test("stderr: the run goes on to its end", async () => {
    await redisCommand(redis, "FLUSHALL");
    const beganMs = Date.now();
    const { exitCode } = await runInShell("run --list 2>/dev/full");
    await assertCopied(redis, { manifest, beganMs, sessions });
    assert.notEqual(exitCode, 70);
  });

  await t.test(
    "stdout: the report cannot be written, which is exit 3 and no bug; the summary reaches stderr",
    async () => {
      await redisCommand(redis, "FLUSHALL");
      const beganMs = Date.now();
      const { exitCode, stderr } = await runInShell("run --json >/dev/full");
      await assertCopied(redis, { manifest, beganMs, sessions });
      assert.match(stderr, /^Done\. |^FAILED: /m);
      assert.equal(exitCode, 3, stderr);
    },
  );
});
