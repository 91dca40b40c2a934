import assert from "node:assert/strict";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Marks, marksOf } from "../../../src/migrate/earlier-runs/marks.js";
import type { Shard } from "../../../src/model/shard.js";
import { Canary } from "../../../src/redis/canary.js";
import { PeerRuns } from "../../../src/redis/server/peers.js";
import { SingleServer } from "../../../src/redis/topology/redis-servers.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { type Account, clientOf, resilientOf } from "../../redis/support/client-of.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";

const startedMs = Date.UTC(2026, 0, 10);
const [a, b] = [makeTemporaryDirectory(), makeTemporaryDirectory()];
const directories = [a, b];
const startOf = (marks: Marks, directory: string) => marks.complete().get(directory)?.[0]?.mark.startedMs;
const completed = (started: number) => ({
  startedMs: started,
  keeps: false,
  renewed: true,
  lifetimes: { ttl: "full" as const, expiration: 604_800, expirationAnonymous: 10_800 },
});

interface Run {
  readonly marks: Marks;
  readonly canary: Canary;
  /** Of its connection. */
  readonly close: () => Promise<void>;
  readonly warnings: readonly string[];
}

/** The marks of a run over these directories; of one that only reads if it has no canary. */
async function runOf(
  t: TestContext,
  account: Account,
  {
    keyPrefix = "session:",
    of = directories as readonly string[],
    watched = true,
    token = "1",
    shard = null as Shard | null,
  } = {},
): Promise<Run> {
  const peers = new PeerRuns({ places: of, shard, token });
  const connection = await resilientOf(t, account, { name: peers.ownName("copying") });
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const servers = new SingleServer(connection);
  const canary = new Canary(servers, peers, warn);
  if (watched) await canary.begin();
  const run = { servers, directories: of, keyPrefix, shard };
  const marks = marksOf(run, watched ? canary : undefined, warn);
  return { marks, canary, warnings, close: () => connection.close() };
}

describe("marks: a complete run's start, for later runs over the same directories (spec.md section 4, Logouts)", () => {
  it("left for each directory; a later run reads it", async (t) => {
    const server = await redisOf(t);
    const first = await runOf(t, server);
    await first.marks.read();
    assert.equal(startOf(first.marks, a), undefined, "there is none yet");
    await first.marks.leave(completed(startedMs));
    assert.equal(startOf(first.marks, a), undefined, "a run's own mark is for later ones");

    const second = await runOf(t, server);
    assert.equal(startOf(second.marks, a), undefined, "it was not read yet");
    await second.marks.read();
    assert.equal(second.marks.endedCounts(), true);
    for (const directory of directories) assert.equal(startOf(second.marks, directory), startedMs);
    assert.equal(startOf(second.marks, "/srv/c"), undefined, "another directory");
    assert.deepEqual([first.warnings, second.warnings], [[], []]);
  });

  it("each directory has its own; other keys have others, also of the same prefix", async (t) => {
    const server = await redisOf(t);
    await (await runOf(t, server, { of: [a] })).marks.leave(completed(startedMs));
    const both = await runOf(t, server);
    await both.marks.read();
    assert.deepEqual(
      directories.map((directory) => startOf(both.marks, directory)),
      [startedMs, undefined],
    );
    await (await runOf(t, server, { keyPrefix: "session:p:" })).marks.leave(completed(startedMs));
    const applet = await runOf(t, server, { keyPrefix: "session::p:" });
    await applet.marks.read();
    assert.equal(startOf(applet.marks, a), undefined);
  });

  it("another directory that was put in its place was never copied", async (t) => {
    const server = await redisOf(t);
    const path = join(makeTemporaryDirectory(), "sessions");
    mkdirSync(path);
    await (await runOf(t, server, { of: [path] })).marks.leave(completed(startedMs));
    renameSync(path, `${path}.old`);
    mkdirSync(path);
    const { marks } = await runOf(t, server, { of: [path] });
    await marks.read();
    assert.equal(startOf(marks, path), undefined);
  });

  it("where another clock may date the files, it counts from 2 s before", async (t) => {
    const server = await redisOf(t);
    const path = "/proc";
    await (await runOf(t, server, { of: [path] })).marks.leave(completed(startedMs));
    const { marks } = await runOf(t, server, { of: [path] });
    await marks.read();
    assert.equal(startOf(marks, path), startedMs - 2000);
  });

  it("notes of a run that began and of a purge make nothing ended, and a purge forbids to retract", async (t) => {
    const server = await redisOf(t);
    const { marks } = await runOf(t, server);
    await marks.noteStart();
    await marks.read();
    assert.equal(marks.complete().size, 0);
    assert.equal(await marks.whyNotRetract(), undefined);
    await marks.noteRemoval();
    await marks.read();
    assert.equal(marks.complete().size, 0);
    assert.match((await marks.whyNotRetract()) ?? "", /a purge removed/);
  });

  it("another directory under the same key prefix forbids to retract, another prefix does not", async (t) => {
    const server = await redisOf(t);
    const { marks } = await runOf(t, server, { of: [a] });
    await marks.noteStart();
    await (await runOf(t, server, { of: [b], keyPrefix: "session:p:" })).marks.noteStart();
    assert.equal(await marks.whyNotRetract(), undefined);
    await redisCommand(server, "SET", "tele-sessions:mark:old", "1768003200000");
    assert.match(
      (await marks.whyNotRetract()) ?? "",
      /another directory/,
      "one that names no prefix counts as this one's",
    );
    await redisCommand(server, "DEL", "tele-sessions:mark:old");
    await (await runOf(t, server, { of: [b] })).marks.noteStart();
    assert.match((await marks.whyNotRetract()) ?? "", /another directory/);
  });

  it("read again it is what stands there then", async (t) => {
    const server = await redisOf(t);
    const run = await runOf(t, server);
    await run.marks.leave(completed(startedMs));
    await run.marks.read();
    await redisCommand(server, "FLUSHALL");
    await run.marks.read();
    assert.equal(startOf(run.marks, a), undefined, "Redis was emptied");
  });

  it("where Redis evicts keys, what is missing is not taken for ended, and that is said", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory-policy", "volatile-ttl"] });
    const earlier = await runOf(t, server);
    await earlier.marks.leave(completed(startedMs));
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "4mb");
    await redisPipeline(
      server,
      Array.from({ length: 60 }, (_, index) => ["SET", `k${index}`, "x".repeat(100_000), "EX", 1000]),
    );
    const { marks, warnings } = await runOf(t, server);
    await marks.read();
    assert.equal(marks.endedCounts(), false);
    assert.deepEqual(warnings, ["Redis evicts keys, or has evicted some, so a missing key does not count as a logout"]);
  });
});

