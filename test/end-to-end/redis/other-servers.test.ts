import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { listen } from "../../support/servers/listen.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const directory = join(makeTemporaryDirectory(), "s");
await makeSessions(directory, { count: 20 });
const copy = ["copy", "--session-dir", directory, "--retry-for", "2s"];

test("a port of something else: exit 3, and what answers there", async (t) => {
  const rows: readonly { name: string; greets?: string; answers?: string; closes?: true; says: RegExp }[] = [
    { name: "a web server", answers: "HTTP/1.1 400 Bad Request\r\n\r\n", says: /web server \(HTTP\)/ },
    { name: "an SSH server", greets: "SSH-2.0-OpenSSH_9.2\r\n", says: /SSH server/ },
    { name: "a mail server", greets: "220 mail ESMTP\r\n", says: /another server/ },
    { name: "one that hangs up", closes: true, says: /closes the connection without an answer/ },
    { name: "one that says nothing", says: /says nothing/ },
  ];
  for (const { name, greets, answers, closes, says } of rows) {
    await t.test(name, async (t) => {
      const server = createServer((socket) => {
        socket.on("error", () => undefined);
        if (greets !== undefined) socket.write(greets);
        socket.on("data", () => {
          if (closes) socket.destroy();
          else if (answers !== undefined) socket.end(answers);
        });
      });
      const port = await listen(server);
      t.after(() => server.close());
      const { exitCode, stderr } = await run([...copy, "--host", "127.0.0.1", "--port", String(port)]);
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, says);
    });
  }
});

test("a command that is denied or hidden: its name, and exit 5 if the run cannot do without", async (t) => {
  const rows: readonly { command: string; args?: readonly string[]; code: number; says?: RegExp }[] = [
    { command: "SET", code: 5, says: /the command SET/ },
    { command: "SCAN", args: ["--prefix", "shop"], code: 5, says: /SCAN.*--key-layout/ },
    { command: "TIME", code: 0, says: /TIME/ },
    { command: "SELECT", args: ["--db", "1"], code: 5, says: /the command SELECT/ },
    { command: "EXISTS", args: ["--dry-run"], code: 5, says: /the command EXISTS/ },
  ];
  for (const { command, args = [], code, says } of rows) {
    for (const way of ["denied", "hidden"] as const) {
      await t.test(`${command} ${way}`, async (t) => {
        const redis = await redisOf(t, way === "hidden" ? { args: ["--rename-command", command, ""] } : {});
        if (way === "denied") await redisCommand(redis, "ACL", "SETUSER", "default", `-${command.toLowerCase()}`);
        const { exitCode, stderr } = await run([...copy, "--port", String(redis.port), ...args]);
        assert.equal(exitCode, code, stderr);
        if (says !== undefined) assert.match(stderr, says);
      });
    }
  }
});

test("an entry that Redis never accepts fails alone", async (t) => {
  const big = join(makeTemporaryDirectory(), "s");
  await makeSessions(big, { count: 19 });
  const session = { db: "d", uid: 7, login: "u", session_token: "t", context: {}, debug: "" };
  const value = JSON.stringify({ ...session, preview: "x".repeat(3_000_000) });
  writeFileSync(join(big, `werkzeug_${"b".repeat(40)}.sess`), value);
  for (const limit of ["proto-max-bulk-len", "client-query-buffer-limit"]) {
    await t.test(limit, async (t) => {
      const redis = await redisOf(t, { args: [`--${limit}`, "1mb"] });
      const args = ["copy", "--session-dir", big, "--retry-for", "20s", "--port", String(redis.port)];
      const { exitCode, stderr } = await run(args);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /redis-error:\s[\s\S]*does\snot\saccept\sthis\sentry/);
      assert.equal(await countKeys(redis), 19);
    });
  }
});
