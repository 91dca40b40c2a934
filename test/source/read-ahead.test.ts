import assert from "node:assert/strict";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { LatencyProbe } from "../../src/source/latency-probe.js";
import { ReadAhead, readAhead } from "../../src/source/read-ahead.js";
import {
  type ExactReading,
  readOpenedExactly,
  readPlaceExactly,
  readSessionFile,
} from "../../src/source/read-session-file.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { slowProbe } from "./support/slow-probe.js";

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

const textOf = (reader: ReadAhead, file: SessionFile): string => {
  const reading = reader.read(file);
  return reading.kind === "read" ? reading.read.bytes.toString() : reading.kind;
};

/** Readers that have found out that opening waits, and that reading does too. */
const waitingReaders = {
  "opening waits": () => readAhead(maxFileSize, { whole: slowProbe(), opened: new LatencyProbe() }),
  "reading too": () => readAhead(maxFileSize, { whole: slowProbe(), opened: slowProbe() }),
};

describe("read-ahead: many at a time if each waits long (design.md section 2)", () => {
  it("if the file system is fast, nothing is read before its turn", async () => {
    const files = makeFiles(3);
    const reader = readAhead(maxFileSize);
    await reader.prefetch(files);
    for (const { directory, name } of files) rmSync(join(directory, name));
    assert.deepEqual(
      files.map((file) => textOf(reader, file)),
      ["vanished", "vanished", "vanished"],
    );
  });

  for (const [name, makeReader] of Object.entries(waitingReaders)) {
    it(`${name}: a whole batch is read before its turn, with the same result, and closed`, async () => {
      const files = makeFiles(300);
      const reader = makeReader();
      const expected = files.map((file) => readSessionFile(file, maxFileSize));
      const openBefore = readdirSync("/proc/self/fd").length;
      await reader.prefetch(files);
      assert(readdirSync("/proc/self/fd").length <= openBefore);
      for (const { directory, name } of files) rmSync(join(directory, name));
      const readings = files.map((file) => reader.read(file));
      const plain = (all: typeof readings) =>
        all.map((one) => one.kind === "read" && [one.read.bytes.toString(), one.read.mtimeMs, one.stamp.ino]);
      assert.deepEqual(plain(readings), plain(expected));
      assert.equal(textOf(reader, files[0] as SessionFile), "vanished", "what was read is held once");
    });

    it(`${name}: what was read for an earlier turn is forgotten`, async () => {
      const files = makeFiles(2);
      const reader = makeReader();
      await reader.prefetch(files);
      for (const { directory, name } of files) rmSync(join(directory, name));
      const [one, other] = files;
      assert(one && other);
      assert.equal(reader.readNow(one).kind, "vanished");
      await reader.prefetch([other]);
      assert.equal(textOf(reader, other), "vanished");
    });

    it(`${name}: what is no small regular file is left to its turn`, async () => {
      const files = makeFiles(6);
      const reader = makeReader();
      const [gone, empty, link, large, folder, moved] = files.map(({ directory, name }) => join(directory, name));
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
      await reader.prefetch(files);
      assert.deepEqual(
        files.map((file) => textOf(reader, file).slice(0, 9)),
        ["vanished", "empty", "ignored", "xxxxxxxxx", "ignored", "content 5"],
      );
    });
  }

  it("a purge reads exact stamps, at the paths that it gives, and each file once", async () => {
    const files = makeFiles(100);
    const pathTo = ({ directory, name }: SessionFile) => join(directory, name);
    const exactly = (file: SessionFile) => readPlaceExactly(pathTo(file), maxFileSize);
    const probes = { whole: slowProbe(), opened: new LatencyProbe() };
    const reader = new ReadAhead({ read: exactly, readOpened: readOpenedExactly, maxFileSize }, probes);
    const expected = files.map(exactly);
    const elsewhere = files.map((file) => ({ ...file, directory: "/nowhere" }));
    await reader.prefetch(elsewhere, ({ name }) => join(files[0]?.directory ?? "", name));
    for (const file of files) rmSync(pathTo(file));
    const stampOf = (reading: ExactReading) => reading.kind === "read" && reading.exact;
    assert.deepEqual(
      elsewhere.map((file) => stampOf(reader.read(file))),
      expected.map(stampOf),
    );
    assert.deepEqual(
      elsewhere.map((file) => reader.read(file).kind),
      elsewhere.map(() => "vanished"),
    );
  });
});
