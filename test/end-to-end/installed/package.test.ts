import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";

const top = makeTemporaryDirectory();

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with the settings of whoever runs the tests. */
async function call(program: string, args: readonly string[], cwd: string): Promise<Output> {
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
  const left = new Set([".git", "node_modules", "fixtures", "test", "bench"]);
  for (const name of readdirSync(projectRoot)) {
    if (!left.has(name) && !/^(?:build|dist)/.test(name))
      cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"));
  const { stdout } = await call("npm", ["pack", "--json", "--pack-destination", top], copy);
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout.slice(stdout.indexOf("[")));
  assert.ok(packed);
  const wanted = [
    /^dist\/cli\/(?:main\.js|main\.js\.code|serve-reader\.js)$/,
    /^dist\/(?:library\.js|package\.json|sbom\.cdx\.json|third-party-licenses\.txt|types\/[\w/-]+\.d\.ts)$/,
    /^bin\/(?:tele-sessions\.js|load\.js|package\.json)$/,
    /^docs\/[\w/.-]+\.(?:md|svg|json|1)$/,
    /^deploy\/(?:Dockerfile(?:\.dockerignore)?|(?:ci|kubernetes)\/[\w-]+\.ya?ml)$/,
    /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  ];
  const strangers = packed.files
    .map(({ path }) => path)
    .filter((path) => !wanted.some((pattern) => pattern.test(path)));
  assert.deepEqual(strangers, [], "the package holds what runs, and nothing else");
  return join(top, packed.filename);
}

/** A program that the project has among its `devDependencies`. */
function tool(name: string): string {
  return join(projectRoot, "node_modules", ".bin", name);
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

  await t.test("the library, as the documentation shows it: types, import and require", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const [, example = ""] =
      /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(projectRoot, "docs", "library.md"), "utf8")) ?? [];
    const source = example
      .replace("/var/lib/tele/sessions", join(top, "sessions"))
      .replace('"redis.example"', `"127.0.0.1", port: ${redis.port}`);
    writeFileSync(join(folder, "example.mts"), source);
    const types = ["--types", "node", "--typeRoots", join(projectRoot, "node_modules", "@types")];
    const strict = ["--strict", "--module", "nodenext", "--target", "es2022"];
    // skipLibCheck is off: our declarations are judged too.
    await call(tool("tsc"), [...strict, ...types, "example.mts"], folder);
    const { stdout, stderr } = await call("node", ["example.mjs"], folder);
    assert.equal(stdout, "complete 200 copied\n");
    assert.match(stderr, /^\d+ session ids of 84 or more .*\n$/, "onWarning hears of these");
    const required = `const { verifySessions } = require("tele-sessions");
      verifySessions(JSON.parse(process.argv[1])).then(({ outcome }) => console.log(outcome));`;
    const options = JSON.stringify({
      sessionDir: join(top, "sessions"),
      port: redis.port,
      maxFailed: "100%",
    });
    assert.equal((await call("node", ["-e", required, options], folder)).stdout, "complete\n");
  });

  await t.test("publint and arethetypeswrong find nothing", async () => {
    await call(tool("publint"), [tarball, "--strict"], folder);
    await call(tool("attw"), [tarball, "--exclude-entrypoints", "package.json"], folder);
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
