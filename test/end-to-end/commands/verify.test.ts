import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import {
  anonymousLifetimeMs,
  dayMs,
  fullLifetimeMs,
  hourMs,
  keyOf,
  pathOf,
  saveSession,
  sidOf,
} from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";

const value = '{"db": "x", "uid": 2, "v": "file"}';
const other = '{"db": "x", "uid": 2, "v": "other"}';
const anonymous = '{"db": null, "v": 1}';

/** `signed`: as a copy writes it. */
type Held = readonly [value: string, endsInMs: number | null, by?: "signed"] | "list" | "nothing";

interface Row {
  readonly name: string;
  readonly file?: string;
  readonly ageMs?: number;
  readonly held: Held;
  readonly outcome: string;
}

/** Sets up a session file and a key for each row, and gives the outcome that each comes to. */
async function outcomesOf(redis: RedisServer, rows: readonly Row[], args: readonly string[]) {
  const directory = join(makeTemporaryDirectory(), "s");
  await redisCommand(redis, "FLUSHALL");
  const commands = rows.flatMap(({ file = value, ageMs = dayMs, held }, number) => {
    saveSession(directory, number, file, { mtimeMs: Date.now() - ageMs });
    if (held === "nothing") return [];
    if (held === "list") return [["RPUSH", keyOf(number), "x"]];
    const [text, endsInMs, by] = held;
    if (endsInMs === null) return [["SET", keyOf(number), text]];
    const signedMs = signedInstant(Date.now() + endsInMs, text, 0);
    return [["SET", keyOf(number), text, "PXAT", String(by === "signed" ? signedMs : signedMs + 1)]];
  });
  await redisPipeline(redis, commands);
  await redisCommand(redis, "CONFIG", "RESETSTAT");
  const result = await run(["verify", ...between(directory, redis), "--json", "--list", ...args]);
  const outcomes = rows.map(
    (_, number) => new RegExp(`^${sidOf(number).slice(0, 6)}… (\\S+)`, "m").exec(result.stderr)?.[1],
  );
  return { ...result, outcomes };
}

const rows: readonly Row[] = [
  { name: "equal", held: [value, hourMs], outcome: "equal" },
  { name: "equal, saved since", held: [value, fullLifetimeMs], outcome: "equal" },
  {
    name: "equal, a set in another order",
    file: '{"db": "x", "uid": 2, "s": {"_type": "set", "value": [1, 2]}}',
    held: ['{"db": "x", "uid": 2, "s": {"_type": "set", "value": [2, 1]}}', hourMs],
    outcome: "equal",
  },
  { name: "equal without a lifetime", held: [value, null], outcome: "wrong-lifetime" },
  { name: "equal, full + 4 s", held: [value, fullLifetimeMs + 4000], outcome: "equal" },
  { name: "equal, full + 20 s", held: [value, fullLifetimeMs + 20_000], outcome: "wrong-lifetime" },
  { name: "saved after the file", held: [other, fullLifetimeMs - hourMs], outcome: "newer" },
  { name: "saved after the file, without a lifetime", held: [other, null], outcome: "wrong-lifetime" },
  { name: "saved before the file", held: [other, fullLifetimeMs - 2 * dayMs], outcome: "different" },
  {
    name: "written by a copy before the file was saved",
    held: [other, fullLifetimeMs - 2 * dayMs, "signed"],
    outcome: "different",
  },
  {
    name: "written by a copy after the file was saved",
    held: [other, fullLifetimeMs - hourMs, "signed"],
    outcome: "newer",
  },
  { name: "no session at all", held: ["oops", hourMs], outcome: "different" },
  { name: "missing", held: "nothing", outcome: "missing" },
  {
    name: "missing, the file's time and its lifetime past: a copy would write it",
    file: anonymous,
    ageMs: anonymousLifetimeMs + hourMs,
    held: "nothing",
    outcome: "missing",
  },
  {
    name: "over by its own word",
    file: '{"db": "x", "uid": 2, "expiration": -1}',
    held: "nothing",
    outcome: "expired",
  },
  { name: "a list", held: "list", outcome: "failed" },
  { name: "corrupt", file: "{", held: [value, hourMs], outcome: "failed" },
];

/** Counted from the file's time, a day old: six days remain. */
const remainingRows: readonly Row[] = [
  { name: "what remains", held: [value, fullLifetimeMs - dayMs, "signed"], outcome: "equal" },
  { name: "4 s less", held: [value, fullLifetimeMs - dayMs - 4000, "signed"], outcome: "equal" },
  { name: "20 s less", held: [value, fullLifetimeMs - dayMs - 20_000, "signed"], outcome: "wrong-lifetime" },
  { name: "20 s more", held: [value, fullLifetimeMs - dayMs + 20_000, "signed"], outcome: "wrong-lifetime" },
  {
    name: "20 s less, saved by a server",
    held: [value, fullLifetimeMs - dayMs - 20_000],
    outcome: "equal",
  },
  { name: "saved since", held: [value, fullLifetimeMs - hourMs], outcome: "equal" },
  { name: "too long", held: [value, fullLifetimeMs + 20_000], outcome: "wrong-lifetime" },
  { name: "over", ageMs: 8 * dayMs, held: "nothing", outcome: "expired" },
];

