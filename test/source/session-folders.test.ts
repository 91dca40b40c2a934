import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, mock } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { readSessionFile } from "../../src/source/read-session-file.js";
import { SessionFolders } from "../../src/source/session-folders.js";
import { StatReader } from "../../src/source/stat-reader.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const sid = "ab".repeat(20);

function flatFile(): SessionFile {
  const directory = makeTemporaryDirectory();
  const name = `werkzeug_${sid}.sess`;
  writeFileSync(join(directory, name), "content");
  return { directory, name, layout: "flat", sid };
}

/** Returns a check of files, of which the first was read. */
function goneTestFor(file: SessionFile): (file: SessionFile) => Promise<boolean> {
  const folders = new SessionFolders([file.directory]);
  folders.note(file);
  return (other) => isGoneBy(folders, other);
}

async function isGoneBy(folders: SessionFolders, file: SessionFile): Promise<boolean> {
  return (await folders.goneOf([{ file }], new StatReader())).length > 0;
}

const isGone = (file: SessionFile) => goneTestFor(file)(file);

describe("session-folders: Odoo 16 moves a flat file on its first use (formats.md section 1)", () => {
  it("a file that exists is not gone", async () => assert(!(await isGone(flatFile()))));

  it("one that was moved is not gone, and is read from its new place", async () => {
    const file = flatFile();
    mkdirSync(join(file.directory, "ab"));
    renameSync(join(file.directory, file.name), join(file.directory, "ab", sid));
    assert(!(await isGone(file)));
    const reading = readSessionFile(file, 100);
    assert(reading.kind === "read");
    assert.equal(reading.read.bytes.toString(), "content");
  });

  it("one that was deleted is gone, and has vanished", async () => {
    const file = flatFile();
    rmSync(join(file.directory, file.name));
    assert(await isGone(file));
    assert.deepEqual(readSessionFile(file, 100), { kind: "vanished" });
  });

  it("a file that is gone is not read through a symlink to a scatter folder", () => {
    const file = flatFile();
    const elsewhere = makeTemporaryDirectory();
    renameSync(join(file.directory, file.name), join(elsewhere, sid));
    symlinkSync(elsewhere, join(file.directory, "ab"));
    assert.deepEqual(readSessionFile(file, 100), { kind: "vanished" });
  });

  it("if the session directory is gone or replaced, none of its files count as gone", async () => {
    const file = flatFile();
    const isGoneNow = goneTestFor(file);
    rmSync(join(file.directory, file.name));
    assert(await isGoneNow(file));
    renameSync(file.directory, `${file.directory}-unmounted`);
    assert(!(await isGoneNow(file)));
    mkdirSync(file.directory);
    assert(!(await isGoneNow(file)));
  });

  it("a file that cannot be statted does not count as gone", async () => {
    const file = flatFile();
    symlinkSync("loop", join(file.directory, "loop"));
    assert(!(await isGone({ ...file, directory: join(file.directory, "loop") })));
  });
});

describe("session-folders: a folder that disappears takes its files along, and ends no session", () => {
  interface Place {
    readonly file: SessionFile;
    readonly folder: string;
    /** Another folder, outside, without the file. */
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
    it(`${name} took its place: its files are not gone, not even when it is back`, async () => {
      const place = makePlace();
      const isGoneNow = goneTestFor(place.file);
      assert(!(await isGoneNow(place.file)));
      renameSync(place.folder, `${place.folder}-away`);
      swap(place);
      assert(!(await isGoneNow(place.file)));
      rmSync(place.folder, { force: true });
      renameSync(`${place.folder}-away`, place.folder);
      assert(!(await isGoneNow(place.file)));
      rmSync(join(place.folder, sid));
      assert(await isGoneNow(place.file));
    });
  }

  it("another folder took its place: no file counts as gone", async () => {
    const place = makePlace();
    const isGoneNow = goneTestFor(place.file);
    renameSync(place.folder, `${place.folder}-away`);
    renameSync(place.other, place.folder);
    assert(!(await isGoneNow(place.file)));
    renameSync(place.folder, place.other);
    renameSync(`${place.folder}-away`, place.folder);
    rmSync(join(place.folder, sid));
    assert(await isGoneNow(place.file));
  });

  it("a symlink was there when the file was read: nothing is gone from a later folder", async () => {
    const place = makePlace();
    renameSync(place.folder, `${place.folder}-away`);
    symlinkSync(place.other, place.folder);
    const isGoneNow = goneTestFor(place.file);
    rmSync(place.folder);
    renameSync(place.other, place.folder);
    assert(!(await isGoneNow(place.file)));
  });

  it("a folder that a server made since: its files are gone once deleted", async () => {
    const { file, folder } = makePlace();
    rmSync(folder, { recursive: true });
    const folders = new SessionFolders([file.directory]);
    folders.note(file);
    mkdirSync(folder);
    writeFileSync(join(folder, sid), "content");
    folders.note(file);
    assert(!(await isGoneBy(folders, file)));
    rmSync(join(folder, sid));
    assert(await isGoneBy(folders, file));
  });

  it("a flat file whose scattered place has no folder is gone all the same", async () => {
    const file = flatFile();
    rmSync(join(file.directory, file.name));
    symlinkSync("nowhere", join(file.directory, "ab"));
    assert(await isGone(file));
  });
});

