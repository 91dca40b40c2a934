import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SourceError } from "../../src/model/errors.js";
import type { SessionFile } from "../../src/model/session-file.js";
import { OpenDirectory } from "../../src/source/open-directory.js";
import { callUnprivileged } from "../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const sid = "ab".padEnd(40, "0");

interface Place {
  readonly directory: string;
  readonly flat: SessionFile;
  readonly scattered: SessionFile;
}

/** A session directory with a flat and a scattered file, each saying where it is. */
function makePlace(says = "inside"): Place {
  const directory = join(makeTemporaryDirectory(), "sessions");
  mkdirSync(join(directory, "ab"), { recursive: true });
  const flat: SessionFile = { directory, name: `werkzeug_${sid}.sess`, layout: "flat", sid };
  const scattered: SessionFile = { directory, name: `ab/${sid}`, layout: "scattered", sid };
  for (const { name } of [flat, scattered]) writeFileSync(join(directory, name), says);
  return { directory, flat, scattered };
}

/** A file's content, read through the open directory. */
function contentOf(open: OpenDirectory, file: SessionFile): string | undefined {
  const folder = open.folderOf(file);
  return folder && readFileSync(join(folder, basename(file.name)), "utf8");
}

describe("open-directory: stays with the directory it opened (spec.md section 4, Purge)", () => {
  it("leads to flat and scattered files", () => {
    const { directory, flat, scattered } = makePlace();
    const open = new OpenDirectory(directory);
    assert.equal(contentOf(open, flat), "inside");
    assert.equal(contentOf(open, scattered), "inside");
    assert.equal(contentOf(open, flat), "inside");
    open.close();
  });

  const swaps: readonly (readonly [name: string, swap: (directory: string, outside: string) => void])[] = [
    ["another directory", (directory, outside) => renameSync(outside, directory)],
    ["a symlink to another directory", (directory, outside) => symlinkSync(outside, directory)],
    ["nothing", () => undefined],
    ["a file", (directory) => writeFileSync(directory, "")],
  ];
  for (const [name, swap] of swaps) {
    it(`was moved away, and ${name} came: it leads to the one it opened`, () => {
      const { directory, flat, scattered } = makePlace();
      const open = new OpenDirectory(directory);
      renameSync(directory, `${directory}-away`);
      swap(directory, makePlace("outside").directory);
      assert.equal(contentOf(open, flat), "inside");
      assert.equal(contentOf(open, scattered), "inside");
      open.close();
    });
  }

  const folderSwaps: readonly (readonly [
    name: string,
    swap: (folder: string, outside: string) => void,
    expected: string | undefined,
  ])[] = [
    ["a symlink to a folder outside", (folder, outside) => symlinkSync(outside, folder), undefined],
    ["a symlink to itself", (folder) => symlinkSync(folder, folder), undefined],
    ["a file", (folder) => writeFileSync(folder, ""), undefined],
    ["nothing", () => undefined, undefined],
    ["another folder, which is inside then", (folder, outside) => renameSync(outside, folder), "outside"],
  ];
  for (const [name, swap, expected] of folderSwaps) {
    it(`a scatter folder was moved away, and ${name} came`, () => {
      const { directory, flat, scattered } = makePlace();
      const open = new OpenDirectory(directory);
      renameSync(join(directory, "ab"), `${directory}-away`);
      swap(join(directory, "ab"), join(makePlace("outside").directory, "ab"));
      assert.equal(contentOf(open, scattered), expected);
      assert.equal(contentOf(open, flat), "inside");
      open.close();
    });
  }

  it("an open scatter folder stays the same until another is needed", () => {
    const { directory, scattered } = makePlace();
    const open = new OpenDirectory(directory);
    assert.equal(contentOf(open, scattered), "inside");
    renameSync(join(directory, "ab"), `${directory}-away`);
    symlinkSync(join(makePlace("outside").directory, "ab"), join(directory, "ab"));
    assert.equal(contentOf(open, scattered), "inside");
    assert.equal(open.folderOf({ ...scattered, name: `cd/${sid}` }), undefined);
    assert.equal(open.folderOf(scattered), undefined);
    open.close();
  });

  it("keeps at most two descriptors open, and none once closed", () => {
    const { directory, flat, scattered } = makePlace();
    mkdirSync(join(directory, "cd"));
    const openOnes = () => readdirSync("/proc/self/fd").length;
    const before = openOnes();
    const open = new OpenDirectory(directory);
    for (let round = 0; round < 20; round++) {
      open.folderOf(scattered);
      open.folderOf({ ...scattered, name: `cd/${sid}` });
      open.folderOf({ ...scattered, name: `none/${sid}` });
      open.folderOf(flat);
    }
    open.folderOf(scattered);
    assert.equal(openOnes(), before + 2);
    open.close();
    assert.equal(openOnes(), before);
  });

  it("a folder of one's own stays open until its use is over, whatever else is opened meanwhile", async () => {
    const { directory, flat, scattered } = makePlace();
    mkdirSync(join(directory, "cd"));
    const openOnes = () => readdirSync("/proc/self/fd").length;
    const open = new OpenDirectory(directory);
    const before = openOnes();
    for (const file of [flat, scattered]) {
      let used = false;
      await open.whileOpen(file, async (folder) => {
        open.folderOf({ ...scattered, name: `cd/${sid}` });
        await nextTurn();
        assert.equal(readFileSync(join(folder, basename(file.name)), "utf8"), "inside");
        used = true;
      });
      assert(used);
    }
    // The folder last used stays open.
    assert.equal(openOnes(), before + 1);
    const fail = async () => assert.fail("nothing to use");
    await open.whileOpen({ ...scattered, name: `none/${sid}` }, fail);
    renameSync(join(directory, "ab"), `${directory}-away`);
    symlinkSync(`${directory}-away`, join(directory, "ab"));
    await open.whileOpen(scattered, fail);
    open.close();
  });

  it("its identity is the directory's own", () => {
    const [one, other] = [makePlace(), makePlace()];
    const identities = [one, one, other].map(({ directory }) => {
      const open = new OpenDirectory(directory);
      const { identity } = open;
      open.close();
      return identity;
    });
    assert.equal(identities[0], identities[1]);
    assert.notEqual(identities[0], identities[2]);
  });

  const none: readonly (readonly [name: string, make: (path: string) => void, code: string])[] = [
    ["missing", () => undefined, "ENOENT"],
    ["a file", (path) => writeFileSync(path, ""), "ENOTDIR"],
    // The path was resolved before, so a symlink is not ours.
    ["a symlink", (path) => symlinkSync(makeTemporaryDirectory(), path), "ENOTDIR"],
  ];
  for (const [name, make, code] of none) {
    it(`${name}: a SourceError`, () => {
      const path = join(makeTemporaryDirectory(), "sessions");
      make(path);
      assert.throws(
        () => new OpenDirectory(path),
        (error) =>
          error instanceof SourceError && new RegExp(`cannot be opened: .* \\(${code}\\)$`).test(error.message),
      );
    });
  }

  it("a scatter folder without permission is not gone: throws the system's error", () => {
    const { directory, scattered } = makePlace();
    rmSync(join(directory, "ab", sid));
    chmodSync(join(directory, "ab"), 0);
    const code = callUnprivileged<string>(
      directory,
      new URL("../../src/source/open-directory.js", import.meta.url),
      `const open = new module.OpenDirectory(${JSON.stringify(directory)});
       try { return open.folderOf(${JSON.stringify(scattered)}) ?? "gone"; } catch (error) { return error.code; }`,
    );
    assert.equal(code, "EACCES");
    chmodSync(join(directory, "ab"), 0o700);
    assert(existsSync(join(directory, "ab")));
  });
});