describe("marks: where they can't be read or written that is said, and the run goes on (Logouts)", () => {
  const user = { username: "u", password: "pw" };

  it("read", async (t) => {
    const server = await redisOf(t);
    await (await runOf(t, server)).marks.leave(completed(startedMs));
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~tele-sessions:witness", "+@all");
    const { marks, warnings } = await runOf(t, { ...server, ...user });
    await marks.read();
    assert.equal(startOf(marks, a), undefined);
    assert.deepEqual(warnings, [
      "the marks in Redis (tele-sessions:mark:*), which later runs rely on, could not be read",
    ]);
  });

  it("written, and no more than that is known of a Redis that is emptied", async (t) => {
    const server = await redisOf(t);
    await (await runOf(t, server)).marks.leave(completed(startedMs));
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "%R~*", "%W~session:*", "+@all");
    const { marks, warnings } = await runOf(t, { ...server, ...user }, { token: "2" });
    await marks.read();
    assert.equal(marks.endedCounts(), false, "what is missing is not taken for ended");
    await marks.leave(completed(startedMs + 1));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^the keys tele-sessions:\* could not be written\. /);
    assert.equal(await redisCommand(server, "DBSIZE"), 3, "two marks and the canary of their run");
  });

  it("written, though its canary is", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~tele-sessions:witness", "+@all");
    const { marks, warnings } = await runOf(t, { ...server, ...user });
    await marks.leave(completed(startedMs));
    assert.deepEqual(warnings, [
      "the marks in Redis (tele-sessions:mark:*), which later runs rely on, could not be written",
    ]);
  });

  it("a Redis that forgot meanwhile is no matter of rights: it is thrown", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info");
    const { marks, canary } = await runOf(t, { ...server, ...user });
    const works = [() => canary.begin(), marks.read, () => canary.check(), () => marks.leave(completed(startedMs))];
    for (const work of works) {
      await canary.begin();
      await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await assert.rejects(work(), { name: "RedisForgotError" });
    }
  });

  it("one that lies in the future, as a wrong clock leaves it, covers nothing", async (t) => {
    const server = await redisOf(t);
    const { marks } = await runOf(t, server);
    await marks.leave(completed(Date.now() + 3_600_000));
    await marks.read();
    assert.equal(startOf(marks, a), undefined);
  });
});

describe("marks: a Redis that was emptied is found out, and nothing is left in it (hazards.md)", () => {
  it("by the canary of a run that writes, and not by what another run put in its place", async (t) => {
    const server = await redisOf(t);
    const [one, other] = [await runOf(t, server), await runOf(t, server, { token: "2" })];
    await one.canary.check();
    await redisCommand(server, "FLUSHALL");
    // The one that had put it there begins again, and the other relied on it too.
    await assert.rejects(one.canary.check(), { name: "RedisForgotError" });
    await one.canary.begin();
    await one.canary.check();
    await assert.rejects(other.canary.check(), { name: "RedisForgotError" });
    await assert.rejects(other.marks.leave(completed(startedMs)), { name: "RedisForgotError" });
    await one.marks.leave(completed(startedMs));
    assert.equal(await redisCommand(server, "DBSIZE"), directories.length + 1);
  });

  it("a run that ends leaves the canary to runs that are seen, and a killed one to the next run", async (t) => {
    const server = await redisOf(t);
    const dead = await runOf(t, server, { token: "0" });
    const one = await runOf(t, server, { token: "1" });
    assert.equal(one.canary.beside?.value, dead.canary.beside?.value);
    await dead.close();
    const other = await clientOf(
      t,
      server,
      new PeerRuns({ places: ["/srv"], shard: null, token: "2" }).ownName("removing"),
    );
    await one.canary.end();
    await one.canary.check();
    await other.quit();
    await one.canary.end();
    assert.equal(await redisCommand(server, "DBSIZE"), 0);
  });

  it("by the marks of a run that only reads", async (t) => {
    const server = await redisOf(t);
    await (await runOf(t, server)).marks.leave(completed(startedMs));
    const { marks } = await runOf(t, server, { watched: false });
    await marks.confirm();
    await marks.read();
    assert.equal(startOf(marks, a), startedMs);
    await marks.confirm();
    await redisCommand(server, "FLUSHALL");
    await assert.rejects(marks.confirm(), { name: "RedisForgotError" });
  });

  it("a canary that goes where Redis is lost meanwhile is waited for no longer than that", async (t) => {
    const server = await redisOf(t);
    const { canary } = await runOf(t, server);
    await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await canary.end();
    assert.equal(await redisCommand(server, "DBSIZE"), 1);
  });
});
