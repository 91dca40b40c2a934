import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, mock } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { readSessionFile } from "../../src/source/read-session-file.js";
import { SessionFolders } from "../../src/source/session-folders.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const sid = "ab".repeat(20);

function flatFile(): SessionFile {
  const directory = makeTemporaryDirectory();
  const name = `werkzeug_${sid}.sess`;
  writeFileSync(join(directory, name), "content");
  return { directory, name, layout: "flat", sid };
}

/** Gives a test of files, of which the first was read. */
function goneTestFor(file: SessionFile): (file: SessionFile) => boolean {
  const folders = new SessionFolders([file.directory]);
  folders.note(file);
  return (other) => folders.goneTest()(other);
}

const isGone = (file: SessionFile) => goneTestFor(file)(file);

describe("session-folders: Odoo 16 moves a flat file on its first use (formats.md section 1)", () => {
  it("a file that stands is not gone", () => assert(!isGone(flatFile())));

  it("one that was moved is not gone, and is read from its new place", () => {
    const file = flatFile();
    mkdirSync(join(file.directory, "ab"));
    renameSync(join(file.directory, file.name), join(file.directory, "ab", sid));
    assert(!isGone(file));
    const reading = readSessionFile(file, 100);
    assert(reading.kind === "read");
    assert.equal(reading.read.bytes.toString(), "content");
  });

  it("one that was deleted is gone, and has vanished", () => {
    const file = flatFile();
    rmSync(join(file.directory, file.name));
    assert(isGone(file));
    assert.deepEqual(readSessionFile(file, 100), { kind: "vanished" });
  });

  it("a scattered file has one place only", () => {
    const file: SessionFile = { ...flatFile(), layout: "scattered", name: `ab/${sid}` };
    mkdirSync(join(file.directory, "ab"));
    assert(isGone(file));
  });

  it("where the session directory itself went, or another came, nothing of it is gone", () => {
    const file = flatFile();
    const isGoneNow = goneTestFor(file);
    rmSync(join(file.directory, file.name));
    assert(isGoneNow(file));
    renameSync(file.directory, `${file.directory}-unmounted`);
    assert(!isGoneNow(file));
    mkdirSync(file.directory);
    assert(!isGoneNow(file));
  });

  it("what cannot be looked at is not known to be gone", () => {
    const file = flatFile();
    symlinkSync("loop", join(file.directory, "loop"));
    assert(!isGone({ ...file, directory: join(file.directory, "loop") }));
  });
});

describe("session-folders: a folder that went away took its files with it, and ended no session", () => {
  interface Place {
    readonly file: SessionFile;
    readonly folder: string;
    /** Another folder, outside, that does not hold the file. */
    readonly other: string;
  }

  function makePlace(): Place {
    const directory = makeTemporaryDirectory();
    const folder = join(directory, "ab");
    mkdirSync(folder);
    writeFileSync(join(folder, sid), "content");
    const file: SessionFile = { directory, name: `ab/${sid}`, layout: "scattered", sid };
    return { file, folder, other: makeTemporaryDirectory() };
  }

  const swaps: readonly (readonly [name: string, swap: (place: Place) => void])[] = [
    ["nothing", () => undefined],
    ["a symlink to another folder", ({ folder, other }) => symlinkSync(other, folder)],
    ["a symlink to nothing", ({ folder }) => symlinkSync("nowhere", folder)],
    ["a file", ({ folder }) => writeFileSync(folder, "")],
  ];
  for (const [name, swap] of swaps) {
    it(`${name} is in its place: what was in it is not gone, nor when it is back`, () => {
      const place = makePlace();
      const isGoneNow = goneTestFor(place.file);
      assert(!isGoneNow(place.file));
      renameSync(place.folder, `${place.folder}-away`);
      swap(place);
      assert(!isGoneNow(place.file));
      rmSync(place.folder, { force: true });
      renameSync(`${place.folder}-away`, place.folder);
      assert(!isGoneNow(place.file));
      rmSync(join(place.folder, sid));
      assert(isGoneNow(place.file));
    });
  }

  it("another folder is in its place: none is gone with that", () => {
    const place = makePlace();
    const isGoneNow = goneTestFor(place.file);
    renameSync(place.folder, `${place.folder}-away`);
    renameSync(place.other, place.folder);
    assert(!isGoneNow(place.file));
    renameSync(place.folder, place.other);
    renameSync(`${place.folder}-away`, place.folder);
    rmSync(join(place.folder, sid));
    assert(isGoneNow(place.file));
  });

  it("a symlink was in its place when the file was read: none is gone from what is there later", () => {
    const place = makePlace();
    renameSync(place.folder, `${place.folder}-away`);
    symlinkSync(place.other, place.folder);
    const isGoneNow = goneTestFor(place.file);
    rmSync(place.folder);
    renameSync(place.other, place.folder);
    assert(!isGoneNow(place.file));
  });

  it("a folder that a server made since: what was in it is gone once it was deleted", () => {
    const { file, folder } = makePlace();
    rmSync(folder, { recursive: true });
    const folders = new SessionFolders([file.directory]);
    folders.note(file);
    mkdirSync(folder);
    writeFileSync(join(folder, sid), "content");
    folders.note(file);
    assert(!folders.goneTest()(file));
    rmSync(join(folder, sid));
    assert(folders.goneTest()(file));
  });

  it("a flat file whose scattered place has no folder is gone all the same", () => {
    const file = flatFile();
    rmSync(join(file.directory, file.name));
    symlinkSync("nowhere", join(file.directory, "ab"));
    assert(isGone(file));
  });
});

describe("session-folders: a folder that rested since before the run is looked at, and not each of its files", () => {
  const scattered = (): SessionFile => {
    const directory = makeTemporaryDirectory();
    mkdirSync(join(directory, "ab"));
    writeFileSync(join(directory, "ab", sid), "content");
    return { directory, name: `ab/${sid}`, layout: "scattered", sid };
  };
  for (const make of [flatFile, scattered]) {
    const isGoneLater = (file: SessionFile) => {
      mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
      try {
        return goneTestFor(file);
      } finally {
        mock.timers.reset();
      }
    };

    it(`${make.name}: a file that stands is not gone, one that was deleted is`, () => {
      const file = make();
      const isGoneNow = isGoneLater(file);
      assert(!isGoneNow(file));
      rmSync(join(file.directory, file.name));
      assert(isGoneNow(file));
    });

    it(`${make.name}: another file in the folder makes none gone, nor hides one that is`, () => {
      const file = make();
      const isGoneNow = isGoneLater(file);
      writeFileSync(join(file.directory, file.name, "..", "stranger"), "");
      assert(!isGoneNow(file));
      rmSync(join(file.directory, file.name));
      assert(isGoneNow(file));
    });

    it(`${make.name}: one look stands for all files that the test is asked for`, () => {
      const file = make();
      mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
      const folders = new SessionFolders([file.directory]);
      folders.note(file);
      mock.timers.reset();
      const isGoneNow = folders.goneTest();
      assert(!isGoneNow(file));
      rmSync(join(file.directory, file.name));
      assert(!isGoneNow(file));
      assert(folders.goneTest()(file));
    });
  }

  it("a file that was moved, read and then deleted is gone, though its folder did not change again", () => {
    const file = flatFile();
    const isGoneNow = goneTestFor(file);
    mkdirSync(join(file.directory, "ab"));
    renameSync(join(file.directory, file.name), join(file.directory, "ab", sid));
    assert(!isGoneNow(file));
    rmSync(join(file.directory, "ab", sid));
    assert(isGoneNow(file));
  });
});
