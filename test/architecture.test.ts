import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "./support/project.js";

/** What each layer may import. */
const layers: Readonly<Record<string, readonly string[]>> = {
  cli: ["library", "settings", "report", "migrate", "source", "model"],
  library: ["settings", "report", "migrate", "source", "model"],
  settings: ["model"],
  report: ["model"],
  migrate: ["convert", "source", "redis", "model"],
  source: ["model"],
  convert: ["format", "model"],
  redis: ["model"],
  format: ["model"],
  model: [],
};

/** The one door that each dependency enters by, and which layers touch the file system. */
const doors: Readonly<Record<string, RegExp>> = {
  commander: /^cli\/command-line\//,
  zod: /^(redis|report\/schema)\//,
  "d3-scale": /^report\/page\//,
  "d3-shape": /^report\/page\//,
  ora: /^cli\/progress\/terminal-reporter\.ts$/,
  "fast-wrap-ansi": /^report\/wrap-text\.ts$/,
  "fast-glob": /^source\//,
  ioredis: /^redis\//,
  "node:fs": /^(cli|settings|report|source|redis)\//,
  "node:fs/promises": /^(cli|settings|report|source|redis)\//,
};

/** What every import, export from and import() of a source text names. */
function* findImports(text: string): Generator<string> {
  const statements =
    /^(?:import|export)\b[\w$\s{},*]*\bfrom\s*["']([^"']+)|^import\s*["']([^"']+)|\bimport\(\s*["'`]([^"'`]+)/gm;
  for (const [, from, bare, dynamic] of text.matchAll(statements)) yield from ?? bare ?? dynamic ?? "";
}

/** A sentence for every import that breaks a rule; paths are relative to `src`. */
function findViolations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) => {
    const [layer = ""] = path.split("/");
    const allowed = layers[layer];
    if (allowed === undefined) return [`${path}: ${layer} is no layer`];
    return [...findImports(text)].flatMap((specifier) => {
      if (!specifier.startsWith(".")) {
        if (layer === "model") return [`${path}: model imports ${specifier}`];
        const door = doors[specifier] ?? (specifier.startsWith("node:") ? /^/ : /^$/);
        return door.test(path) ? [] : [`${path}: ${specifier} does not enter here`];
      }
      const target = new URL(specifier, `file:///src/${path}`).pathname.split("/");
      const to = target[1] === "src" ? (target[2] ?? "") : "outside";
      return to === layer || allowed.includes(to) ? [] : [`${path}: ${layer} imports from ${to}`];
    });
  });
}

/** The path that a file's import means, relative to `src`; a package's name stays. */
function pathOf(specifier: string, path: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///src/${path}`).pathname.replace("/src/", "").replace(/\.js$/, ".ts");
}

/** The files of each circle of imports, types included: those that import each other. */
function findCircles(files: ReadonlyMap<string, string>): string[][] {
  const importsOf = (path: string) =>
    [...findImports(files.get(path) ?? "")].map((specifier) => pathOf(specifier, path));
  const reached = new Map<string, Set<string>>();
  for (const path of files.keys()) {
    const seen = new Set(importsOf(path));
    // A set's loop also visits what is added meanwhile.
    for (const one of seen) for (const next of importsOf(one)) seen.add(next);
    reached.set(path, seen);
  }
  const leads = (from: string, to: string) => reached.get(from)?.has(to) === true;
  const inCircle = [...files.keys()].filter((path) => leads(path, path));
  const circles = inCircle.map((path) => inCircle.filter((one) => leads(path, one) && leads(one, path)));
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()];
}

/** The texts of all files in `src`, by their paths there. */
function readSources(): ReadonlyMap<string, string> {
  const src = join(projectRoot, "src");
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  return new Map(paths.map((path) => [path, readFileSync(join(src, path), "utf8")]));
}

test("imports run one way, and each dependency enters by one door", () => {
  const files = readSources();
  assert.ok(files.size > 0);
  assert.deepEqual(findViolations(files), []);
});

test("no file imports itself by way of others", () => {
  assert.deepEqual(findCircles(readSources()), []);
});

test("two files that import each other's types are a circle", () => {
  const files = new Map([
    ["report/one.ts", 'import { two } from "./two/two.js";'],
    ["report/two/two.ts", 'import type { One } from "../one.js";\nimport { three } from "./three.js";'],
    ["report/two/three.ts", ""],
  ]);
  assert.deepEqual(findCircles(files), [["report/one.ts", "report/two/two.ts"]]);
});