describe("session-folders: for a folder unchanged since before the run, one stat replaces one per file", () => {
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

    it(`${make.name}: a file that exists is not gone, one that was deleted is`, async () => {
      const file = make();
      const isGoneNow = isGoneLater(file);
      assert(!(await isGoneNow(file)));
      rmSync(join(file.directory, file.name));
      assert(await isGoneNow(file));
    });

    it(`${make.name}: another file in the folder neither makes one gone nor hides one that is`, async () => {
      const file = make();
      const isGoneNow = isGoneLater(file);
      writeFileSync(join(file.directory, file.name, "..", "stranger"), "");
      assert(!(await isGoneNow(file)));
      rmSync(join(file.directory, file.name));
      assert(await isGoneNow(file));
    });

    it(`${make.name}: no file is statted while the folder is unchanged`, async () => {
      const file = make();
      mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
      const folders = new SessionFolders([file.directory]);
      folders.note(file);
      mock.timers.reset();
      const statReader = new StatReader();
      const exist = mock.method(statReader, "existAll");
      assert(folders.areUntouched());
      assert.deepEqual(await folders.goneOf([{ file }], statReader), []);
      assert.equal(exist.mock.callCount(), 0);
      rmSync(join(file.directory, file.name));
      assert(!folders.areUntouched());
      assert.deepEqual(await folders.goneOf([{ file }], statReader), [{ file }]);
      assert.deepEqual(exist.mock.calls[0]?.arguments, [[join(file.directory, file.name)]]);
    });
  }

  it("a folder that changed just before the run may change again within the resolution of its times", () => {
    const file = scattered();
    const folders = new SessionFolders([file.directory]);
    folders.note(file);
    assert(!folders.areUntouched());
  });

  it("a file that was moved, read and then deleted is gone, though its folder did not change again", async () => {
    const file = flatFile();
    const isGoneNow = goneTestFor(file);
    mkdirSync(join(file.directory, "ab"));
    renameSync(join(file.directory, file.name), join(file.directory, "ab", sid));
    assert(!(await isGoneNow(file)));
    rmSync(join(file.directory, "ab", sid));
    assert(await isGoneNow(file));
  });
});

describe("session-folders: a session is gone only if no location in any session directory holds it", () => {
  /** A file that was read and then disappeared, and the other session directory. */
  function makeMoved() {
    const file = flatFile();
    const other = makeTemporaryDirectory();
    const folders = new SessionFolders([file.directory, other]);
    folders.note(file);
    rmSync(join(file.directory, file.name));
    return { file, other, isGoneNow: () => isGoneBy(folders, file) };
  }
  const places = [`werkzeug_${sid}.sess`, `ab/${sid}`];

  for (const place of places) {
    it(`${place} in the other directory: not gone until that is gone too`, async () => {
      const { other, isGoneNow } = makeMoved();
      mkdirSync(join(other, "ab"));
      assert(await isGoneNow());
      writeFileSync(join(other, place), "content");
      assert(!(await isGoneNow()));
      rmSync(join(other, place));
      assert(await isGoneNow());
    });

    it(`${place} in the other directory is a symlink or a folder: gone`, async () => {
      const { other, isGoneNow } = makeMoved();
      mkdirSync(join(other, "ab"));
      writeFileSync(join(other, "stranger"), "content");
      symlinkSync(join(other, "stranger"), join(other, place));
      assert(await isGoneNow());
      rmSync(join(other, place));
      mkdirSync(join(other, place));
      assert(await isGoneNow());
    });
  }

  it("a scattered file whose session lies flat is not gone", async () => {
    const flat = flatFile();
    mkdirSync(join(flat.directory, "ab"));
    const file: SessionFile = { ...flat, layout: "scattered", name: `ab/${sid}` };
    assert(!(await isGone(file)));
    rmSync(join(flat.directory, flat.name));
    assert(await isGone(file));
  });

  it("while the other directory is missing or replaced, nothing counts as gone", async () => {
    const { other, isGoneNow } = makeMoved();
    renameSync(other, `${other}-away`);
    assert(!(await isGoneNow()));
    mkdirSync(other);
    assert(!(await isGoneNow()));
  });

  it("while a scatter folder that was read is missing, nothing counts as gone", async () => {
    const file = flatFile();
    const other = makeTemporaryDirectory();
    mkdirSync(join(other, "ab"));
    const folders = new SessionFolders([file.directory, other]);
    folders.note({ ...file, directory: other, layout: "scattered", name: `ab/${sid}` });
    rmSync(join(file.directory, file.name));
    assert(await isGoneBy(folders, file));
    renameSync(join(other, "ab"), join(other, "away"));
    assert(!(await isGoneBy(folders, file)));
  });
});

describe("session-folders: a file vanished only if the directory is the very one that was noted", () => {
  it("a deleted file vanished; one that moved or exists did not", () => {
    const file = flatFile();
    const folders = new SessionFolders([file.directory]);
    assert(!folders.hasVanished(file));
    mkdirSync(join(file.directory, "ab"));
    renameSync(join(file.directory, file.name), join(file.directory, "ab", sid));
    assert(!folders.hasVanished(file));
    rmSync(join(file.directory, "ab"), { recursive: true });
    assert(folders.hasVanished(file));
  });

  it("a scattered file vanished with its folder, even if a flat one exists", () => {
    const flat = flatFile();
    const folders = new SessionFolders([flat.directory]);
    assert(folders.hasVanished({ ...flat, layout: "scattered", name: `ab/${sid}` }));
  });

  it("while the directory is missing or replaced, none vanished", () => {
    const file = flatFile();
    const folders = new SessionFolders([file.directory]);
    rmSync(join(file.directory, file.name));
    renameSync(file.directory, `${file.directory}-away`);
    assert(!folders.hasVanished(file));
    mkdirSync(file.directory);
    assert(!folders.hasVanished(file));
  });

  it("if the directory was missing when noted, a file counts as vanished", () => {
    const file = flatFile();
    rmSync(file.directory, { recursive: true });
    assert(new SessionFolders([file.directory]).hasVanished(file));
  });
});
