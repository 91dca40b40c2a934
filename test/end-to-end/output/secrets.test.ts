import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { assertNothingSecret, secretMark } from "../../support/process/secrets.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { readReportFile, run } from "../support/observed-run.js";

// Every run of the end-to-end tests is looked through by `run`; those here do what tempts a program
// most to tell.

const top = makeTemporaryDirectory();
const directory = join(top, "sessions");
await makeSessions(directory, { count: 300, strays: true });
const redis = await startRedis({ args: ["--requirepass", secretMark] });
const port = String(redis.port);
const asAdmin = { port: redis.port, password: secretMark };
const nobody = String(await findFreePort());
test.after(() => redis.stop());
const passwordFile = join(top, "password");
writeFileSync(passwordFile, `${secretMark}?\n`);
const withPassword = { TELE_SESSION_REDIS_PASSWORD: secretMark };

test("what is looked for is found where it is", async (t) => {
  const sid = createHash("sha1").update("sid").digest("hex");
  const rows = [
    { name: "a password", text: `AUTH ${secretMark}` },
    { name: "a sid", text: `session:${sid} copied` },
    { name: "a sid in colours", text: `\x1b[31m${sid.slice(0, 20)}\x1b[0m${sid.slice(20)}` },
    { name: "a long sid", text: "-_aZ".repeat(21) },
    { name: "a token", text: `"${"0000002a".repeat(8)}"` },
    { name: "a login", text: "user12@example.com" },
  ];
  for (const { name, text } of rows) {
    await t.test(name, () => assert.throws(() => assertNothingSecret(text)));
  }
  assertNothingSecret("3f9a12… failed TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS");
});

test("passwords and Redis: nothing of them is shown", async (t) => {
  await redisPipeline(asAdmin, [
    ["ACL", "SETUSER", "reader", "on", `>${secretMark}`, "~*", "+@all", "-set"],
    ["ACL", "SETUSER", "half", "on", `>${secretMark}`, "~session:[0-7]*", "+@all"],
  ]);
  const rows: readonly {
    name: string;
    args: readonly string[];
    environment?: Record<string, string>;
    exitCode: number;
  }[] = [
    {
      name: "WRONGPASS, by the variable",
      args: ["--port", port],
      environment: { TELE_SESSION_REDIS_PASSWORD: `${secretMark}?` },
      exitCode: 5,
    },
    { name: "WRONGPASS, by a file", args: ["--port", port, "--password-file", passwordFile], exitCode: 5 },
    {
      name: "WRONGPASS, by a URL",
      args: ["--url", `redis://:${secretMark}%3f@localhost:${port}/0`],
      exitCode: 5,
    },
    {
      name: "WRONGPASS, with a user name",
      args: ["--url", `redis://nobody:${secretMark}@localhost:${port}`],
      exitCode: 5,
    },
    {
      name: "the right password in a URL",
      args: ["--url", `redis://:${secretMark}@localhost:${port}/1`],
      exitCode: 0,
    },
    {
      name: "the right password in the URL's variable",
      args: [],
      environment: { TELE_SESSION_REDIS_URL: `redis://localhost:${port}?password=${secretMark}` },
      exitCode: 0,
    },
    {
      name: "a URL that leads nowhere",
      args: ["--url", `redis://u:${secretMark}@localhost:${nobody}/0`],
      exitCode: 3,
    },
    {
      name: "a URL whose port is none",
      args: ["--url", `redis://u:${secretMark}@localhost:66666/0`],
      exitCode: 2,
    },
    { name: "a URL whose scheme is none", args: ["--url", `rediz://u:${secretMark}@localhost`], exitCode: 2 },
    {
      name: "a URL whose password holds a slash",
      args: ["--url", `redis://u:a/${secretMark}@localhost:${port}`],
      exitCode: 2,
    },
    {
      name: "a URL with an unknown option",
      args: ["--url", `redis://localhost:${port}?${secretMark}=1&pw=${secretMark}`],
      exitCode: 2,
    },
    { name: "a URL as the host", args: ["--host", `redis://u:${secretMark}@localhost`], exitCode: 2 },
    {
      name: "a URL as the port",
      args: [],
      environment: { TELE_SESSION_REDIS_PORT: `tcp://:${secretMark}@10.0.0.1:6379` },
      exitCode: 2,
    },
    {
      name: "NOPERM for SET",
      args: ["--port", port, "--username", "reader"],
      environment: withPassword,
      exitCode: 5,
    },
    {
      name: "NOPERM for keys, in mid-batch",
      args: ["--port", port, "--username", "half"],
      environment: withPassword,
      exitCode: 5,
    },
  ];
  for (const [index, { name, args, environment = {}, exitCode }] of rows.entries()) {
    await t.test(name, async () => {
      // A user who may not write is refused only where there is something to write.
      await redisCommand({ ...redis, password: secretMark }, "FLUSHALL");
      const file = join(top, `${index}.json`);
      const all = ["copy", "--session-dir", directory, ...args, "--list", "--json", "--report", file];
      const result = await run(all, { environment });
      assert.equal(result.exitCode, exitCode, result.stderr);
      if (exitCode !== 2) readReportFile(file);
    });
  }
});

