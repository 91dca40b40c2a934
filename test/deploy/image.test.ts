import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertCopied } from "../end-to-end/support/assert-copied.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { projectRoot } from "../support/project.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { startRedis } from "../support/servers/redis-server.js";
import { makeSessions } from "../support/sessions/make-sessions.js";
import { buildImage, type Replacement } from "./support/build-image.js";
import { ciJobs } from "./support/ci-jobs.js";
import { type Place, runPod } from "./support/run-pod.js";

/** `npm run test:deploy` sets it: carry out every step of the Dockerfile, and run every Job. */
const isLong = process.env["TELE_SESSIONS_DEPLOY"] === "all";

/** What `npm ci` would install is here already. */
const link: Replacement = (folder) => symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));

const sessions = 200;

test("the image, built step by step: a Job's command line runs in it, as the server's user", async (t) => {
  const image = buildImage(
    join(projectRoot, "deploy/Dockerfile"),
    projectRoot,
    new Map(isLong ? [] : [["npm ci", link]]),
  );

  await t.test("it holds what runs, and nothing else", () => {
    const names = (path: string) => readdirSync(join(image.root, path)).sort();
    assert.deepEqual(names("usr/local/lib/tele-sessions"), ["LICENSE", "bin", "dist", "package.json"]);
    assert.deepEqual(names("usr/local/bin"), ["tele-sessions"]);
    assert.deepEqual([names("/"), names("usr"), names("usr/local")], [["usr"], ["local"], ["bin", "lib"]]);
  });

  await t.test("it is made of a slim Node that the package accepts, the same as the build's", () => {
    const [base = "", ...others] = new Set(image.bases);
    assert.deepEqual(others, []);
    assert.ok(Number(/^node:(\d+)-slim$/.exec(base)?.[1]) >= 20);
  });

  await t.test("it runs as a user with a number other than root's", () =>
    assert.match(image.user, /^[1-9]\d*:[1-9]\d*$/),
  );

  const password = "a long password of the test";
  const redis = await startRedis({ args: ["--requirepass", password] });
  t.after(() => redis.stop());
  const address = { port: redis.port, password };

  /** The server's volume with sessions, and the Secret. */
  async function makePlace(): Promise<Place & { readonly manifest: string }> {
    const top = makeTemporaryDirectory();
    const manifest = join(top, "manifest");
    const directory = join(top, "sessions");
    await makeSessions(directory, { count: sessions, manifest });
    mkdirSync(join(top, "secret"));
    const passwordFile = join(top, "secret/password");
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o444 });
    return { directory, passwordFile, port: redis.port, manifest };
  }

  await t.test("copy-job.yaml copies every session", async () => {
    const place = await makePlace();
    const beganMs = Date.now();
    const { exitCode, stdout, stderr, terminationLog } = await runPod(image, "copy-job.yaml", place);
    assert.equal(exitCode, 0, stderr);
    assert.equal(JSON.parse(stdout).sessions.copied, sessions);
    assert.notEqual(terminationLog.trim(), "");
    await assertCopied(address, { manifest: place.manifest, beganMs, sessions });
  });

  if (!isLong) return;

  await t.test("copy-indexed-job.yaml: its pods together copy every session", async () => {
    await redisCommand(address, "FLUSHALL");
    const place = await makePlace();
    const beganMs = Date.now();
    // One after the other, for each makes the directory its own.
    for (const index of ["0", "1", "2", "3"]) {
      const variables = { JOB_COMPLETION_INDEX: index };
      const { exitCode, stderr } = await runPod(image, "copy-indexed-job.yaml", place, variables);
      assert.equal(exitCode, 0, stderr);
    }
    await assertCopied(address, { manifest: place.manifest, beganMs, sessions });
  });

  for (const name of ["helm-hook.yaml", "init-container.yaml"]) {
    await t.test(`${name} copies every session`, async () => {
      await redisCommand(address, "FLUSHALL");
      const place = await makePlace();
      const beganMs = Date.now();
      const { exitCode, stderr } = await runPod(image, name, place);
      assert.equal(exitCode, 0, stderr);
      await assertCopied(address, { manifest: place.manifest, beganMs, sessions });
    });
  }

  await t.test("purge-job.yaml removes what copy-job.yaml copied", async () => {
    const place = await makePlace();
    assert.equal((await runPod(image, "copy-job.yaml", place)).exitCode, 0);
    const { exitCode, stdout, stderr } = await runPod(image, "purge-job.yaml", place);
    assert.equal(exitCode, 0, stderr);
    assert.equal(JSON.parse(stdout).sessions.removed, sessions);
  });

  for (const { name, scripts, variables } of ciJobs) {
    await t.test(`${name}: its scripts copy and verify every session, and leave reports`, async () => {
      await redisCommand(address, "FLUSHALL");
      const place = await makePlace();
      const beganMs = Date.now();
      const cwd = makeTemporaryDirectory();
      const environment = {
        ...variables,
        PATH: image.path,
        HOME: cwd,
        RUNNER_TEMP: cwd,
        PASSWORD: password,
        TELE_SESSION_DIR: place.directory,
        TELE_SESSION_REDIS_HOST: "127.0.0.1",
        TELE_SESSION_REDIS_PORT: String(redis.port),
        TELE_SESSION_REDIS_PASSWORD_FILE: place.passwordFile,
      };
      const reports: string[] = [];
      for (const script of scripts) {
        execFileSync("/bin/sh", ["-ec", script], { cwd, env: environment, stdio: "pipe" });
        reports.push(...readdirSync(cwd).filter((file) => /^(copy|verify)\./.test(file)));
      }
      assert.deepEqual([...new Set(reports)].sort(), ["copy.html", "copy.json", "verify.json"]);
      await assertCopied(address, { manifest: place.manifest, beganMs, sessions });
    });
  }

  await t.test("with a wrong password it ends with exit 5, and says why in the termination log", async () => {
    const place = await makePlace();
    writeFileSync(place.passwordFile, "another");
    const { exitCode, terminationLog } = await runPod(image, "copy-job.yaml", place);
    assert.equal(exitCode, 5);
    assert.match(terminationLog, /password/);
  });
});
