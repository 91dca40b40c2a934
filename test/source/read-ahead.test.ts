import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { ReadAhead } from "../../src/source/read-ahead.js";
import { readSessionFile } from "../../src/source/read-session-file.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const maxFileSize = 1_000_000;

function makeFiles(count: number): SessionFile[] {
  const directory = makeTemporaryDirectory();
  return Array.from({ length: count }, (_, index) => {
    const sid = index.toString(16).padStart(40, "0");
    const name = `werkzeug_${sid}.sess`;
    writeFileSync(join(directory, name), `content ${index}`);
    return { directory, name, layout: "flat", sid };
  });
}

/** Reads through a clock on which each reading takes so many milliseconds. */
function readerOf(files: readonly SessionFile[], millisecondsEach: number): ReadAhead {
  let nowMs = 0;
  const directories = [...new Set(files.map(({ directory }) => directory))];
  return new ReadAhead(directories, maxFileSize, () => (nowMs += millisecondsEach));
}

/** One that has found its file system to be slow. */
function slowReaderOf(files: readonly SessionFile[]): ReadAhead {
  const reader = readerOf(files, 1);
  const [first] = files;
  assert(first);
  for (let reads = 0; reads < 64; reads++) reader.read(first);
  assert(reader.isSlow);
  return reader;
}

const textOf = (reader: ReadAhead, file: SessionFile): string => {
  const reading = reader.read(file);
  return reading.kind === "read" ? reading.read.bytes.toString() : reading.kind;
};

describe("read-ahead: many at a time where each waits long (design.md section 2)", () => {
  for (const [name, milliseconds, isSlow] of [
    ["a warm local disk", 0.01, false],
    ["as slow as it may be", 0.25, false],
    ["a network file system", 2, true],
  ] as const) {
    it(`${name}: ${isSlow ? "ahead" : "in turn"}, as the first readings show`, () => {
      const files = makeFiles(64);
      const reader = readerOf(files, milliseconds);
      for (const file of files.slice(1)) reader.read(file);
      assert.equal(reader.isSlow, false, "too few to tell");
      reader.read(files[0] as SessionFile);
      assert.equal(reader.isSlow, isSlow);
    });
  }

  it("where it is quick nothing is read before its turn", async () => {
    const files = makeFiles(3);
    const reader = readerOf(files, 0.01);
    await reader.begin(files);
    for (const { directory, name } of files) rmSync(join(directory, name));
    assert.deepEqual(
      files.map((file) => textOf(reader, file)),
      ["vanished", "vanished", "vanished"],
    );
  });

  it("where it is slow a whole batch is read before its turn, with the same result", async () => {
    const files = makeFiles(300);
    const reader = slowReaderOf(files);
    const expected = files.map((file) => readSessionFile(file, maxFileSize));
    await reader.begin(files);
    for (const { directory, name } of files) rmSync(join(directory, name));
    const readings = files.map((file) => reader.read(file));
    const plain = (all: typeof readings) =>
      all.map((one) => one.kind === "read" && [one.read.bytes.toString(), one.read.mtimeMs, one.stamp.ino]);
    assert.deepEqual(plain(readings), plain(expected));
    assert.equal(textOf(reader, files[0] as SessionFile), "vanished", "what was read is held once");
  });

  it("what is no small regular file is left to its turn", async () => {
    const files = makeFiles(6);
    const reader = slowReaderOf(files);
    const [gone, empty, link, large, folder, moved] = files.map(({ directory, name }) =>
      join(directory, name),
    );
    assert(gone && empty && link && large && folder && moved);
    rmSync(gone);
    writeFileSync(empty, "");
    rmSync(link);
    symlinkSync(large, link);
    writeFileSync(large, "x".repeat(100_000));
    rmSync(folder);
    mkdirSync(folder);
    const { directory, sid } = files[5] as SessionFile;
    mkdirSync(join(directory, sid.slice(0, 2)));
    renameSync(moved, join(directory, sid.slice(0, 2), sid));
    await reader.begin(files);
    assert.deepEqual(
      files.map((file) => textOf(reader, file).slice(0, 9)),
      ["vanished", "empty", "ignored", "xxxxxxxxx", "ignored", "content 5"],
    );
  });

  it("another file of the same session is found, before its turn and in it", async () => {
    const files = makeFiles(2);
    const [twice, alone] = files as [SessionFile, SessionFile];
    const folder = join(twice.directory, twice.sid.slice(0, 2));
    mkdirSync(folder);
    writeFileSync(join(folder, twice.sid), "later");
    utimesSync(join(folder, twice.sid), new Date(), new Date(Date.now() + 60_000));
    const reader = slowReaderOf([alone]);
    await reader.begin(files);
    const superseded = files.map((file) => {
      const reading = reader.read(file);
      return reading.kind === "read" && reader.isSuperseded(file, reading.stamp);
    });
    assert.deepEqual(superseded, [true, false]);
  });

  it("how files stand, all at a time", async () => {
    const files = makeFiles(3);
    rmSync(join(files[1]?.directory ?? "", files[1]?.name ?? ""));
    const stamps = await readerOf(files, 1).look(files);
    assert.deepEqual(
      stamps.map((stamp) => stamp?.size),
      [9, undefined, 9],
    );
  });
});
