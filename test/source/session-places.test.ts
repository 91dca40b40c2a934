import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { readSessionFile } from "../../src/source/read-session-file.js";
import { goneTest } from "../../src/source/session-places.js";
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
