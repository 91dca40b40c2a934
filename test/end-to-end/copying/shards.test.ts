import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isInShard } from "../../../src/model/shard.js";
import { PeerRuns } from "../../../src/redis/server/peers.js";
import { directoryPlaces } from "../../../src/source/file-identity.js";
import { clientOf } from "../../redis/support/client-of.js";
import { between } from "../../support/process/between.js";
import { runCommand } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions, readManifest } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { hourMs, keyOf, pathOf, saveSession, sidOf } from "../support/made-session.js";
import { type ObservedResult, run, start } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const value = '{"db": "x", "uid": 2, "v": "file"}';
/** No copy writes it so: its expiry carries no sign. */
const saved = '{"db": "x", "uid": 2, "v": "server"}';

const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

function newDirectory(count: number): string {
  const directory = join(makeTemporaryDirectory(), "s");
  for (const number of numbersTo(count)) saveSession(directory, number, value, { mtimeMs: Date.now() - hourMs });
  return directory;
}

/** Which of these sessions a shard takes. */
function takenBy(numbers: readonly number[], index: number, count: number): readonly number[] {
  return numbers.filter((number) => isInShard(sidOf(number), { index: index - 1, count }));
}

/** Runs a command for each of n shards, all at once. */
function runAll(count: number, words: readonly string[]): Promise<ObservedResult[]> {
  return Promise.all(numbersTo(count).map((index) => run([...words, "--json", "--shard", `${index}/${count}`])));
}

function sumOf(results: readonly ObservedResult[], of: (report: ObservedResult["report"]) => number): number {
  return results.reduce((sum, { report }) => sum + of(report), 0);
}

async function markedShards(redis: RedisServer): Promise<string[]> {
  const marks = await redisCommand(redis, "KEYS", "tele-sessions:mark:*");
  assert.ok(Array.isArray(marks) && marks.length === 1);
  return Object.keys(JSON.parse(String(await redisCommand(redis, "GET", String(marks[0])))).shards).sort();
}

/** A server that works on Redis has saved one session there. */
async function switchServer(redis: RedisServer): Promise<void> {
  const at = Date.now() + hourMs;
  // A copy would have signed one instant of a thousand.
  await redisCommand(redis, "SET", keyOf(0xffff), saved, "PXAT", String(at));
  await redisCommand(redis, "SET", keyOf(0xfffe), saved, "PXAT", String(at + 1));
}

