import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions, readManifest } from "../../support/sessions/make-sessions.js";
import { run } from "../support/observed-run.js";

const redis = await startRedis();
const port = String(redis.port);
test.after(() => redis.stop());

/** The instant at which a key ends, milliseconds since the epoch; -2 where it does not exist. */
async function expiryOf(sid: string): Promise<number> {
  return Number(await redisCommand(redis, "PEXPIRETIME", `session:${sid}`));
}

test("--ttl full counts from the reading, to the file's age it is indifferent", async () => {
  const top = makeTemporaryDirectory();
  const manifest = join(top, "manifest");
  await makeSessions(join(top, "s"), { count: 400, mtimes: "spread", manifest });
  const beganMs = Date.now();
  const { exitCode } = await run(["copy", "--session-dir", join(top, "s"), "--port", port]);
  const endedMs = Date.now();
  assert.equal(exitCode, 0);
  for await (const { sid, lifetime } of readManifest(manifest)) {
    // Less 2 s, for file systems with coarse times, and less than a second for the sign.
    const countedFromMs = (await expiryOf(sid)) - lifetime * 1000 + 2000;
    assert.ok(
      countedFromMs > beganMs - 1000 && countedFromMs <= endedMs,
      `${countedFromMs - beganMs} ms after the start`,
    );
  }
});

test("--ttl remaining counts from the last modification; what is over is expired", async (t) => {
  await redisCommand(redis, "FLUSHALL");
  const top = makeTemporaryDirectory();
  const manifest = join(top, "manifest");
  const made = await makeSessions(join(top, "s"), { count: 400, mtimes: "spread", manifest });
  const rows = [
    { name: "by the flag", args: ["--ttl", "remaining"], environment: {} },
    { name: "by the variable", args: [], environment: { TELE_SESSION_REDIS_TTL: "remaining" } },
  ];
  for (const { name, args, environment } of rows) {
    await t.test(name, async () => {
      const { exitCode, report } = await run(
        ["copy", "--session-dir", join(top, "s"), "--port", port, "--json", ...args],
        {
          environment,
        },
      );
      assert.equal(exitCode, 0);
      const nowMs = Date.now();
      let live = 0;
      for await (const { sid, lifetime, mtimeNs = "0" } of readManifest(manifest)) {
        const endsMs = Number(BigInt(mtimeNs) / 1_000_000n) + lifetime * 1000;
        const found = await expiryOf(sid);
        if (endsMs < nowMs - 60_000) assert.equal(found, -2);
        else if (endsMs > nowMs + 60_000)
          assert.ok(found <= endsMs + 1 && found > endsMs - 1001, `${found - endsMs} ms off`);
        if (found > 0) live += 1;
      }
      assert.ok(live > 100 && live < made.sessions);
      // The second run counts the same instants and finds everything there.
      assert.equal(report.sessions.copied + report.sessions.identical, live);
      assert.equal(report.sessions.expired, made.sessions - live);
    });
  }
});

test("--ttl remaining never goes beyond the full lifetime from now", async () => {
  const place = makeTemporaryDirectory();
  const sid = createHash("sha1").update("from the future").digest("hex");
  const file = join(place, `werkzeug_${sid}.sess`);
  writeFileSync(file, '{"uid": 1}');
  utimesSync(file, Date.now() / 1000 + 5000, Date.now() / 1000 + 5000);
  await run(["copy", "--session-dir", place, "--port", port, "--ttl", "remaining"]);
  const expiry = await expiryOf(sid);
  assert.ok(expiry > Date.now() + 604_000_000 && expiry <= Date.now() + 604_800_000);
});

test("how long each session lives", async (t) => {
  await redisCommand(redis, "FLUSHALL");
  const place = join(makeTemporaryDirectory(), "s");
  mkdirSync(place);
  const rows: readonly { name: string; content: object; seconds?: number; warns?: true }[] = [
    { name: "authenticated", content: { uid: 7 }, seconds: 500 },
    { name: "anonymous", content: { uid: null }, seconds: 60 },
    { name: "without a uid", content: { db: "prod" }, seconds: 60 },
    { name: "uid 0", content: { uid: 0 }, seconds: 60 },
    { name: "a uid that is an empty text", content: { uid: "" }, seconds: 60 },
    { name: "a uid that is an empty list", content: { uid: [] }, seconds: 60 },
    { name: "a uid that is a text", content: { uid: "0" }, seconds: 500 },
    { name: "its own expiration", content: { uid: 7, expiration: 90 }, seconds: 90 },
    { name: "its own expiration as a text", content: { uid: null, expiration: "90" }, seconds: 90 },
    {
      name: "its own expiration of 10 digits",
      content: { uid: null, expiration: 9_999_999_999 },
      seconds: 9_999_999_999,
    },
    { name: "its own expiration 0", content: { uid: 7, expiration: 0 }, seconds: 500 },
    { name: "its own expiration null", content: { uid: null, expiration: null }, seconds: 60 },
    { name: "its own expiration negative", content: { uid: 7, expiration: -1 } },
    { name: "its own expiration 1, over after the 2 s", content: { uid: null, expiration: 1 } },
    {
      name: "its own expiration of 11 digits",
      content: { uid: 7, expiration: 10_000_000_000 },
      seconds: 500,
      warns: true,
    },
    { name: "its own expiration a list", content: { uid: null, expiration: [5] }, seconds: 60, warns: true },
    {
      name: "its own expiration a word",
      content: { uid: null, expiration: "soon" },
      seconds: 60,
      warns: true,
    },
  ];
  const sidOf = (name: string): string => createHash("sha1").update(name).digest("hex");
  for (const { name, content } of rows) {
    writeFileSync(join(place, `werkzeug_${sidOf(name)}.sess`), JSON.stringify({ db: null, ...content }));
  }
  const beganMs = Date.now();
  const { exitCode, stderr, report } = await run([
    ...["copy", "--session-dir", place, "--port", port, "--json"],
    ...["--expiration", "500", "--expiration-anonymous", "60"],
  ]);
  assert.equal(exitCode, 0, stderr);
  for (const { name, seconds } of rows) {
    await t.test(name, async () => {
      const found = await expiryOf(sidOf(name));
      if (seconds === undefined) assert.equal(found, -2);
      else assert.ok(Math.abs(found - beganMs - seconds * 1000) < 10_000, `${(found - beganMs) / 1000} s`);
    });
  }
  assert.equal(report.sessions.expired, 2);
  const odd = rows.filter(({ warns }) => warns).length;
  assert.ok(report.warnings.some((warning) => warning.startsWith(`${odd} times: `) && warning.includes("expiration")));
});
