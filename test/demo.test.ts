import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "./support/process/clean-environment.js";
import { makeTemporaryDirectory } from "./support/process/temporary-directory.js";
import { redisCommand } from "./support/servers/redis-command.js";
import { startRedis } from "./support/servers/redis-server.js";
import { openTerminalWith } from "./support/terminal/terminal.js";

const demo = join(dirname(fileURLToPath(import.meta.url)), "demo.js");
const allRight =
  /All 590 live sessions are in Redis, byte for byte, each with its full lifetime; the 10 that were over are not\./;

/** The session directory and the port that the demo named. */
function whereabouts(output: string): { directory: string; port: number } {
  const [, directory = "", port = ""] = /--session-dir (\S+) --port (\d+)/.exec(output) ?? [];
  return { directory, port: Number(port) };
}

async function assertGone(output: string): Promise<void> {
  const { directory, port } = whereabouts(output);
  assert.ok(directory !== "" && !existsSync(dirname(directory)), output);
  await assert.rejects(redisCommand({ port }, "PING"), /ECONNREFUSED/);
}

/** Runs the demo without a terminal. */
async function runDemo(
  variables: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [demo, "600"], {
    env: { ...cleanEnvironment(makeTemporaryDirectory()), ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

test("without a terminal the demo is plain text, ends well and leaves nothing behind", async () => {
  const { code, stdout, stderr } = await runDemo({
    TELE_SESSION_REDIS_PORT: "1",
    TELE_SESSION_DIR: "/nowhere",
  });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, allRight);
  assert.match(stdout, /Redis holds 0 sessions\.[\s\S]*Redis holds 590 sessions\./);
  assert.doesNotMatch(stdout + stderr, /\x1b/, "control sequences");
  assert.doesNotMatch(stdout + stderr, /[A-Za-z0-9_-]{40}/, "a whole sid");
  await assertGone(stdout);
});

test("on a terminal the demo has headings that stand out", async () => {
  const terminal = await openTerminalWith([process.execPath, demo, "600"], { columns: 100 });
  const { exitCode, output } = await terminal.result;
  assert.equal(exitCode, 0, output);
  assert.match(output, allRight);
  assert.match(output, /\x1b\[1m3\. The copy\x1b\[0m/);
  await assertGone(output);
});

test("Ctrl-C in the middle of the copy ends the demo with 130 and leaves nothing behind", async () => {
  const terminal = await openTerminalWith([process.execPath, demo, "4000"], { columns: 200 });
  await terminal.waitFor(/3\. The copy[\s\S]*Copying[\s\S]* of 4,/);
  terminal.type("\x03");
  const { exitCode, output } = await terminal.result;
  assert.equal(exitCode, 130, output);
  assert.match(output, /Stopped\. Everything that the demo made is gone again\./);
  await assertGone(output);
});

test("a Redis that somebody gives is used when it is empty, and empty again afterwards", async () => {
  const server = await startRedis({ args: ["--requirepass", "sword/fish"] });
  const address = { ...server, password: "sword/fish", db: 2 };
  const url = `redis://:sword%2Ffish@127.0.0.1:${server.port}/2`;
  await redisCommand({ ...address, db: 0 }, "SET", "foreign", "stays");

  const { code, stdout, stderr } = await runDemo({ TELE_SESSIONS_DEMO_REDIS_URL: url });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, allRight);
  assert.doesNotMatch(stdout + stderr, /sword/);
  assert.equal(await redisCommand(address, "DBSIZE"), 0);
  assert.equal(String(await redisCommand({ ...address, db: 0 }, "GET", "foreign")), "stays");

  await redisCommand(address, "SET", "session:somebody", "{}");
  const refused = await runDemo({ TELE_SESSIONS_DEMO_REDIS_URL: url });
  assert.equal(refused.code, 1);
  assert.equal(
    refused.stderr,
    "TELE_SESSIONS_DEMO_REDIS_URL names a database that is not empty (keys: 1), and the demo takes no other.\n",
  );
  assert.equal(await redisCommand(address, "DBSIZE"), 1);
  await server.stop();
});

const refusals: readonly (readonly [title: string, url: string, stderr: RegExp])[] = [
  ["does not answer", "redis://:hush@127.0.0.1:1", /^[^\n]* cannot be used: connect ECONNREFUSED 127\.0\.0\.1:1\.\n$/],
  ["is no Redis", "http://127.0.0.1", /^TELE_SESSIONS_DEMO_REDIS_URL takes redis:\/\/[^\n]*\n$/],
  ["is no URL", "localhost", /^TELE_SESSIONS_DEMO_REDIS_URL takes redis:\/\/[^\n]*\n$/],
];

for (const [title, url, expected] of refusals) {
  test(`a Redis to be used that ${title} is one sentence`, async () => {
    const { code, stdout, stderr } = await runDemo({ TELE_SESSIONS_DEMO_REDIS_URL: url });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, expected);
  });
}
