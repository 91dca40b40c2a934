import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { between } from "../support/between.js";
import { loadedVariable } from "../support/note-loaded-modules.js";
import { projectRoot } from "../support/project.js";
import { startRedis } from "../support/redis-server.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { run } from "./support/observed-run.js";

const dist = join(projectRoot, "dist");
const noter = new URL("../support/note-loaded-modules.js", import.meta.url).href;
const sessions = join(makeTemporaryDirectory(), "sessions");
mkdirSync(sessions);

/** What is slow to load. */
const packages = ["commander", "fast-glob", "ioredis", "ora", "wrap-ansi", "zod"] as const;

/** The modules whose code stands in files: the bundler writes above each where it comes from. */
function modulesIn(files: readonly string[]): string[] {
  const texts = files.map((file) => readFileSync(file, "utf8"));
  return texts.flatMap((text) =>
    [...text.matchAll(/^\/\/ ((?:src|node_modules)\/\S+)$/gm)].map(([, path = ""]) => path),
  );
}

function packagesIn(files: readonly string[]): string[] {
  const modules = modulesIn(files);
  return packages.filter((name) => modules.some((path) => path.startsWith(`node_modules/${name}/`)));
}

/** The files that a run of the binary loads. */
async function filesLoadedBy(args: readonly string[], exitCode: number): Promise<string[]> {
  const log = join(makeTemporaryDirectory(), "loaded");
  const result = await run(args, { nodeArgs: ["--import", noter], environment: { [loadedVariable]: log } });
  assert.equal(result.exitCode, exitCode, result.stderr);
  const urls = readFileSync(log, "utf8").trim().split("\n");
  const files = urls.filter((url) => url.startsWith("file:")).map((url) => fileURLToPath(url));
  return files.filter((file) => file !== fileURLToPath(noter));
}

test("every package stands in a file of dist that bears its name", () => {
  const files = readdirSync(join(dist, "cli")).sort();
  const found = files.flatMap((file) => packagesIn([join(dist, "cli", file)]).map((name) => [file, name]));
  assert.deepEqual(
    found,
    packages.map((name) => [`${name}.js`, name]),
  );
});

test("--version loads what it takes to start, and to say what went wrong", async () => {
  const modules = modulesIn(await filesLoadedBy(["--version"], 0));
  const expected = [
    "cli/main",
    "cli/progress/state-signals",
    "model/errors",
    "model/showable",
    "report/exit-code",
  ];
  assert.deepEqual(
    modules.sort(),
    expected.map((name) => `src/${name}.ts`),
  );
});

test("a command line loads the packages that it needs, and no others", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const page = join(makeTemporaryDirectory(), "p.html");
  const report = join(projectRoot, "fixtures", "reports", "copy-of-0.3.0.json");
  const copy = (directory: string) => ["copy", ...between(directory, redis)];
  const rows: readonly (readonly [name: string, args: string[], exitCode: number, loaded: string[]])[] = [
    ["help", ["--help"], 0, ["commander"]],
    ["the help of a command", ["copy", "--help"], 0, ["commander"]],
    ["a topic of help", ["help", "exit-codes"], 0, ["commander"]],
    ["the version beside a switch", ["--version", "--quiet"], 0, ["commander"]],
    ["an unknown option", ["copy", "--fast"], 2, ["commander", "wrap-ansi"]],
    ["no command, for JSON", ["--json"], 2, ["commander", "wrap-ansi"]],
    ["a value that is refused", ["copy", "--port", "x"], 2, ["commander", "wrap-ansi"]],
    ["a step that is off", ["--stop-after-init"], 0, ["commander", "wrap-ansi"]],
    ["a directory that is missing", copy(`${sessions}-`), 2, ["commander", "fast-glob", "wrap-ansi"]],
    ["an inspection", ["inspect", "--session-dir", sessions], 0, ["commander", "wrap-ansi"]],
    ["a copy", copy(sessions), 0, ["commander", "ioredis", "wrap-ansi", "zod"]],
    [
      "a copy with a page",
      [...copy(sessions), "--html", page],
      0,
      ["commander", "ioredis", "wrap-ansi", "zod"],
    ],
    ["a report", ["report", report, "--html", page], 0, ["commander", "wrap-ansi", "zod"]],
    ["a copy by a glob", copy(`${sessions}*`), 0, ["commander", "fast-glob", "ioredis", "wrap-ansi", "zod"]],
  ];
  for (const [name, args, exitCode, loaded] of rows) {
    await t.test(name, async () => {
      const files = await filesLoadedBy(args, exitCode);
      assert.deepEqual(packagesIn(files), loaded);
      const drawing = modulesIn(files).filter((module) =>
        /^node_modules\/d3-|^src\/report\/page\//.test(module),
      );
      assert.equal(drawing.length > 0, args.includes("--html"), "only a page needs what draws it");
      assert.deepEqual(
        files.filter((file) => file.includes("node_modules")),
        [],
      );
    });
  }
});
