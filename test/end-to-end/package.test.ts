import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { between } from "../support/between.js";
import { makeSessions } from "../support/make-sessions.js";
import { projectRoot } from "../support/project.js";
import { startRedis } from "../support/redis-server.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { assertCopied } from "./support/assert-copied.js";

const top = makeTemporaryDirectory();

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs npm or npx with the settings of whoever runs the tests. */
async function call(program: "npm" | "npx", args: readonly string[], cwd: string): Promise<Output> {
  // What `npm test` sets for its own child would speak for the project, not for the folder.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?:config_local_prefix|package_|lifecycle_|command)/.test(name),
    ),
  );
  return promisify(execFile)(program, [...args], { cwd, env: environment, maxBuffer: 16 * 1024 * 1024 });
}

/** The tarball as npm would publish it, made in a copy of the project. */
async function pack(): Promise<string> {
  const copy = join(top, "project");
  mkdirSync(copy);
  const left = new Set([".git", "node_modules", "dist", "fixtures", "test", "bench"]);
  for (const name of readdirSync(projectRoot)) {
    if (!left.has(name) && !name.startsWith("build"))
      cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"));
  const { stdout } = await call("npm", ["pack", "--json", "--pack-destination", top], copy);
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(
    stdout.slice(stdout.indexOf("[")),
  );
  assert.ok(packed);
  const wanted = [
    /^dist\/(?:cli\/(?:main\.js|main\.js\.code|serve-reader\.js)|package\.json|third-party-licenses\.txt)$/,
    /^bin\/(?:tele-sessions\.js|load\.js|package\.json)$/,
    /^docs\/[\w/.-]+\.(?:md|svg|json)$/,
    /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  ];
  const strangers = packed.files
    .map(({ path }) => path)
    .filter((path) => !wanted.some((pattern) => pattern.test(path)));
  assert.deepEqual(strangers, [], "the package holds what runs, and nothing else");
  return join(top, packed.filename);
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => lstatSync(join(directory, name)))
    .reduce((sum, facts) => sum + (facts.isFile() ? facts.size : 0), 0);
}

test("npm pack, installed in an empty folder: help and a copy work, and the README's figures are true", async (t) => {
  const tarball = await pack();
  const folder = join(top, "empty");
  mkdirSync(folder);
  // Offline and with an empty cache, npm has nothing but the tarball.
  const cache = join(top, "cache");
  await call("npm", ["install", "--offline", "--cache", cache, "--no-audit", "--no-fund", tarball], folder);

  await t.test("npx tele-sessions --help", async () => {
    const { stdout } = await call("npx", ["--no-install", "tele-sessions", "--help"], folder);
    assert.match(stdout, /^Usage: tele-sessions <command>/m);
  });

  await t.test("npx tele-sessions copy", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const manifest = join(top, "manifest");
    await makeSessions(join(top, "sessions"), { count: 200, manifest });
    const beganMs = Date.now();
    const copy = ["copy", ...between(join(top, "sessions"), redis)];
    await call("npx", ["--no-install", "tele-sessions", ...copy], folder);
    await assertCopied(redis, { manifest, beganMs, sessions: 200 });
  });

  const installed = readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."));
  const megabytes = bytesBelow(join(folder, "node_modules")) / 1_000_000;
  t.diagnostic(`installed: ${megabytes.toFixed(1)} MB`);

  await t.test("nothing else was installed", () => assert.deepEqual(installed, ["tele-sessions"]));

  await t.test("install size is that in the README, within a tenth", () => {
    const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
    const size = Number(/<!-- size -->([\d.]+) MB<!-- \/size -->/.exec(readme)?.[1]);
    assert.ok(Math.abs(size - megabytes) <= megabytes / 10, `${size} MB, and it is ${megabytes.toFixed(1)}`);
  });
});
