import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SettingsError, SourceError } from "../../../src/model/errors.js";
import { resolveDirectories } from "../../../src/source/directories/resolve-directories.js";
import { callUnprivileged } from "../../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";

/** Resolves the names and collects the warnings in `warned`. */
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
      [".hidden/sessions", "[e]/sessions", "a/sessions", "b/sessions", "d*/sessions", "dx/sessions", "sp ace/sessions"],
    ],
    ["braces", ["{a,b,none}/sessions"], ["a/sessions", "b/sessions"]],
    ["a question mark", ["?/sessions"], ["a/sessions", "b/sessions"]],
    ["an escaped star", ["d\\*/sess*"], ["d*/sessions"]],
    [
      "two stars",
      ["**/sessions"],
      [".hidden/sessions", "[e]/sessions", "a/sessions", "b/sessions", "d*/sessions", "dx/sessions", "sp ace/sessions"],
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

  it("a file is refused, with or without --allow-missing", async () => {
    for (const allowMissing of [false, true])
      await assert.rejects(resolve([join(root, "c/sessions")], allowMissing), SettingsError);
  });

  it("a symlink to itself cannot be used", async () => {
    await assert.rejects(resolve([join(root, "loop")], true), SourceError);
  });

  it("a glob may be longer than a file name", async () => {
    const pattern = `{a,${"x,".repeat(200)}y}/sessions`;
    assert.deepEqual(await resolve([join(root, pattern)], false), [join(root, "a/sessions")]);
  });

  it("an unreadable parent is a SourceError", () => {
    const directory = makeTemporaryDirectory();
    mkdirSync(join(directory, "closed", "sessions"), { recursive: true });
    chmodSync(join(directory, "closed"), 0);
    for (const name of [`${directory}/closed/sessions`, `${directory}/*/sess*`]) {
      const caught = callUnprivileged<{ name: string; message: string }>(
        directory,
        new URL("../../../src/source/directories/resolve-directories.js", import.meta.url),
        `process.chdir(${JSON.stringify(directory)});
         const wanted = { comesFrom: null, allowMissing: true, names: [${JSON.stringify(name)}] };
         try { return await module.resolveDirectories(wanted, () => undefined); }
         catch (error) { return { name: error.name, message: error.message }; }`,
      );
      assert.equal(caught.name, "SourceError", name);
      assert.match(caught.message, /EACCES/);
    }
  });
});

