import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SourceError } from "../../src/model/errors.js";
import { directoryPlaces, lastingIdentityOf } from "../../src/source/file-identity.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

describe("directory-places: what a directory is known by", () => {
  it("its path and its inode, wherever it is mounted", () => {
    const directory = makeTemporaryDirectory();
    assert.deepEqual(directoryPlaces([directory]), [directory, `inode ${statSync(directory).ino}`]);
  });

  it("its own identity stays, whatever is done to it and in it, also at another path", () => {
    const directory = join(makeTemporaryDirectory(), "s");
    mkdirSync(directory);
    const identity = lastingIdentityOf(directory);
    writeFileSync(join(directory, "file"), "");
    utimesSync(directory, 1, 1);
    chmodSync(directory, 0o700);
    renameSync(directory, `${directory}2`);
    assert.equal(lastingIdentityOf(`${directory}2`), identity);
  });

  it("which is its inode and when it was made, or 0 where the file system does not say", () => {
    const directory = makeTemporaryDirectory();
    const { ino, birthtimeNs } = statSync(directory, { bigint: true });
    assert.equal(lastingIdentityOf(directory), `${ino} ${birthtimeNs}`);
  });

  it("one that is gone: a SourceError", () =>
    assert.throws(() => lastingIdentityOf(join(makeTemporaryDirectory(), "none")), SourceError));
});