const imports: readonly (readonly [path: string, text: string, violation: string | null])[] = [
  ["cli/main.ts", 'import { lane } from "../migrate/lane.js";', null],
  ["cli/command-line/program.ts", 'import { Command } from "commander";', null],
  ["library/perform-run.ts", 'import { runTask } from "../migrate/run.js";', null],
  ["library/perform-run.ts", 'import { say } from "../cli/say.js";', "library imports from cli"],
  ["migrate/copy.ts", 'import { newRun } from "../library/perform-run.js";', "migrate imports from library"],
  ["settings/value-kinds.ts", 'import * as z from "zod";', "zod does not enter here"],
  ["settings/connection.ts", 'import type { Lane } from "../migrate/lane.js";', "settings imports from migrate"],
  ["report/summary.ts", 'import { key } from "../redis/key.js";', "report imports from redis"],
  ["cli/main.ts", 'import * as z from "zod";', "zod does not enter here"],
  ["cli/main.ts", 'import { Command } from "commander";', "commander does not enter here"],
  ["cli/closing/finish-run.ts", 'import { wrapAnsi } from "fast-wrap-ansi";', "fast-wrap-ansi does not enter here"],
  ["cli/progress/log-reporter.ts", 'import ora from "ora";', "ora does not enter here"],
  ["cli/main.ts", 'import type { Redis } from "ioredis";', "ioredis does not enter here"],
  ["migrate/copy.ts", 'import type { Lane } from "../redis/lane.js";', null],
  ["migrate/copy.ts", 'import {\n  type Lane,\n  key,\n} from "../redis/lane.js";', null],
  ["migrate/copy.ts", 'export * from "../source/scan.js";', null],
  ["migrate/copy.ts", 'import { decode } from "../format/json.js";', "migrate imports from format"],
  ["migrate/copy.ts", 'const main = await import("../cli/main.js");', "migrate imports from cli"],
  ["migrate/copy.ts", 'export * from "../cli/main.js";', "migrate imports from cli"],
  ["migrate/copy.ts", 'import * as z from "zod";', "zod does not enter here"],
  ["redis/marks.ts", 'import * as z from "zod";', null],
  ["report/schema/report-schema.ts", 'import * as z from "zod";', null],
  ["report/build-report.ts", 'import * as z from "zod";', "zod does not enter here"],
  ["report/summary.ts", 'import { line } from "d3-shape";', "d3-shape does not enter here"],
  ["migrate/copy.ts", 'import { RedisError } from "../model/errors.js";', null],
  ["migrate/copy.ts", 'import type { Main } from "../cli/main.js";', "migrate imports from cli"],
  ["migrate/copy.ts", 'import { statSync } from "node:fs";', "node:fs does not enter here"],
  ["migrate/copy.ts", 'import { Redis } from "ioredis";', "ioredis does not enter here"],
  ["source/scan.ts", 'import glob from "fast-glob";\nimport { opendir } from "node:fs/promises";', null],
  ["source/scan.ts", 'import type { Target } from "../redis/target.js";', "source imports from redis"],
  ["convert/key.ts", 'import { decode } from "../format/pickle/decode.js";', null],
  ["convert/key.ts", 'import "../source/read.js";', "convert imports from source"],
  ["format/pickle/decode.ts", 'import { text } from "../text.js";', null],
  ["format/pickle/decode.ts", 'import { key } from "../../convert/key.js";', "format imports from convert"],
  ["format/pickle/decode.ts", 'import { open } from "node:fs/promises";', "node:fs/promises does not enter here"],
  ["model/entry.ts", 'import type { Sid } from "./sid.js";', null],
  ["model/entry.ts", 'import { hash } from "node:crypto";', "model imports node:crypto"],
  ["redis/write.ts", 'import { helper } from "../../test/helper.js";', "redis imports from outside"],
  ["redis/write.ts", 'import pad from "left-pad";', "left-pad does not enter here"],
  ["extras/more.ts", "", "extras is no layer"],
];

for (const [path, text, violation] of imports) {
  test(`${path}: ${JSON.stringify(text)} is ${violation === null ? "allowed" : "found out"}`, () => {
    assert.deepEqual(findViolations(new Map([[path, text]])), violation === null ? [] : [`${path}: ${violation}`]);
  });
}
