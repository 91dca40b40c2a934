import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { executable } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { run } from "../support/observed-run.js";

test("an executable carries each file of dist that the command line reads", () => {
  const text = readFileSync(join(projectRoot, "make-executable.js"), "utf8");
  const [, list = "[]"] = /^const files = (\[.*\]);$/m.exec(text) ?? [];
  const built = readdirSync(join(projectRoot, "dist", "cli"));
  assert.deepEqual(JSON.parse(list), built.sort());
});

// A hundred megabytes to make: `npm run test:executable`, which runs the other files with it too.
if (executable !== undefined) testAlone(executable);

function testAlone(path: string): void {
  test("an executable copies where there is nothing but its libraries, threads included", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const root = makeTemporaryDirectory();
    const libraries = execFileSync("ldd", [path], { encoding: "utf8" }).match(/\/\S+(?= \()/g) ?? [];
    assert.ok(libraries.length > 0);
    for (const file of [path, ...libraries]) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      copyFileSync(file, join(root, file));
    }
    const manifest = join(makeTemporaryDirectory(), "manifest");
    await makeSessions(join(root, "sessions"), { count: 500, manifest });
    const beganMs = Date.now();
    const args = ["copy", ...between("/sessions", redis), "--host", "127.0.0.1", "--lanes", "3", "--verbose"];
    const { exitCode, stderr } = await run(args, { under: ["chroot", root] });
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /3 threads/);
    await assertCopied(redis, { manifest, beganMs, sessions: 500 });
  });
}