describe("resolve-directories: a directory with other names and no session file (spec.md section 5)", () => {
  const sid = "0123456789abcdef0123456789abcdef01234567";
  const flat = `werkzeug_${sid}.sess`;
  /** Makes files; a directory if the name ends in a slash, an empty file if it ends in `=0`. */
  function make(...paths: readonly string[]): string {
    const top = makeTemporaryDirectory();
    for (const path of paths) {
      const [name = "", size] = path.split("=");
      mkdirSync(join(top, name.endsWith("/") ? name : join(name, "..")), { recursive: true });
      if (!name.endsWith("/")) writeFileSync(join(top, name), size === "0" ? "" : "x");
    }
    return top;
  }

  const taken: readonly (readonly [name: string, paths: readonly string[]])[] = [
    ["nothing at all", []],
    ["a session among strangers", ["README", "addons/x", flat]],
    ["a scattered session among strangers", ["README", `01/${sid}`]],
    ["what a killed purge set aside", ["README", `.tele-sessions-12-0123456789abcdef-${flat}`]],
    ["empty scatter folders", ["01/", "-6/", "ab/"]],
    ["temporary files", ["tmpabc.__wz_sess", "abc.__tx_sess__"]],
    ["an upload", [`werkzeug_${sid}_${"0".repeat(32)}.file`]],
    ["files of 0 bytes", [`${flat}=0`, "README=0"]],
    ["lost+found and names with a dot", ["lost+found/x", ".nfs001", ".snapshot/x"]],
  ];
  for (const [name, paths] of taken) {
    it(`accepted: ${name}`, async () => {
      const top = make(...paths);
      assert.deepEqual(await resolve([top], false), [top]);
    });
  }

  const refused: readonly (readonly [name: string, paths: readonly string[], at: string, says: string])[] = [
    ["the data directory", ["addons/", "filestore/prod/01/x", `sessions/${flat}`], "", "Did you mean TOP/sessions?"],
    ["a filestore beside it", ["filestore/prod/x/", `sessions/${flat}`], "filestore", "Did you mean TOP/sessions?"],
    [
      "a database's filestore",
      ["filestore/prod/x/", `sessions/${flat}`],
      "filestore/prod",
      "Did you mean TOP/sessions?",
    ],
    ["a parent of several", [`a1x/sessions/${flat}`, `b1x/sessions/${flat}`], "", "Session files are in TOP/"],
    ["a parent with two letters a child", [`aa/sessions/${flat}`], "", "Did you mean TOP/aa/sessions?"],
    ["a parent of one under another name", [`store/01/${sid}`], "", "Did you mean TOP/store?"],
    ["a scatter folder", [`01/${sid}`], "01", "Did you mean TOP?"],
    ["a session of 0 bytes beside a stranger", [`${flat}=0`, "README"], "", "1 other name. Check the path"],
    ["no sessions anywhere", ["README", "etc/passwd"], "", "2 other names. Check the path"],
    ["a directory with a session's name", [`${flat}/`], "", "1 other name"],
  ];
  for (const [name, paths, at, says] of refused) {
    it(`refused: ${name}`, async () => {
      const top = make(...paths);
      await assert.rejects(resolve([join(top, at)], false), (error) => {
        assert(error instanceof SettingsError);
        assert.ok(error.message.includes(says.replace("TOP", top)), error.message);
        return true;
      });
      assert.deepEqual(await resolve([join(top, at)], true), [join(top, at)]);
    });
  }

  it("a symlink to a session is no session file", async () => {
    const top = make("real");
    symlinkSync("real", join(top, flat));
    await assert.rejects(resolve([top], false), SettingsError);
  });

  it("one of several directories of a glob gives a warning; if all are wrong, they are refused", async () => {
    const top = make(`a/s/${flat}`, "b/s/README", "c/s/");
    const warned: string[] = [];
    const found = await resolve([`${top}/*/s`], false, warned);
    assert.deepEqual(
      found,
      ["a", "b", "c"].map((name) => join(top, name, "s")),
    );
    assert.equal(warned.length, 1);
    assert.ok(warned[0]?.startsWith(`no session file in ${top}/b/s, but 1 other name`), warned[0]);
    await assert.rejects(resolve([`${top}/b/*`], false), SettingsError);
    await assert.rejects(resolve([`${top}/*/s`, `${top}/b/s`], false), SettingsError);
  });

  it("a missing default says where it comes from, and offers no flag to hide it", async () => {
    const missing = { names: [`${root}/none`], comesFrom: "It is the default", allowMissing: false };
    await assert.rejects(
      resolveDirectories(missing, () => undefined),
      (error) =>
        error instanceof SettingsError &&
        error.message.endsWith("does not exist. It is the default. Name the directory with --session-dir") &&
        !error.message.includes("--allow-missing"),
    );
  });
});

describe("resolve-directories: names that are not UTF-8", () => {
  const top = makeTemporaryDirectory();
  const latin1 = (path: string) => Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, "latin1")]);
  mkdirSync(latin1("caf\xe9/sessions"), { recursive: true });
  mkdirSync(join(top, "good/sessions"), { recursive: true });
  mkdirSync(join(top, "caf\u00e9/sessions"), { recursive: true });
  symlinkSync(latin1("caf\xe9/sessions"), join(top, "link"));
  mkdirSync(latin1("other/k\xfc"), { recursive: true });

  for (const [name, pattern, shown] of [
    ["one of several that a glob matches", "*/sessions", "caf\\xe9/sessions"],
    ["matched by the last part", "other/*", "other/k\\xfc"],
    ["matched by ?", "caf?/sessions", "caf\\xe9/sessions"],
    ["named, as Node gives it", "caf\ufffd/sessions", "caf\\ufffd/sessions"],
    ["in a glob, as Node gives it", "caf\ufffd/*", "caf\\ufffd/*"],
    ["through a symlink", "link", "caf\\ufffd/sessions"],
  ] as const) {
    it(`refused: ${name}`, async () => {
      for (const allowMissing of [false, true]) {
        await assert.rejects(resolve([`${top}/${pattern}`], allowMissing), (error) => {
          assert(error instanceof SettingsError);
          assert.ok(error.message.includes(`${shown} has a name that is not UTF-8`), error.message);
          return true;
        });
      }
    });
  }

  it("a name that the glob does not match does no harm, and UTF-8 names still match", async () => {
    assert.deepEqual(await resolve([`${top}/g*/sessions`], false), [join(top, "good/sessions")]);
    assert.deepEqual(await resolve([`${top}/caf\u00e9/sess*`], false), [join(top, "caf\u00e9/sessions")]);
  });
});
