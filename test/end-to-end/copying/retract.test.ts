import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { hourMs, keyOf, pathOf, saveSession, sidOf } from "../support/made-session.js";
import { type ObservedResult, run } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";

const value = '{"db": "x", "uid": 2, "v": "file"}';
const later = '{"db": "x", "uid": 2, "v": "saved later"}';
const nobody = "65534";
const asNobody = ["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"];

type Layout = "flat" | "scattered";

/** A session directory, and the Redis that a first copy wrote its sessions to. */
interface Ground {
  readonly redis: RedisServer;
  readonly directory: string;
  readonly layout: Layout;
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** The summary breaks lines between words. */
function unwrapped(stderr: string): string {
  return stderr.replaceAll(/\s+/g, " ");
}

function saveAll(directory: string, numbers: readonly number[], layout: Layout = "flat"): void {
  for (const number of numbers) saveSession(directory, number, value, { layout, mtimeMs: Date.now() - hourMs });
}

/** A session directory that every user may read. */
function newDirectory(count: number, layout: Layout = "flat"): string {
  const directory = join(makeTemporaryDirectory(), "s");
  mkdirSync(directory);
  for (let path = directory; path !== tmpdir() && path !== "/"; path = dirname(path)) chmodSync(path, 0o755);
  saveAll(directory, numbersTo(count), layout);
  return directory;
}

function copy(
  { redis, directory }: Pick<Ground, "redis" | "directory">,
  more: readonly string[] = [],
  options: Parameters<typeof run>[1] = {},
): Promise<ObservedResult> {
  return run(["copy", ...between(directory, redis), "--json", ...more], options);
}

async function copiedGround(redis: RedisServer, count: number, layout: Layout = "flat"): Promise<Ground> {
  const ground = { redis, directory: newDirectory(count, layout), layout };
  const { exitCode, report } = await copy(ground);
  assert.deepEqual([exitCode, report.sessions.copied], [0, count]);
  return ground;
}

/** Owners log out: the server removes their files. */
function logOut({ directory, layout }: Ground, ...numbers: readonly number[]): void {
  for (const number of numbers) rmSync(pathOf(directory, number, layout));
}

/** The server saves a session in a file, which tells that it works on files. */
function saveInFile({ directory, layout }: Ground, number = 1): void {
  saveSession(directory, number, later, { layout, mtimeMs: Date.now() });
}

/** The server saves in Redis: the instant bears no sign. */
async function saveInRedis(redis: RedisServer, key: string): Promise<void> {
  const unsigned = signedInstant(Date.now() + hourMs, later, 0) + 1;
  await redisCommand(redis, "SET", key, later, "PXAT", String(unsigned));
}

async function standingOf({ redis }: Ground, numbers: readonly number[]): Promise<number[]> {
  const standing: number[] = [];
  for (const number of numbers) {
    if ((await redisCommand(redis, "EXISTS", keyOf(number))) === 1) standing.push(number);
  }
  return standing;
}

describe("keys whose session files are gone (spec.md section 4, Logouts between two copies)", {
  concurrency: 2,
}, () => {
  for (const layout of ["flat", "scattered"] as const) {
    test(`${layout}: a dry run counts them, a copy deletes them, and another finds none`, async (t) => {
      const ground = await copiedGround(await redisOf(t), 12, layout);
      logOut(ground, 5, 6);
      saveInFile(ground);

      const dry = await copy(ground, ["--dry-run"]);
      assert.deepEqual([dry.exitCode, dry.report.sessions.retracted], [0, 2], dry.stderr);
      assert.deepEqual(await standingOf(ground, numbersTo(12)), numbersTo(12));

      const { exitCode, stderr, report } = await copy(ground);
      assert.deepEqual([exitCode, report.sessions.retracted], [0, 2], stderr);
      assert.equal(report.target.serverWorks, "files");
      assert.equal(report.sessions.found, 10, "they stand outside the sum");
      assert.deepEqual(await standingOf(ground, numbersTo(12)), [1, 2, 3, 4, 7, 8, 9, 10, 11, 12]);

      saveInFile(ground);
      assert.equal((await copy(ground)).report.sessions.retracted, 0);
    });
  }

  test("a session that moved to the other layout is not gone", async (t) => {
    const ground = await copiedGround(await redisOf(t), 6);
    logOut(ground, 5);
    saveAll(ground.directory, [5], "scattered");
    saveInFile(ground);
    const { report, stderr } = await copy(ground, ["--max-ended", "100%"]);
    assert.equal(report.sessions.retracted, 0, stderr);
    assert.deepEqual(await standingOf(ground, [5]), [5]);
  });

  test("a session whose file lies in another directory of the run is not gone", async (t) => {
    const redis = await redisOf(t);
    const first = newDirectory(6);
    const second = newDirectory(0);
    const args = ["--session-dir", second];
    assert.equal((await copy({ redis, directory: first }, args)).exitCode, 0);
    const ground: Ground = { redis, directory: first, layout: "flat" };
    logOut(ground, 5, 6);
    saveSession(second, 5, later, { mtimeMs: Date.now() });
    saveInFile(ground);
    const { report, stderr } = await copy(ground, args);
    assert.equal(report.sessions.retracted, 1, stderr);
    assert.deepEqual(await standingOf(ground, [5, 6]), [5]);
  });

  test("only keys of the run's own prefix", async (t) => {
    const ground = await copiedGround(await redisOf(t), 6);
    const prefixed = ["--prefix", "shop", "--key-layout", "documented"];
    assert.equal((await copy(ground, prefixed)).exitCode, 0);
    logOut(ground, 5);
    saveInFile(ground);
    const { report, stderr } = await copy(ground, prefixed);
    assert.equal(report.sessions.retracted, 1, stderr);
    assert.deepEqual(await standingOf(ground, [5]), [5]);
    assert.equal(await redisCommand(ground.redis, "EXISTS", `session:shop:${sidOf(5)}`), 0);
  });

  test("a key that a server saved stays, and so does another program's", async (t) => {
    const redis = await redisOf(t);
    const count = 400;
    const ground = await copiedGround(redis, count);
    // The look takes 300 of the keys in the order of SCAN, so it does not see the last one.
    const reply = await redisCommand(redis, "SCAN", "0", "MATCH", "session:*", "COUNT", "1000");
    assert.ok(Array.isArray(reply) && Array.isArray(reply[1]) && reply[1].length === count);
    const unseen = numbersTo(count).find((number) => keyOf(number) === String(reply[1].at(-1)));
    assert.ok(unseen !== undefined);
    const gone = numbersTo(count).find((number) => number > 1 && number !== unseen) ?? assert.fail();
    await saveInRedis(redis, keyOf(unseen));
    await redisCommand(redis, "SET", "session:not-a-sid", "kept");
    await redisCommand(redis, "RPUSH", keyOf(9999), "a list");
    logOut(ground, unseen, gone);
    saveInFile(ground, unseen === 1 ? 3 : 1);
    const { exitCode, report, stderr } = await copy(ground);
    assert.deepEqual([exitCode, report.target.serverWorks], [0, "files"], stderr);
    assert.equal(report.sessions.retracted, 1, stderr);
    assert.deepEqual(await standingOf(ground, [unseen, gone, 9999]), [unseen, 9999]);
    assert.equal(await redisCommand(redis, "EXISTS", "session:not-a-sid"), 1);
  });

  const shares: readonly (readonly [
    name: string,
    count: number,
    gone: number,
    more: readonly string[],
    isAllowed: boolean,
  ])[] = [
    ["4 of 6: fewer than 5 go whatever their share", 6, 4, [], true],
    ["5 of 25: no more than 20%", 25, 5, [], true],
    ["5 of 24: more than 20%", 24, 5, [], false],
    ["5 of 24 with --max-ended 21%", 24, 5, ["--max-ended", "21%"], true],
  ];
  for (const [name, count, gone, more, isAllowed] of shares) {
    test(`${name}: ${isAllowed ? "deleted" : "none is deleted, and the summary says so"}`, async (t) => {
      const ground = await copiedGround(await redisOf(t), count);
      const numbers = numbersTo(count).slice(-gone);
      logOut(ground, ...numbers);
      saveInFile(ground);
      const expected = isAllowed ? gone : 0;
      const dry = await copy(ground, [...more, "--dry-run"]);
      assert.equal(dry.report.sessions.retracted, expected, dry.stderr);
      const { exitCode, stderr, report } = await copy(ground, more);
      assert.deepEqual([exitCode, report.sessions.retracted], [0, expected], stderr);
      assert.deepEqual(await standingOf(ground, numbers), isAllowed ? [] : numbers);
      const said = new RegExp(`${gone} of ${count} keys have no session file any more.*--max-ended`);
      if (isAllowed) assert.doesNotMatch(unwrapped(stderr), said);
      else assert.match(unwrapped(stderr), said);
    });
  }

  const obstacles: readonly (readonly [
    name: string,
    /** What happens before the second copy; gives what that copy needs. */
    befall: (ground: Ground) => Promise<Parameters<typeof run>[1] & { readonly more?: readonly string[] }>,
    /** What the summary says; absent if a key without a file is the ordinary case. */
    said: RegExp | undefined,
  ])[] = [
    [
      "another directory was copied under this prefix",
      async ({ redis }) => {
        assert.equal((await copy({ redis, directory: newDirectory(0) })).exitCode, 0);
        return {};
      },
      /another directory was copied to these keys/,
    ],
    [
      "a mark that names no prefix",
      async ({ redis }) => {
        await redisCommand(redis, "SET", "tele-sessions:mark:of-an-older-version", String(Date.now()));
        return {};
      },
      /another directory was copied to these keys/,
    ],
    [
      "a mark that holds no text",
      async ({ redis }) => {
        await redisCommand(redis, "RPUSH", "tele-sessions:mark:of-another-program", "x");
        return {};
      },
      /another directory was copied to these keys/,
    ],
    [
      "a mark that this user may not read",
      async ({ redis }) => {
        const key = "tele-sessions:mark:of-another-user";
        await redisCommand(redis, "SET", key, String(Date.now()));
        const own = String(await redisCommand(redis, "KEYS", "tele-sessions:mark:*"))
          .split(",")
          .filter((one) => one !== key);
        const patterns = ["~session:*", "~tele-sessions:witness", ...own.map((one) => `~${one}`)];
        await redisCommand(redis, "ACL", "SETUSER", "u", "on", ">pw", ...patterns, "&*", "+@all");
        return { environment: { TELE_SESSION_REDIS_PASSWORD: "pw" }, more: ["--username", "u"] };
      },
      /another directory was copied to these keys/,
    ],
    [
      "other runs cannot be seen",
      async ({ redis }) => {
        await redisCommand(redis, "ACL", "SETUSER", "u", "on", ">pw", "~*", "&*", "+@all", "-client|list");
        return { environment: { TELE_SESSION_REDIS_PASSWORD: "pw" }, more: ["--username", "u"] };
      },
      /other runs cannot be seen \(CLIENT LIST\)/,
    ],
    [
      "other runs cannot be seen, and --alone does not allow it either",
      async ({ redis }) => {
        await redisCommand(redis, "ACL", "SETUSER", "u", "on", ">pw", "~*", "&*", "+@all", "-client|list");
        return { environment: { TELE_SESSION_REDIS_PASSWORD: "pw" }, more: ["--username", "u", "--alone"] };
      },
      /other runs cannot be seen \(CLIENT LIST\)/,
    ],
    [
      "the server is on Redis",
      async ({ redis }) => {
        await saveInRedis(redis, keyOf(99));
        return {};
      },
      undefined,
    ],
  ];
  for (const [name, befall, said] of obstacles) {
    test(`${name}: none is deleted${said === undefined ? "" : ", and the summary says why"}`, async (t) => {
      const ground = await copiedGround(await redisOf(t), 12);
      logOut(ground, 5);
      saveInFile(ground);
      const { more = [], ...options } = await befall(ground);
      const { exitCode, stderr, report } = await copy(ground, more, options);
      assert.equal(exitCode, 0, stderr);
      assert.equal(report.sessions.retracted, 0, stderr);
      assert.deepEqual(await standingOf(ground, [5]), [5]);
      if (said !== undefined) assert.match(unwrapped(stderr), said);
    });
  }

  test("it is unknown where the server works: none is deleted, and the summary says why", async (t) => {
    const ground = await copiedGround(await redisOf(t), 12);
    logOut(ground, 5);
    const { exitCode, stderr, report } = await copy(ground);
    assert.deepEqual([exitCode, report.target.serverWorks], [0, "unknown"], stderr);
    assert.equal(report.sessions.retracted, 0);
    assert.match(unwrapped(stderr), /unknown whether the server works on files/);
    assert.deepEqual(await standingOf(ground, [5]), [5]);
  });

  test("a mark of another prefix stops nothing", async (t) => {
    const redis = await redisOf(t);
    const ground = await copiedGround(redis, 12);
    const other = { redis, directory: newDirectory(2) };
    assert.equal((await copy(other, ["--prefix", "shop", "--key-layout", "documented"])).exitCode, 0);
    logOut(ground, 5);
    saveInFile(ground);
    const { report, stderr } = await copy(ground);
    assert.equal(report.sessions.retracted, 1, stderr);
  });

  test("a purge removed the files, so none is deleted: who is logged in stays so", async (t) => {
    const ground = await copiedGround(await redisOf(t), 12);
    const { redis, directory } = ground;
    // Files that changed less than 2 s ago stay.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const purged = await run(["purge", ...between(directory, redis), "--yes", "--json"]);
    assert.deepEqual([purged.exitCode, purged.report.sessions.purged], [0, 12], purged.stderr);
    saveInFile(ground, 13);
    const { stderr, report } = await copy(ground, ["--max-ended", "100%"]);
    assert.equal(report.sessions.retracted, 0, stderr);
    assert.match(unwrapped(stderr), /a purge removed session files/);
    assert.deepEqual(await standingOf(ground, numbersTo(12)), numbersTo(12));
  });

  for (const [name, mode, retracted] of [
    ["a folder that cannot be read: none is deleted, for its files may be there", 0o700, 0],
    ["a folder that can be read", 0o755, 1],
  ] as const) {
    test(name, async (t) => {
      const ground = await copiedGround(await redisOf(t), 3, "scattered");
      // Its files alone are in the folder `01`.
      saveAll(ground.directory, [0x0101, 0x0102], "scattered");
      saveInFile(ground);
      assert.equal((await copy(ground)).report.sessions.copied, 3);
      logOut(ground, 3);
      saveInFile(ground);
      chmodSync(dirname(pathOf(ground.directory, 0x0101, "scattered")), mode);
      const { report, stderr } = await copy(ground, [], { under: asNobody });
      assert.equal(report.sessions.retracted, retracted, stderr);
      assert.deepEqual(await standingOf(ground, [0x0101, 0x0102]), [0x0101, 0x0102]);
      assert.deepEqual(await standingOf(ground, [3]), retracted === 0 ? [3] : []);
    });
  }

  test("a session directory that is replaced by an empty one: none is deleted", async (t) => {
    const ground = await copiedGround(await redisOf(t), 4);
    rmSync(ground.directory, { recursive: true });
    mkdirSync(ground.directory);
    saveInFile(ground, 9);
    const { report, stderr } = await copy(ground);
    assert.equal(report.sessions.retracted, 0, stderr);
    assert.deepEqual(await standingOf(ground, numbersTo(4)), numbersTo(4));
  });
});
