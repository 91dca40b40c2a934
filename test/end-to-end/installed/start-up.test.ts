import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { run } from "../support/observed-run.js";

const bundle = join(projectRoot, "dist", "cli", "main.js");
/** What `bin/load.js` puts before the bundle. */
const wrapperLength = "(function (exports, require, module, __filename, __dirname) {".length;
const sessions = join(makeTemporaryDirectory(), "sessions");
mkdirSync(sessions);

/** What is slow to begin with. */
const packages = ["commander", "fast-glob", "fast-wrap-ansi", "ioredis", "ora", "zod"] as const;

/** What V8 notes of a function: its code, and how often that ran. */
interface Covered {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly {
      readonly startOffset: number;
      readonly endOffset: number;
      readonly count: number;
    }[];
  }[];
}

/** Each module's place in the bundle: the bundler writes above each where it comes from. */
const modules = [...readFileSync(bundle, "latin1").matchAll(/^\/\/ ((?:src|node_modules)\/\S+)$/gm)].map(
  ({ index, 1: path = "" }) => ({ path, start: index }),
);

/** The modules of the bundle of which a run of the binary ran a function. */
async function modulesRunBy(args: readonly string[], exitCode: number): Promise<string[]> {
  const directory = makeTemporaryDirectory();
  const result = await run(args, { environment: { NODE_V8_COVERAGE: directory } });
  assert.equal(result.exitCode, exitCode, result.stderr);
  const [file = ""] = readdirSync(directory);
  const { result: scripts }: { result: Covered[] } = JSON.parse(readFileSync(join(directory, file), "utf8"));
  const ofBundle = scripts.find(({ url }) => url === pathToFileURL(bundle).href);
  const starts = (ofBundle?.functions ?? [])
    .flatMap(({ ranges: [whole] }) => (whole !== undefined && whole.count > 0 ? [whole.startOffset] : []))
    .map((start) => start - wrapperLength);
  const paths = starts.map((start) => modules.findLast((module) => module.start < start)?.path);
  return [...new Set(paths)].filter((path) => path !== undefined).sort();
}

test("--version runs what it takes to start, and to say what went wrong", async () => {
  const expected = [
    "cli/main",
    "cli/progress/state-signals",
    "library/version",
    "model/errors",
    "model/showable",
    "report/exit-code",
  ];
  assert.deepEqual(
    await modulesRunBy(["--version"], 0),
    expected.map((name) => `src/${name}.ts`),
  );
});

test("a command line begins the packages that it needs, and no others", async (t) => {
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
    ["an unknown option", ["copy", "--fast"], 2, ["commander", "fast-wrap-ansi"]],
    ["no command, for JSON", ["--json"], 2, ["commander", "fast-wrap-ansi"]],
    ["a value that is refused", ["copy", "--port", "x"], 2, ["commander", "fast-wrap-ansi"]],
    ["a step that is off", ["--stop-after-init"], 0, ["commander", "fast-wrap-ansi"]],
    ["a directory that is missing", copy(`${sessions}-`), 2, ["commander", "fast-glob", "fast-wrap-ansi"]],
    ["an inspection", ["inspect", "--session-dir", sessions], 0, ["commander", "fast-wrap-ansi"]],
    ["a copy", copy(sessions), 0, ["commander", "fast-wrap-ansi", "ioredis", "zod"]],
    ["a copy with a page", [...copy(sessions), "--html", page], 0, ["commander", "fast-wrap-ansi", "ioredis", "zod"]],
    ["a report", ["report", report, "--html", page], 0, ["commander", "fast-wrap-ansi", "zod"]],
    ["a copy by a glob", copy(`${sessions}*`), 0, ["commander", "fast-glob", "fast-wrap-ansi", "ioredis", "zod"]],
  ];
  for (const [name, args, exitCode, begun] of rows) {
    await t.test(name, async () => {
      const began = await modulesRunBy(args, exitCode);
      assert.deepEqual(
        packages.filter((name) => began.some((path) => path.startsWith(`node_modules/${name}/`))),
        begun,
      );
      const drawing = began.filter((path) => /^node_modules\/d3-|^src\/report\/page\//.test(path));
      assert.equal(drawing.length > 0, args.includes("--html"), "only a page needs what draws it");
    });
  }
});

test("a start takes the code that V8 compiled at the build, and does without if it is no longer right", async (t) => {
  const copy = join(makeTemporaryDirectory(), "package");
  for (const name of ["bin", "dist", "package.json"]) {
    cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
  }
  const main = join(copy, "dist", "cli", "main.js");
  const code = `${main}.code`;
  const source = readFileSync(main, "latin1");
  const saved = readFileSync(code);
  const rows: readonly (readonly [name: string, change: () => void, isTaken: boolean])[] = [
    ["as built", () => undefined, true],
    [
      "the source was changed, and is as long as before",
      () => writeFileSync(main, source.replace("Usage", "usage")),
      false,
    ],
    ["the code is cut off", () => writeFileSync(code, saved.subarray(0, 1000)), false],
    ["the code is empty", () => writeFileSync(code, ""), false],
    ["another version of V8 compiled it", () => writeFileSync(code, otherVersion(saved)), false],
    ["there is none", () => rmSync(code), false],
  ];
  for (const [name, change, isTaken] of rows) {
    await t.test(name, () => {
      writeFileSync(main, source);
      writeFileSync(code, saved);
      change();
      const script = `const { exports, isCodeTaken } = require("./bin/load.js").load(process.argv[1]);
        console.log(isCodeTaken);
        exports.main(["--version"]);`;
      const [taken, version] = String(execFileSync(process.execPath, ["-e", script, main], { cwd: copy })).split("\n");
      assert.equal(taken, String(isTaken));
      assert.match(version ?? "", /^\d+\.\d+\.\d+$/);
    });
  }
});

/** V8 writes a magic number, then a hash of its version. Ours stands before both. */
function otherVersion(saved: Buffer): Buffer {
  const other = Buffer.from(saved);
  other.writeInt32LE(other.readInt32LE(8) ^ 1, 8);
  return other;
}
