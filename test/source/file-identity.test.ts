import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SourceError } from "../../src/model/errors.js";
import { directoryPlaces, lastingIdentityOf } from "../../src/source/file-identity.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

describe("file-identity: how directories are recognised", () => {
  it("by path and inode, wherever it is mounted", () => {
    const directory = makeTemporaryDirectory();
    assert.deepEqual(directoryPlaces([directory]), [directory, `inode ${statSync(directory).ino}`]);
  });

  it("the lasting identity stays, whatever changes in it, even at another path", () => {
    const directory = join(makeTemporaryDirectory(), "s");
    mkdirSync(directory);
    const identity = lastingIdentityOf(directory);
    writeFileSync(join(directory, "file"), "");
    utimesSync(directory, 1, 1);
    chmodSync(directory, 0o700);
    renameSync(directory, `${directory}2`);
    assert.equal(lastingIdentityOf(`${directory}2`), identity);
  });

  it("it is the inode and the birth time, 0 if unknown", () => {
    const directory = makeTemporaryDirectory();
    const { ino, birthtimeNs } = statSync(directory, { bigint: true });
    assert.equal(lastingIdentityOf(directory), `${ino} ${birthtimeNs}`);
  });

  it("a directory that is gone: a SourceError", () =>
    assert.throws(() => lastingIdentityOf(join(makeTemporaryDirectory(), "none")), SourceError));
});
