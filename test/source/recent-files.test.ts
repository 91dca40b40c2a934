import assert from "node:assert/strict";
import { lstatSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { RecentFiles } from "../../src/source/recent-files.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const hourMs = 3_600_000;

function makeFile(): { readonly file: SessionFile; readonly path: string } {
  const directory = makeTemporaryDirectory();
  const path = join(directory, "name");
  writeFileSync(path, "one");
  return { file: { directory, name: "name", layout: "flat", sid: "s" }, path };
}

/** Saves as the server does: a new file, renamed over the old one. */
function save(path: string, content: string): void {
  writeFileSync(`${path}.__wz_sess`, content);
  renameSync(`${path}.__wz_sess`, path);
}

const stampOf = ({ directory, name }: SessionFile) => lstatSync(join(directory, name));

const isChanged = (recent: RecentFiles, file: SessionFile) => recent.changedSincePass().isChanged(file, stampOf(file));

describe("recent-files: what changed since it was read (spec.md section 4, A live server)", () => {
  it("what was read as it stands has not changed, however young it is", () => {
    const { file, path } = makeFile();
    const recent = new RecentFiles(Date.now());
    recent.note(file, statSync(path));
    assert(!isChanged(recent, file));
  });

  it("what was saved since has, with the same size too", () => {
    const { file, path } = makeFile();
    const recent = new RecentFiles(Date.now());
    recent.note(file, statSync(path));
    save(path, "two");
    assert(isChanged(recent, file));
  });

  it("what was never read has, if it is young", () => {
    const { file } = makeFile();
    assert(isChanged(new RecentFiles(Date.now()), file));
    assert(!isChanged(new RecentFiles(Date.now() + hourMs), file));
  });

  it("a pass looks back 2 s, for coarse file times", () => {
    const { file, path } = makeFile();
    const changedMs = statSync(path).ctimeMs;
    assert(isChanged(new RecentFiles(changedMs + 1900), file));
    assert(!isChanged(new RecentFiles(changedMs + 2100), file));
  });

  it("and further, by what any file's time was ahead of our clock", () => {
    const { file } = makeFile();
    const ahead = makeFile();
    utimesSync(ahead.path, new Date(), new Date(Date.now() + 2 * hourMs));
    const recent = new RecentFiles(Date.now() + hourMs);
    assert(!isChanged(recent, file));
    recent.note(ahead.file, statSync(ahead.path));
    assert(isChanged(recent, file));
  });

  it("what could not be read is not taken again as it stands", () => {
    const { file, path } = makeFile();
    const recent = new RecentFiles(Date.now());
    recent.noteUnread(file, stampOf(file));
    assert(!isChanged(recent, file));
    save(path, "two");
    assert(isChanged(recent, file));
  });

  it("what is gone or cannot be statted may have changed, unless that was so when it was read", () => {
    const { file, path } = makeFile();
    const other = makeFile();
    const recent = new RecentFiles(Date.now());
    const isChangedUnseen = () => recent.changedSincePass().isChanged(file, undefined);
    assert(isChangedUnseen());
    recent.noteUnread(other.file, undefined);
    assert(isChangedUnseen());
    recent.noteUnread(file, undefined);
    assert(!isChangedUnseen());
    recent.note(file, statSync(path));
    assert(isChangedUnseen(), "it was read since");
  });

  it("a pass that begins looks for what changes from then on", () => {
    const { file } = makeFile();
    const recent = new RecentFiles(Date.now());
    const first = recent.changedSincePass();
    recent.beginPass(Date.now() + hourMs);
    assert(first.isChanged(file, stampOf(file)));
    assert(!isChanged(recent, file));
  });
});
