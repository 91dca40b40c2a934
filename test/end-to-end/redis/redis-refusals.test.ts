import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { startMuteServer } from "../support/mute-server.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { makeUnforeseenNeed } from "../support/unforeseen-memory.js";
import { waitUntil } from "../support/wait-until.js";

const sessions = 500;
const directory = join(makeTemporaryDirectory(), "s");
await makeSessions(directory, { count: sessions });
const copy = ["copy", "--session-dir", directory];
const password = "NotToBeShown";

test("a Redis that is not there: exit 3 in a few seconds, in one sentence", async (t) => {
  const rows = [
    { name: "connection refused", args: ["--port", String(await findFreePort())], says: /refused/ },
    { name: "an unknown host", args: ["--host", "no-such-host.invalid"], says: /host/ },
    { name: "no socket", args: ["--url", `unix://${join(directory, "none.sock")}`], says: /socket/ },
  ];
  for (const { name, args, says } of rows) {
    await t.test(name, { timeout: 10_000 }, async () => {
      const began = performance.now();
      const { exitCode, stdout, stderr } = await run([...copy, ...args]);
      assert.deepEqual([exitCode, stdout], [3, ""], stderr);
      assert.ok(performance.now() - began < 8000);
      assert.match(stderr, says);
      assert.match(stderr, /^Connecting to .*\nerror: .*\nExit 3: .*\n$/);
    });
  }
});

test("a server that takes the password and never answers: exit 3, no hang", async (t) => {
  const mute = await startMuteServer(t);
  const { exitCode, stderr } = await run([...copy, "--port", String(mute.port)], {
    environment: { TELE_SESSION_REDIS_PASSWORD: password },
    timeLimitMs: 12_000,
  });
  assert.equal(exitCode, 3, stderr);
});

test("what Redis refuses: exit 5, and what is missing by its name", async (t) => {
  const redis = await redisOf(t, { args: ["--requirepass", password] });
  const asAdmin = { port: redis.port, password };
  await redisPipeline(asAdmin, [
    ["ACL", "SETUSER", "reader", "on", `>${password}`, "~*", "+@all", "-set"],
    ["ACL", "SETUSER", "stranger", "on", `>${password}`, "~other:*", "+@all"],
    ["ACL", "SETUSER", "blind", "on", `>${password}`, "~*", "+@all", "-info", "-time"],
  ]);
  const rows: readonly { name: string; args?: readonly string[]; password?: string; says: RegExp }[] = [
    { name: "a password that is missing", says: /password/ },
    { name: "a password that is wrong", password: `${password}?`, says: /password/ },
    {
      name: "a user that does not exist",
      args: ["--username", "nobody"],
      password,
      says: /user name or password/,
    },
    { name: "a user who may not SET", args: ["--username", "reader"], password, says: /SET/ },
    { name: "a user whose keys are others", args: ["--username", "stranger"], password, says: /keys/ },
    { name: "a database that does not exist", args: ["--db", "99"], password, says: /database/ },
  ];
  for (const { name, args = [], password: given, says } of rows) {
    await t.test(name, async () => {
      const { exitCode, stderr } = await run([...copy, "--port", String(redis.port), ...args], {
        environment: given === undefined ? {} : { TELE_SESSION_REDIS_PASSWORD: given },
      });
      assert.equal(exitCode, 5, stderr);
      assert.match(stderr, says);
      assert.equal(await countKeys(asAdmin), 0);
    });
  }

  await t.test("a user who may not ask for INFO and TIME copies all the same", async () => {
    const { exitCode, stderr } = await run([...copy, "--port", String(redis.port), "--username", "blind"], {
      environment: { TELE_SESSION_REDIS_PASSWORD: password },
    });
    assert.equal(exitCode, 0, stderr);
    assert.equal(await countKeys(asAdmin), sessions);
  });
});

test("a password where none is asked for: a warning, and on", async (t) => {
  const redis = await redisOf(t);
  const { exitCode, stderr } = await run([...copy, "--port", String(redis.port)], {
    environment: { TELE_SESSION_REDIS_PASSWORD: password },
  });
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /warning: .*password/);
});

test("a replica: exit 5, nothing written", async (t) => {
  const master = await redisOf(t);
  const replica = await redisOf(t, { args: ["--replicaof", "127.0.0.1", String(master.port)] });
  const { exitCode, stderr } = await run([...copy, "--port", String(replica.port)]);
  assert.equal(exitCode, 5, stderr);
  assert.match(stderr, /replica/);
  assert.equal(await countKeys(master), 0);
});

test("memory runs out under noeviction: exit 5, balanced, and what is said to be copied is there", async (t) => {
  const redis = await redisOf(t, { args: ["--maxmemory-policy", "noeviction"] });
  const { directory: unforeseen, sessions: needed } = await makeUnforeseenNeed(redis);
  const { exitCode, stderr, report } = await run(["copy", ...between(unforeseen, redis), "--json"]);
  assert.equal(exitCode, 5, stderr);
  assert.match(stderr, /memory/);
  const { copied, unvisited } = report.sessions;
  assert.ok(copied < needed && unvisited > 0);
  assert.ok((await countKeys(redis)) >= copied);
});

test("a Redis that is still loading is waited for", async (t) => {
  const redis = await redisOf(t, {
    args: [
      "--enable-debug-command",
      "yes",
      "--key-load-delay",
      "500",
      "--loading-process-events-interval-bytes",
      "1024",
    ],
  });
  await redisPipeline(
    redis,
    Array.from({ length: 4000 }, (_, index) => ["SET", `old:${index}`, "x".repeat(64)]),
  );
  const reload = redisCommand(redis, "DEBUG", "RELOAD");
  await waitUntil("Redis is loading", async () => {
    try {
      return /loading:1/.test(String(await redisCommand(redis, "INFO", "persistence")));
    } catch {
      return true;
    }
  });
  const { exitCode, stderr, report } = await run([...copy, "--port", String(redis.port), "--json"]);
  await reload;
  assert.equal(exitCode, 0, stderr);
  assert.equal(report.sessions.copied, sessions);
  assert.equal(await countKeys(redis), sessions + 4000);
});