describe("shards: several processes share a session directory", { concurrency: 2 }, () => {
  test("four at once: everything arrives, nothing twice, the report adds up; then verify and purge", async (t) => {
    const redis = await redisOf(t);
    const top = makeTemporaryDirectory();
    const [directory, manifest] = [join(top, "s"), join(top, "manifest")];
    const made = await makeSessions(directory, { count: 600, strays: true, manifest });
    const beganMs = Date.now();
    const found = made.sessions;
    const reports = numbersTo(4).map((index) => join(top, `copy-${index}.json`));
    const copies = await Promise.all(
      reports.map((path, index) =>
        run([...["copy", ...between(directory, redis), "--json", "--report", path], "--shard-count", "4"], {
          environment: { JOB_COMPLETION_INDEX: String(index) },
        }),
      ),
    );
    for (const { exitCode, stderr, report } of copies) {
      assert.equal(exitCode, 0, stderr);
      assert.ok(report.sessions.found > 80, "about a quarter each");
      assert.match(stderr.replaceAll(/\s+/g, " "), /of shard \d\/4 of .* Next once all 4 shards have ended well/);
      assert.match(stderr.replaceAll(/\s+/g, " "), /tele-sessions verify .*--shard \d\/4/);
    }
    const total = {
      found: sumOf(copies, ({ sessions }) => sessions.found),
      copied: sumOf(copies, ({ sessions }) => sessions.copied ?? 0),
      listed: sumOf(copies, ({ listed }) => listed ?? 0),
      ignored: sumOf(copies, ({ source }) => source.ignored),
      empty: sumOf(copies, ({ source }) => source.empty),
    };
    assert.deepEqual([total.found, total.listed, total.empty], [found, found + made.empty, made.empty]);
    assert.equal(total.ignored, made.ignored);
    await assertCopied(redis, { manifest, beganMs, sessions: made.sessions, expired: made.expired });
    assert.deepEqual(await markedShards(redis), ["1/4", "2/4", "3/4", "4/4"]);

    const merged = await run(["report", ...reports, "--html", join(top, "job.html")]);
    assert.equal(merged.exitCode, 0, merged.stderr);
    assert.match(readFileSync(join(top, "job.html"), "utf8"), /all 4 shards of /);
    const { stdout: printed } = await run(["report", ...reports]);
    assert.match(printed.replaceAll(/\s+/g, " "), new RegExp(`All ${total.found} sessions of all 4 shards of`));
    const three = await run(["report", ...reports.slice(1), "--html", join(top, "three.html")]);
    assert.equal(three.exitCode, 0);
    assert.match(readFileSync(join(top, "three.html"), "utf8"), /the report of shard 1\/4 is missing/);

    const verified = await runAll(3, ["verify", ...between(directory, redis)]);
    assert.deepEqual(
      verified.map(({ exitCode }) => exitCode),
      [0, 0, 0],
    );
    assert.equal(
      sumOf(verified, ({ sessions }) => sessions.found),
      found,
    );
    const purged = await runAll(3, ["purge", ...between(directory, redis)]);
    for (const { exitCode, stderr } of purged) assert.equal(exitCode, 0, stderr);
    assert.equal(
      sumOf(purged, ({ sessions }) => sessions.removed ?? 0) + sumOf(purged, ({ sessions }) => sessions.kept ?? 0),
      found,
    );
    // What expired less than 7 days ago is kept.
    let left = 0;
    for await (const { path } of readManifest(manifest)) if (existsSync(join(directory, path))) left++;
    assert.equal(
      left,
      sumOf(purged, ({ sessions }) => sessions.kept ?? 0),
    );
    await assertCopied(redis, { manifest, beganMs, sessions: made.sessions, expired: made.expired });
  });

  test("copy --purge, four at once: no shard waits for another's copy, and every file is in Redis", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(200);
    const results = await runAll(4, ["copy", "--purge", ...between(directory, redis)]);
    for (const { exitCode, stderr } of results) {
      assert.equal(exitCode, 0, stderr);
      assert.doesNotMatch(stderr, /another run/);
    }
    assert.equal(
      sumOf(results, ({ sessions }) => sessions.purged),
      200,
    );
    assert.equal(await countKeys(redis), 200);
    assert.deepEqual(readdirSync(directory), []);
  });

  test("copy --purge: a save in another shard shows that a server uses the directory", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(60);
    const [other = 0] = takenBy(numbersTo(60), 2, 2);
    const args = ["copy", "--purge", ...between(directory, redis), "--shard", "1/2", "--max-rate", "15"];
    const running = start([...args, "--log-format", "json"]);
    while ((await countKeys(redis)) < 5) await setTimeout(20);
    saveSession(directory, other, value, { mtimeMs: Date.now() });
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /a server is still using this directory. Nothing was removed/);
    assert.equal(readdirSync(directory).length, 60);
  });

  test("a purge waits for a copy of its own shard and of everything, not for one of another shard", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(40);
    assert.equal((await run(["copy", ...between(directory, redis)])).exitCode, 0);
    const places = directoryPlaces([directory]);
    const peer = new PeerRuns({ places, shard: { index: 1, count: 2 }, token: "0123456789abcdef" });
    await clientOf(t, redis, peer.ownName("copying"));
    const purge = (...more: string[]) => run(["purge", ...between(directory, redis), "--retry-for", "1", ...more]);
    for (const beside of [["--shard", "2/2"], ["--shard", "4/4"], []]) {
      const { exitCode, stderr } = await purge(...beside);
      assert.equal(exitCode, 4, stderr);
      assert.match(stderr, /another run still copies this directory: nothing was removed/);
    }
    assert.equal(readdirSync(directory).length, 40);
    const { exitCode, stderr } = await purge("--shard", "1/2");
    assert.equal(exitCode, 0, stderr);
    assert.equal(readdirSync(directory).length, takenBy(numbersTo(40), 2, 2).length);
  });

  test("a shard that was killed runs again; what a purge of one set aside is not another's", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(120);
    const words = ["copy", ...between(directory, redis)];
    const killed = start([...words, "--shard", "1/2", "--max-rate", "100", "--log-format", "json"]);
    while ((await countKeys(redis)) < 5) await setTimeout(20);
    killed.kill("SIGKILL");
    await killed.result;
    const mine = takenBy(numbersTo(120), 1, 2);
    assert.ok((await countKeys(redis)) < mine.length, "it was killed before the end");
    const other = await run([...words, "--json", "--shard", "2/2"]);
    assert.deepEqual([other.exitCode, other.report.sessions.found], [0, 120 - mine.length]);
    const again = await run([...words, "--json", "--shard", "1/2"]);
    assert.deepEqual([again.exitCode, again.report.sessions.found], [0, mine.length]);

    const [first = 0] = mine;
    const path = pathOf(directory, first);
    const aside = join(directory, `.tele-sessions-2147483646-0123456789abcdef-werkzeug_${sidOf(first)}.sess`);
    renameSync(path, aside);
    const others = await run(["purge", ...between(directory, redis), "--json", "--shard", "2/2"]);
    assert.deepEqual([others.exitCode, others.report.sessions.removed], [0, 120 - mine.length]);
    assert.doesNotMatch(others.stderr, /set aside/);
    assert.ok(readdirSync(directory).some((name) => name.startsWith(".tele-sessions-")));
    const own = await run(["purge", ...between(directory, redis), "--json", "--shard", "1/2"]);
    assert.deepEqual([own.exitCode, own.report.sessions.removed], [0, mine.length], own.stderr);
    assert.match(own.stderr, /put back 1 session file/);
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(await countKeys(redis), 120);
  });

  test("marks: for a sid, the latest entry of any shard that contains it counts", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(80);
    const words = ["copy", ...between(directory, redis), "--json"];
    for (const shard of ["1/4", "2/4", "3/4"]) assert.equal((await run([...words, "--shard", shard])).exitCode, 0);
    assert.deepEqual(await markedShards(redis), ["1/4", "2/4", "3/4"]);
    await switchServer(redis);
    // Their users logged out of Redis; the fourth shard was never copied.
    const [gone = 0] = takenBy(numbersTo(80), 2, 4);
    await redisCommand(redis, "DEL", keyOf(gone));
    const never = takenBy(numbersTo(80), 4, 4).length;
    const half = await run([...words, "--shard", "2/2"]);
    assert.equal(half.exitCode, 0, half.stderr);
    const { ended, copied } = half.report.sessions;
    assert.deepEqual([ended, copied], [1, never], "2/2 holds 2/4 and 4/4");
    assert.deepEqual(await markedShards(redis), ["1/4", "2/2", "3/4"], "2/4 counts for no sid any more");

    const [other = 0] = takenBy(numbersTo(80), 4, 4);
    await redisCommand(redis, "DEL", keyOf(other));
    const whole = await run(words);
    assert.equal(whole.exitCode, 0, whole.stderr);
    assert.deepEqual([whole.report.sessions.ended, whole.report.sessions.copied], [2, 0]);
    assert.deepEqual(await markedShards(redis), ["1/1"]);
    const verified = await runAll(3, ["verify", ...between(directory, redis)]);
    assert.equal(
      sumOf(verified, ({ sessions }) => sessions.ended ?? 0),
      2,
    );
  });

  test("logouts between two copies: a shard deletes the keys of its own sids only", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(60);
    const words = ["copy", ...between(directory, redis), "--json"];
    assert.equal((await run(words)).exitCode, 0);
    const [one = [], two = []] = [1, 2].map((index) => takenBy(numbersTo(60), index, 2).slice(0, 2));
    for (const number of [...one, ...two]) rmSync(pathOf(directory, number));
    // The server saved in another shard, which shows that it works on files.
    saveSession(directory, takenBy(numbersTo(60), 2, 2)[5] ?? 0, value, { mtimeMs: Date.now() });
    const { exitCode, report, stderr } = await run([...words, "--shard", "1/2"]);
    assert.deepEqual([exitCode, report.sessions.retracted], [0, 2], stderr);
    assert.equal(await redisCommand(redis, "EXISTS", ...one.map(keyOf)), 0);
    assert.equal(await redisCommand(redis, "EXISTS", ...two.map(keyOf)), 2);
  });

  test("a shard without a session file is no wrong directory; inspect, check and dry runs too", async (t) => {
    const redis = await redisOf(t);
    const directory = newDirectory(1);
    writeFileSync(join(directory, "README"), "other");
    const copies = await runAll(5, ["copy", ...between(directory, redis), "--dry-run"]);
    for (const { exitCode, stderr } of copies) assert.equal(exitCode, 0, stderr);
    assert.equal(
      sumOf(copies, ({ listed }) => listed ?? 0),
      1,
    );
    const inspections = await Promise.all(
      numbersTo(5).map((index) =>
        runCommand(["inspect", "--session-dir", directory, "--json", "--shard", `${index}/5`]),
      ),
    );
    const inspected = inspections.map(({ stdout }) => JSON.parse(stdout));
    for (const count of ["listed", "ignored"]) {
      assert.equal(
        inspected.reduce((sum, report) => sum + report[count], 0),
        1,
        count,
      );
    }
    assert.equal(
      sumOf(copies, ({ source }) => source.ignored),
      1,
    );
    const empty = copies.find(({ report }) => report.listed === 0);
    assert.match(
      empty?.stderr.replaceAll(/\s+/g, " ") ?? "",
      /no session file in shard \d\/5 of .*Next nothing more to do/,
    );
    const checked = await Promise.all(
      numbersTo(2).map((index) => run(["check", ...between(directory, redis), "--shard", `${index}/2`])),
    );
    const screens = checked.map(({ stderr }) => stderr.replaceAll(/\s+/g, " "));
    assert.ok(screens.some((screen) => screen.includes("no session file in this shard, of 1")));
    assert.ok(screens.every((screen) => /Next tele-sessions copy .*--shard [12]\/2/.test(screen)));
  });

  test("the memory estimate is for all shards", async (t) => {
    const redis = await redisOf(t, { args: ["--maxmemory", "100mb"] });
    const directory = newDirectory(400);
    const needOf = async (...more: string[]) => {
      const { stderr } = await run(["copy", ...between(directory, redis), "--dry-run", ...more]);
      return / about (\d+(?:\.\d+)?) KiB of Redis memory(.*?),/.exec(stderr.replaceAll(/\s+/g, " "));
    };
    const [all, part] = [await needOf(), await needOf("--shard", "1/8")];
    assert.ok(Number(all?.[1]) > 50, String(all));
    assert.equal(part?.[1], all?.[1]);
    assert.deepEqual([all?.[2], part?.[2]], ["", " for all shards"]);
  });
});
