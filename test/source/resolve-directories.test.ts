import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SettingsError, SourceError } from "../../src/model/errors.js";
import { resolveDirectories } from "../../src/source/resolve-directories.js";
import { callUnprivileged } from "../support/call-unprivileged.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

/** What the names mean; `warned` is given what a person would be warned of. */
function resolve(names: readonly string[], allowMissing: boolean, warned: string[] = []): Promise<string[]> {
  return resolveDirectories({ names, comesFrom: null, allowMissing }, (text) => warned.push(text));
}

const root = makeTemporaryDirectory();
for (const path of [
  "a/sessions",
  "b/sessions",
  "c",
  "d*/sessions",
  "[e]/sessions",
  ".hidden/sessions",
  "sp ace/sessions",
  "dx/sessions",
])
  mkdirSync(join(root, path), { recursive: true });
writeFileSync(join(root, "c", "sessions"), "a file");
symlinkSync("a", join(root, "link"));
symlinkSync("nowhere", join(root, "dangling"));
symlinkSync("loop", join(root, "loop"));

describe("resolve-directories: paths and globs (spec.md section 3)", () => {
  const rows: readonly (readonly [name: string, names: readonly string[], found: readonly string[]])[] = [
    ["no name at all", [], []],
    ["a path", ["a/sessions"], ["a/sessions"]],
    ["a path with . and ..", ["b/../a/./sessions/"], ["a/sessions"]],
    ["a path with a space", ["sp ace/sessions"], ["sp ace/sessions"]],
    ["a path with glob characters that exists is taken literally", ["d*/sessions"], ["d*/sessions"]],
    ["brackets that exist are taken literally", ["[e]/sessions"], ["[e]/sessions"]],
    [
      "a glob; files do not match, hidden directories do",
      ["*/sessions"],
      [
        ".hidden/sessions",
        "[e]/sessions",
        "a/sessions",
        "b/sessions",
        "d*/sessions",
        "dx/sessions",
        "sp ace/sessions",
      ],
    ],
    ["braces", ["{a,b,none}/sessions"], ["a/sessions", "b/sessions"]],
    ["a question mark", ["?/sessions"], ["a/sessions", "b/sessions"]],
    ["an escaped star", ["d\\*/sess*"], ["d*/sessions"]],
    [
      "two stars",
      ["**/sessions"],
      [
        ".hidden/sessions",
        "[e]/sessions",
        "a/sessions",
        "b/sessions",
        "d*/sessions",
        "dx/sessions",
        "sp ace/sessions",
      ],
    ],
    [
      "each once, however often it is named",
      ["a/sessions", "link/sessions", "[ab]/sessions", "a/sessions"],
      ["a/sessions", "b/sessions"],
    ],
    ["a symlink to a directory is followed", ["link/sessions"], ["a/sessions"]],
    ["a glob that meets a symlink", ["lin*/sessions"], ["a/sessions"]],
    ["the order of the names stays", ["b/sessions", "a/sessions"], ["b/sessions", "a/sessions"]],
  ];
  for (const [name, names, found] of rows) {
    it(name, async () => {
      const resolved = await resolve(
        names.map((path) => `${root}/${path}`),
        false,
      );
      const sorted = (paths: readonly string[]) => (names.length > 1 ? paths : [...paths].sort());
      assert.deepEqual(sorted(resolved), sorted(found.map((path) => join(root, path))));
    });
  }

  it("a relative name counts from the working directory", async () => {
    const before = process.cwd();
    process.chdir(root);
    try {
      assert.deepEqual(await resolve(["a/sessions"], false), [join(root, "a/sessions")]);
      assert.deepEqual(await resolve(["[b]/sess*"], false), [join(root, "b/sessions")]);
    } finally {
      process.chdir(before);
    }
  });
});

describe("resolve-directories: an unmounted volume must not look like nothing to do", () => {
  for (const [name, path, says] of [
    ["a missing path", "none/sessions", /does not exist/],
    ["a dangling symlink", "dangling", /does not exist/],
    ["a path below a file", "c/sessions/x", /does not exist/],
    ["a glob without a match", "non*/sessions", /matches no directory/],
    ["a glob that only a file matches", "c/sess*", /matches no directory/],
  ] as const) {
    it(name, async () => {
      await assert.rejects(resolve([join(root, path)], false), (error) => {
        assert(error instanceof SettingsError);
        assert.match(error.message, says);
        assert.match(error.message, /--allow-missing/);
        return true;
      });
      assert.deepEqual(await resolve([join(root, path)], true), []);
      assert.deepEqual(await resolve([join(root, path), join(root, "a")], true), [join(root, "a")]);
    });
  }

  it("a file is refused, missing ones allowed or not", async () => {
    for (const allowMissing of [false, true])
      await assert.rejects(resolve([join(root, "c/sessions")], allowMissing), SettingsError);
  });

  it("a symlink to itself cannot be used", async () => {
    await assert.rejects(resolve([join(root, "loop")], true), SourceError);
  });

  it("a glob longer than a file name may be is a glob all the same", async () => {
    const pattern = `{a,${"x,".repeat(200)}y}/sessions`;
    assert.deepEqual(await resolve([join(root, pattern)], false), [join(root, "a/sessions")]);
  });

  it("a directory on the way that cannot be read is a SourceError", () => {
    const directory = makeTemporaryDirectory();
    mkdirSync(join(directory, "closed", "sessions"), { recursive: true });
    chmodSync(join(directory, "closed"), 0);
    for (const name of [`${directory}/closed/sessions`, `${directory}/*/sess*`]) {
      const caught = callUnprivileged<{ name: string; message: string }>(
        directory,
        new URL("../../src/source/resolve-directories.js", import.meta.url),
        `process.chdir(${JSON.stringify(directory)});
         try { return await module.resolveDirectories({ comesFrom: null, allowMissing: true, names: [${JSON.stringify(name)}] }, () => undefined); }
         catch (error) { return { name: error.name, message: error.message }; }`,
      );
      assert.equal(caught.name, "SourceError", name);
      assert.match(caught.message, /EACCES/);
    }
  });
});