test("a SET that Redis does not know: its answer quotes key and value, ours does not", async (t) => {
  const bare = await startRedis({ args: ["--rename-command", "SET", ""] });
  t.after(() => bare.stop());
  const file = join(top, "bare.json");
  const { exitCode, stderr, report } = await run([
    ...["copy", ...between(directory, bare), "--list", "--json", "--report", file],
  ]);
  assert.notEqual(exitCode, 0, stderr);
  assert.equal(report.sessions.copied, 0);
  readReportFile(file);
  assert.equal(await redisCommand(bare, "DBSIZE"), 0);
});

test("command lines with a secret where none belongs", async (t) => {
  const rows: readonly (readonly string[])[] = [
    ["copy", `--password=${secretMark}`],
    ["copy", "--password", secretMark],
    ["copy", `--pass${secretMark}`],
    ["copy", `-a${secretMark}`],
    ["copy", `-p=${secretMark}`],
    ["copy", `--json=${secretMark}`],
    ["copy", secretMark],
    [secretMark],
    [`redis://:${secretMark}@localhost`],
    ["verify", `--password=${secretMark}`],
    [`--password=${secretMark}`, "copy"],
    ["--stop-after-init", secretMark],
    ["copy", "--session-dir", directory, "--sentinel", `:${secretMark}@localhost:1`],
  ];
  for (const args of rows) {
    await t.test(args.join(" ").replace(secretMark, "SECRET"), async () => {
      const { exitCode } = await run([...args, "--json"]);
      assert.equal(exitCode, 2);
    });
  }
});

test("files whose content is secret fail without a word of it", async () => {
  const place = join(top, "hostile");
  mkdirSync(place);
  const long = `${secretMark}${"x".repeat(60)}`;
  const token = "0000002a".repeat(8);
  const contents = [
    `{"session_token": "${token}", "login": "user1@example.com", "${secretMark}`,
    `{"a": ${secretMark}}`,
    `{"a": NaN${secretMark}}`,
    `{"a": "\\u${secretMark}"}`,
    `["${secretMark}"]`,
    `"${secretMark}"`,
    `{"a": 1} ${secretMark}`,
    `{"db": null, "${secretMark}": {"_type": "date_isoformat", "value": "${secretMark}"}}`,
    `\x80\x02X${"\x20\x00\x00\x00"}${secretMark}`,
    `\x80\x02X\x0c\x00\x00\x00${secretMark}.`,
    `\x80\x02}X\x0c\x00\x00\x00${secretMark}C\x01\x00s.`,
    `(dp0\nS'login'\np1\nS'${secretMark}\np2\ns.`,
    `(dp0\nI${secretMark}\ns.`,
    `(dp0\nF${secretMark}\ns.`,
    `(dp0\nV\\u${secretMark}\ns.`,
    `P${secretMark}\n.`,
    `\x80\x02}q\x00X\x01\x00\x00\x00aC\x0c${secretMark}s.`,
    `\x80\x02}q\x00X\x01\x00\x00\x00ac_codecs\nencode\n(X\x0c\x00\x00\x00${secretMark}X\x06\x00\x00\x00latin1tRs.`,
    `\x80\x02}q\x00X\x01\x00\x00\x00acdatetime\ndatetime\n(X\x0c\x00\x00\x00${secretMark}tRs.`,
    // A name may be shown, but never as long as a sid.
    `c${"m".repeat(50)}\n${long.replace(secretMark, "Name")}\n.`,
    `\x80\x02}X\x01\x00\x00\x00ac${createHash("sha1").update("a sid").digest("hex")}\nuser\n)Rs.`,
  ];
  for (const [index, content] of contents.entries()) {
    const sid = createHash("sha1").update(`hostile ${index}`).digest("hex");
    writeFileSync(join(place, `werkzeug_${sid}.sess`), Buffer.from(content, "latin1"));
  }
  const file = join(top, "hostile.json");
  const { report } = await run(["copy", "--session-dir", place, "--port", port, "--list", "--json", "--report", file], {
    environment: withPassword,
  });
  assert.equal(report.sessions.found, contents.length);
  assert.equal(report.sessions.failed, contents.length, JSON.stringify(report.sessions));
  assert.equal(readReportFile(file).failures.length, contents.length);
});

test("names of directories are cut and escaped", async (t) => {
  const sid = createHash("sha1").update("a name").digest("hex");
  const rows = [
    { name: "a sid in the path", directory: join(top, sid) },
    { name: "control characters", directory: join(top, "\x1b[31mred\x07\n") },
  ];
  for (const row of rows) {
    await t.test(row.name, async () => {
      for (const isMissing of [true, false]) {
        if (!isMissing) mkdirSync(row.directory);
        const { exitCode, stderr } = await run(["copy", "--session-dir", row.directory, "--port", port, "--json"], {
          environment: withPassword,
        });
        assert.equal(exitCode, isMissing ? 2 : 0, stderr);
        assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
      }
    });
  }
});