describe("verify compares every file with Redis, and only reads (spec.md section 4, Verify)", () => {
  for (const [ttl, all] of [
    ["full", rows],
    ["remaining", remainingRows],
  ] as const) {
    test(`--ttl ${ttl}: each kind of file and entry`, async (t) => {
      const redis = await redisOf(t);
      const { outcomes, exitCode, report } = await outcomesOf(redis, all, ["--ttl", ttl]);
      assert.deepEqual(
        Object.fromEntries(all.map(({ name }, number) => [name, outcomes[number]])),
        Object.fromEntries(all.map(({ name, outcome }) => [name, outcome])),
      );
      assert.equal(exitCode, ttl === "full" ? 1 : 4);
      assert.equal(report.sessions.found, all.length);
      const statistics = String(await redisCommand(redis, "INFO", "commandstats"));
      assert.doesNotMatch(statistics, /cmdstat_(set|del|expire|pexpireat|eval|unlink)/);
    });
  }

  for (const outcome of ["missing", "different", "wrong-lifetime", "newer", "equal", "expired"]) {
    const bad = ["missing", "different", "wrong-lifetime"].includes(outcome);
    test(`${outcome}: exit ${bad ? 4 : 0}`, async (t) => {
      const redis = await redisOf(t);
      const alike = rows.filter((row) => row.outcome === outcome);
      assert.equal((await outcomesOf(redis, alike, [])).exitCode, bad ? 4 : 0);
    });
  }
});

test("a copy is verified; what differs afterwards is found, in a sample too", async (t) => {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  await makeSessions(directory, { count: 2000 });
  const args = between(directory, redis);
  assert.equal((await run(["copy", ...args])).exitCode, 0);
  const whole = await run(["verify", ...args, "--json"]);
  assert.deepEqual([whole.exitCode, Reflect.get(whole.report.sessions, "equal")], [0, 2000], whole.stderr);

  const samples = [await run(["verify", ...args, "--sample", "10%", "--json"])];
  samples.push(await run(["verify", ...args, "--sample", "10%", "--json"]));
  const found = samples.map(({ report }) => report.sessions.found);
  assert.ok(found[0] === found[1] && (found[0] ?? 0) > 120 && (found[0] ?? 0) < 290, String(found));

  await redisCommand(redis, "FLUSHALL");
  const lost = await run(["verify", ...args, "--sample", "50%", "--json"]);
  assert.equal(lost.exitCode, 4);
  assert.equal(Reflect.get(lost.report.sessions, "missing"), lost.report.sessions.found);
  assert.match(lost.stderr, /^NOT ALL: [\d,]+ of [\d,]+ sessions/m);
});

test("what a copy wrote and Redis ended since is `ended`", async (t) => {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  for (const number of [1, 2, 3]) saveSession(directory, number, value);
  const args = [...between(directory, redis), "--json"];
  assert.equal((await run(["copy", ...args])).exitCode, 0);
  await redisCommand(redis, "DEL", keyOf(1));
  const { exitCode, report } = await run(["verify", ...args]);
  assert.deepEqual([exitCode, report.sessions.ended], [0, 1]);
});

test("of one sid in two files the earlier is superseded", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const [first, second] = [join(top, "first"), join(top, "second")];
  // Flat and scattered; two directories; the same time, where the scattered one counts.
  saveSession(first, 1, other, { mtimeMs: Date.now() - 2 * dayMs });
  saveSession(first, 1, value, { layout: "scattered" });
  saveSession(first, 2, value);
  saveSession(second, 2, other, { mtimeMs: Date.now() - 2 * dayMs });
  const sameMs = Date.now() - hourMs;
  saveSession(second, 3, other, { mtimeMs: sameMs });
  saveSession(second, 3, value, { layout: "scattered", mtimeMs: sameMs });
  const args = ["--session-dir", first, ...between(second, redis), "--json"];
  for (const command of [["copy", "--dry-run"], ["copy"], ["verify"]]) {
    const { exitCode, stderr, report } = await run([...command, ...args]);
    assert.deepEqual([exitCode, report.sessions.superseded, report.sessions.found], [0, 3, 6], stderr);
  }
  const values = await redisPipeline(
    redis,
    [1, 2, 3].map((number) => ["GET", keyOf(number)]),
  );
  assert.deepEqual(values.map(String), [value, value, value]);

  // An empty file, or a later one that is gone, supersedes nothing.
  writeFileSync(pathOf(second, 1), "");
  rmSync(pathOf(first, 1, "scattered"));
  const { report } = await run(["copy", ...args]);
  assert.deepEqual([report.sessions.superseded, report.sessions.kept], [2, 1]);

  const purged = await run(["purge", ...args]);
  assert.deepEqual([purged.exitCode, purged.report.sessions.purged], [0, 5], purged.stderr);
});
