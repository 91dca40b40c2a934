import assert from "node:assert/strict";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { readSessionFile } from "../../src/source/read-session-file.js";
import { goneTest, isSuperseded } from "../../src/source/session-places.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const sid = "ab".repeat(20);

function flatFile(): SessionFile {
  const directory = makeTemporaryDirectory();
  const name = `werkzeug_${sid}.sess`;
  writeFileSync(join(directory, name), "content");
  return { directory, name, layout: "flat", sid };
}

const isGone = (file: SessionFile) => goneTest([file.directory])(file);

describe("session-places: Odoo 16 moves a flat file on its first use (formats.md section 1)", () => {
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
    const isGoneNow = goneTest([file.directory]);
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

describe("session-places: a folder that went away took its files with it, and ended no session", () => {
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
      const isGoneNow = goneTest([place.file.directory]);
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

  const otherSid = "cd".repeat(20);

  /** Looks at a file in another folder, as a run does with the first ones that it writes. */
  function lookAtAnother(isGoneNow: (file: SessionFile) => boolean, { file }: Place): void {
    mkdirSync(join(file.directory, "cd"), { recursive: true });
    writeFileSync(join(file.directory, "cd", otherSid), "content");
    assert(!isGoneNow({ ...file, name: `cd/${otherSid}`, sid: otherSid }));
  }

  it("another folder is in its place: none is gone with that", () => {
    const place = makePlace();
    const isGoneNow = goneTest([place.file.directory]);
    lookAtAnother(isGoneNow, place);
    renameSync(place.folder, `${place.folder}-away`);
    renameSync(place.other, place.folder);
    assert(!isGoneNow(place.file));
    renameSync(place.folder, place.other);
    renameSync(`${place.folder}-away`, place.folder);
    rmSync(join(place.folder, sid));
    assert(isGoneNow(place.file));
  });

  it("a symlink was in its place when the first file was looked at: none is gone from what is there later", () => {
    const place = makePlace();
    const isGoneNow = goneTest([place.file.directory]);
    renameSync(place.folder, `${place.folder}-away`);
    symlinkSync(place.other, place.folder);
    lookAtAnother(isGoneNow, place);
    rmSync(place.folder);
    renameSync(place.other, place.folder);
    assert(!isGoneNow(place.file));
  });

  it("a folder that a server made since: what was in it is gone once it was deleted", () => {
    const place = makePlace();
    rmSync(place.folder, { recursive: true });
    const isGoneNow = goneTest([place.file.directory]);
    lookAtAnother(isGoneNow, place);
    mkdirSync(place.folder);
    writeFileSync(join(place.folder, sid), "content");
    assert(!isGoneNow(place.file));
    rmSync(join(place.folder, sid));
    assert(isGoneNow(place.file));
  });

  it("a flat file whose scattered place has no folder is gone all the same", () => {
    const file = flatFile();
    rmSync(join(file.directory, file.name));
    symlinkSync("nowhere", join(file.directory, "ab"));
    assert(isGone(file));
  });
});

describe("session-places: one sid in two files (spec.md section 4): the latest one is the session", () => {
  const early = 1_700_000_000;
  const late = early + 10;
  const flatName = `werkzeug_${sid}.sess`;
  const scatteredName = `ab/${sid}`;
  type Where = readonly [directory: 0 | 1, layout: SessionFile["layout"]];

  /** A file of the sid in a place, modified then. */
  function put(
    directories: readonly string[],
    [index, layout]: Where,
    seconds: number,
    content = "x",
  ): SessionFile {
    const directory = directories[index] ?? "";
    const name = layout === "flat" ? flatName : scatteredName;
    mkdirSync(join(directory, "ab"), { recursive: true });
    writeFileSync(join(directory, name), content);
    utimesSync(join(directory, name), seconds, seconds);
    return { directory, name, layout, sid };
  }

  function supersededIn(directories: readonly string[], file: SessionFile): boolean {
    return isSuperseded(file, lstatSync(join(file.directory, file.name)), directories);
  }

  const places: readonly Where[] = [
    [0, "flat"],
    [0, "scattered"],
    [1, "flat"],
    [1, "scattered"],
  ];
  const order: readonly Where[] = [
    [0, "scattered"],
    [0, "flat"],
    [1, "scattered"],
    [1, "flat"],
  ];
  for (const one of places) {
    for (const other of places) {
      if (one === other) continue;
      it(`${one.join(" ")} and ${other.join(" ")}: the earlier one is superseded, and only that`, () => {
        const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
        const [earlier, later] = [put(directories, one, early), put(directories, other, late)];
        assert(supersededIn(directories, earlier));
        assert(!supersededIn(directories, later));
      });

      it(`${one.join(" ")} and ${other.join(" ")}, modified at the same time: exactly one is`, () => {
        const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
        const files = [put(directories, one, early), put(directories, other, early)];
        const rank = (where: Where) => order.findIndex((place) => String(place) === String(where));
        const expected = [rank(one) > rank(other), rank(other) > rank(one)];
        assert.deepEqual(
          files.map((file) => supersededIn(directories, file)),
          expected,
        );
      });
    }
  }

  it("in all four places at once, exactly one is not", () => {
    for (const times of [
      [early, early, early, early],
      [early, late, late, early],
      [late, early, early + 1, early + 2],
    ]) {
      const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
      const files = places.map((place, index) => put(directories, place, times[index] ?? early));
      assert.equal(files.filter((file) => !supersededIn(directories, file)).length, 1);
    }
  });

  it("alone it is not", () => {
    const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
    assert(!supersededIn(directories, put(directories, [0, "flat"], early)));
  });

  it("by another sid, or a directory that is none of the run's, it is not", () => {
    const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
    const file = put(directories, [0, "flat"], early);
    writeFileSync(join(file.directory, `werkzeug_${"cd".repeat(20)}.sess`), "later");
    put(directories, [1, "flat"], late);
    assert(!supersededIn(directories.slice(0, 1), file));
  });

  const noSession: readonly (readonly [name: string, make: (path: string) => void])[] = [
    ["an empty file", (path) => writeFileSync(path, "")],
    ["a directory", (path) => mkdirSync(path)],
    ["a symlink to a later file", (path) => symlinkSync(import.meta.filename, path)],
    ["a symlink to itself", (path) => symlinkSync(path, path)],
  ];
  for (const [name, make] of noSession) {
    it(`by ${name} it is not`, () => {
      const directories = [makeTemporaryDirectory()];
      const file = put(directories, [0, "flat"], early);
      make(join(file.directory, scatteredName));
      assert(!supersededIn(directories, file));
    });
  }

  it("by itself under its other name it is not: it is being moved", () => {
    const directories = [makeTemporaryDirectory()];
    const file = put(directories, [0, "flat"], early);
    linkSync(join(file.directory, flatName), join(file.directory, scatteredName));
    assert(!supersededIn(directories, file));
    assert(!supersededIn(directories, { ...file, layout: "scattered", name: scatteredName }));
  });

  it("a long sid has one place in each directory", () => {
    const long = "ab".padEnd(84, "_");
    const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
    const files = directories.map((directory, index): SessionFile => {
      mkdirSync(join(directory, "ab"));
      writeFileSync(join(directory, "ab", long), "x");
      utimesSync(join(directory, "ab", long), early + index, early + index);
      writeFileSync(join(directory, `werkzeug_${long}.sess`), "no session's name");
      return { directory, name: `ab/${long}`, layout: "scattered", sid: long };
    });
    assert.deepEqual(
      files.map((file) => supersededIn(directories, file)),
      [true, false],
    );
  });
});
