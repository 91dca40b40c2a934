import assert from "node:assert/strict";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Marks, marksOf } from "../../src/cli/marks.js";
import type { OpenRun } from "../../src/cli/open-run.js";
import { markKey } from "../../src/redis/marks.js";
import { inodeOf } from "../../src/source/directory-places.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { type Account, resilientOf } from "../redis/support/client-of.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const startedMs = Date.UTC(2026, 0, 10);
const [a, b] = [makeTemporaryDirectory(), makeTemporaryDirectory()];
const directories = [a, b];
const fileIn = (directory: string) => ({ directory, name: "n", layout: "flat" as const, sid: "s" });
const stampOf = (timeMs: number) => ({ dev: 1, ino: 1, size: 1, mtimeMs: timeMs, ctimeMs: timeMs });
const before = stampOf(startedMs - 10_000.5);
const after = stampOf(startedMs + 10_000.5);

interface Run {
  readonly marks: Marks;
  readonly warnings: readonly string[];
}

/** The marks of a run over these directories. */
async function runOf(
  t: TestContext,
  account: Account,
  { keyPrefix = "session:", clockLeadMs = 0, of = directories as readonly string[] } = {},
): Promise<Run> {
  const connection = await resilientOf(t, account);
  const never = () => assert.fail("not to be called");
  const warnings: string[] = [];
  const run: OpenRun = {
    ...{ connection, clockLeadMs, keyPrefix, maxFileSize: 1 },
    ...{ directories: of, presence: { places: of, token: "1" } },
    ...{ convert: never, look: never, exist: never, close: never },
  };
  return { marks: marksOf(run, (message) => warnings.push(message)), warnings };
}

describe("cli marks: a complete run's start, for later runs over the same directories (spec.md section 4, Logouts)", () => {
  it("left for each directory; a later run's missing key is ended only for files from before", async (t) => {
    const server = await redisOf(t);
    const first = await runOf(t, server);
    await first.marks.read();
    assert.equal(first.marks.of(fileIn(a), before), undefined, "there is none yet");
    await first.marks.leave(startedMs, 60_000);
    assert.equal(first.marks.of(fileIn(a), before), undefined, "a run's own mark is for later ones");

    const second = await runOf(t, server);
    assert.equal(second.marks.of(fileIn(a), before), undefined, "it was not read yet");
    await second.marks.read();
    for (const directory of directories) {
      assert.equal(second.marks.of(fileIn(directory), before), startedMs);
      assert.equal(second.marks.of(fileIn(directory), after), undefined, "modified since");
      assert.equal(
        second.marks.of(fileIn(directory), { ...before, ctimeMs: after.ctimeMs }),
        undefined,
        "put there since",
      );
    }
    assert.equal(second.marks.of(fileIn("/srv/c"), before), undefined, "another directory");
    assert.deepEqual([first.warnings, second.warnings], [[], []]);
  });

  it("each directory has its own; other keys have others, also of the same prefix", async (t) => {
    const server = await redisOf(t);
    await (await runOf(t, server, { of: [a] })).marks.leave(startedMs, 60_000);
    const both = await runOf(t, server);
    await both.marks.read();
    assert.deepEqual(
      directories.map((directory) => both.marks.of(fileIn(directory), before)),
      [startedMs, undefined],
    );
    await (await runOf(t, server, { keyPrefix: "session:p:" })).marks.leave(startedMs, 60_000);
    const applet = await runOf(t, server, { keyPrefix: "session::p:" });
    await applet.marks.read();
    assert.equal(applet.marks.of(fileIn(a), before), undefined);
  });

  it("another directory that was put in its place was never copied", async (t) => {
    const server = await redisOf(t);
    const path = join(makeTemporaryDirectory(), "sessions");
    mkdirSync(path);
    await (await runOf(t, server, { of: [path] })).marks.leave(startedMs, 60_000);
    renameSync(path, `${path}.old`);
    mkdirSync(path);
    const { marks } = await runOf(t, server, { of: [path] });
    await marks.read();
    assert.equal(marks.of(fileIn(path), before), undefined);
  });

  it("it lasts as long as it is told to, on Redis's clock", async (t) => {
    const server = await redisOf(t);
    const { marks } = await runOf(t, server, { clockLeadMs: 1_000_000, of: [a] });
    const earliest = Date.now() + 60_000 + 1_000_000;
    await marks.leave(startedMs, 60_000);
    const key = markKey({
      ...{ keyPrefix: "session:", directory: a, inode: inodeOf(a) },
      shard: null,
    });
    const ends = Number(await redisCommand(server, "PEXPIRETIME", key));
    assert(ends >= earliest && ends <= Date.now() + 1_060_000);
  });

  it("read again it is what stands there then", async (t) => {
    const server = await redisOf(t);
    const run = await runOf(t, server);
    await run.marks.leave(startedMs, 60_000);
    await run.marks.read();
    await redisCommand(server, "FLUSHALL");
    await run.marks.read();
    assert.equal(run.marks.of(fileIn(a), before), undefined, "Redis was emptied");
  });

  it("where Redis evicts keys, what is missing is not taken for ended, and that is said", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory-policy", "volatile-ttl"] });
    const earlier = await runOf(t, server);
    await earlier.marks.leave(startedMs, 86_400_000);
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "4mb");
    await redisPipeline(
      server,
      Array.from({ length: 60 }, (_, index) => ["SET", `k${index}`, "x".repeat(100_000), "EX", 1000]),
    );
    const { marks, warnings } = await runOf(t, server);
    await marks.read();
    assert.equal(marks.of(fileIn(a), before), undefined);
    assert.deepEqual(warnings, [
      "Redis evicts keys, or has evicted some: what is missing is not taken for ended",
    ]);
  });
});

describe("cli marks: where they can't be read or written that is said, and the run goes on (Logouts)", () => {
  const user = { username: "u", password: "pw" };

  it("read", async (t) => {
    const server = await redisOf(t);
    await (await runOf(t, server)).marks.leave(startedMs, 60_000);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~session:*", "+@all");
    const { marks, warnings } = await runOf(t, { ...server, ...user });
    await marks.read();
    assert.equal(marks.of(fileIn(a), before), undefined);
    assert.deepEqual(warnings, [
      "what earlier runs left in Redis for later ones (tele-sessions:mark:*) could not be read",
    ]);
  });

  it("written", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "%R~*", "%W~session:*", "+@all");
    const { marks, warnings } = await runOf(t, { ...server, ...user });
    await marks.read();
    await marks.leave(startedMs, 60_000);
    assert.deepEqual(warnings, [
      "what earlier runs left in Redis for later ones (tele-sessions:mark:*) could not be written",
    ]);
    assert.equal(await redisCommand(server, "DBSIZE"), 0);
  });

  it("a Redis that forgot meanwhile is no matter of rights: it is thrown", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info");
    const { marks } = await runOf(t, { ...server, ...user });
    for (const work of [marks.read, () => marks.leave(startedMs, 60_000)]) {
      await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await assert.rejects(work(), { name: "RedisForgotError" });
    }
  });

  it("one that lies in the future, as a wrong clock leaves it, covers nothing", async (t) => {
    const server = await redisOf(t);
    const { marks } = await runOf(t, server);
    await marks.leave(Date.now() + 3_600_000, 86_400_000);
    await marks.read();
    assert.equal(marks.of(fileIn(a), before), undefined);
  });
});
