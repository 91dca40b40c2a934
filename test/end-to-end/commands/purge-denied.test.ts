import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { pathOf, saveSession } from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";

const session = '{"db": "x", "uid": 2}';
const nobody = 65534;
const asNobody = ["setpriv", "--reuid", String(nobody), "--regid", String(nobody), "--clear-groups"];

/** A session directory that everybody may read. */
function openDirectory(): string {
  const top = makeTemporaryDirectory();
  const directory = join(top, "s");
  mkdirSync(directory);
  for (let path = directory; path !== tmpdir() && path !== "/"; path = dirname(path)) chmodSync(path, 0o755);
  return directory;
}

describe("a purge by a user who may not remove the files (spec.md section 4, Purge)", {
  concurrency: 2,
}, () => {
  const rows: readonly (readonly [name: string, command: readonly string[]])[] = [
    ["purge", ["purge"]],
    ["a dry run of it", ["purge", "--dry-run"]],
    ["copy --purge", ["copy", "--purge"]],
    ["a dry run of that", ["copy", "--purge", "--dry-run"]],
    ["without asking Redis", ["purge", "--unverified", "--yes"]],
  ];
  for (const [name, command] of rows) {
    test(`${name}: denied, with both uids, exit 4`, async (t) => {
      const redis = await redisOf(t);
      const directory = openDirectory();
      for (let number = 1; number <= 5; number++) saveSession(directory, number, session);
      const args = [...between(directory, redis), "--json"];
      assert.equal((await run(["copy", ...args])).exitCode, 0);
      const { exitCode, stderr, report } = await run([...command, ...args], { under: asNobody });
      assert.equal(exitCode, 4, stderr);
      assert.match(stderr, /uid 65534 is not permitted .* belongs to uid 0 \(EACCES\)\. Run the purge as uid 0/);
      assert.equal(report.sessions.purged, 0);
      for (const { detail } of report.differences) {
        assert.equal(detail, "not permitted: this is uid 65534, and the folder belongs to uid 0 (EACCES)");
      }
      const { denied = 5, kept } = report.sessions as { denied?: number; kept: number };
      assert.deepEqual([denied, kept], [5, 0], stderr);
      assert.ok(existsSync(pathOf(directory, 1)));
    });
  }

  test("of two folders the one that may be written is purged", async (t) => {
    const redis = await redisOf(t);
    const directory = openDirectory();
    saveSession(directory, 1, session);
    saveSession(directory, 2, session, { layout: "scattered" });
    const args = [...between(directory, redis), "--json"];
    assert.equal((await run(["copy", ...args])).exitCode, 0);
    const folder = dirname(pathOf(directory, 2, "scattered"));
    chownSync(folder, nobody, nobody);
    const { exitCode, stderr, report } = await run(["purge", ...args], { under: asNobody });
    const { removed, denied } = report.sessions as unknown as Record<string, number>;
    assert.deepEqual([exitCode, removed, denied], [4, 1, 1], stderr);
  });

  test("a sticky folder of another owner counts as denied", async (t) => {
    const redis = await redisOf(t);
    const directory = openDirectory();
    saveSession(directory, 1, session);
    chmodSync(directory, 0o1777);
    const args = [...between(directory, redis), "--json"];
    assert.equal((await run(["copy", ...args])).exitCode, 0);
    const { exitCode, stderr } = await run(["purge", ...args], { under: asNobody });
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /\(EPERM\)/);
  });
});

describe("files that a purge leaves whatever Redis says (spec.md sections 1 and 2)", {
  concurrency: 2,
}, () => {
  const oneKey = '{"uid": 2, "other": 1}';
  test("one with only one session key: copied, kept, exit 4", async (t) => {
    const redis = await redisOf(t);
    const directory = openDirectory();
    saveSession(directory, 1, oneKey);
    saveSession(directory, 2, session);
    const args = [...between(directory, redis), "--json"];
    assert.equal((await run(["copy", ...args])).report.sessions.copied, 2);
    const { exitCode, report } = await run(["purge", ...args]);
    assert.deepEqual([exitCode, report.sessions.kept, report.sessions.purged], [4, 1, 1]);
  });

  test("without asking Redis, what is damaged or holds one session key stays", async () => {
    const directory = openDirectory();
    saveSession(directory, 1, oneKey);
    saveSession(directory, 2, session);
    saveSession(directory, 3, "{");
    const { exitCode, report } = await run([
      ...["purge", "--unverified", "--yes", "--session-dir", directory, "--json"],
    ]);
    assert.deepEqual([report.sessions.purged, report.sessions.kept, report.sessions.failed], [1, 1, 1]);
    assert.equal(exitCode, 0);
    assert.deepEqual(
      [1, 2, 3].map((number) => existsSync(pathOf(directory, number))),
      [true, false, true],
    );
  });
});
