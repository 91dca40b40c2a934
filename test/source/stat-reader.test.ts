import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { StatReader } from "../../src/source/stat-reader.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { slowProbe } from "./support/slow-probe.js";

for (const [kind, makeReader] of Object.entries({
  "one after the other": () => new StatReader(),
  "all at a time": () => new StatReader(slowProbe()),
})) {
  describe(`stat-reader, ${kind}: what stands at paths`, () => {
    const directory = makeTemporaryDirectory();
    writeFileSync(join(directory, "file"), "content");
    mkdirSync(join(directory, "folder"));
    symlinkSync("file", join(directory, "link"));
    symlinkSync("loop", join(directory, "loop"));
    chmodSync(join(directory, "file"), 0o600);
    const names = ["file", "missing", "folder", "link", "file/below", "loop/below"];
    const paths = names.map((name) => join(directory, name));

    it("in order, following no symlink; undefined for what cannot be statted", async () => {
      const statReader = makeReader();
      const stamps = await statReader.statAll(paths);
      assert.deepEqual(
        stamps.map((stamp) => stamp?.ino),
        ["file", undefined, "folder", "link", undefined, undefined].map(
          (name) => name && lstatSync(join(directory, name)).ino,
        ),
      );
      assert.deepEqual(
        paths.map((path) => statReader.stat(path)?.ino),
        stamps.map((stamp) => stamp?.ino),
      );
    });

    it("whether something is there", async () => {
      assert.deepEqual(await makeReader().existAll(paths), [true, false, true, true, false, false]);
    });

    it("no paths: no results", async () => {
      assert.deepEqual([await makeReader().existAll([]), await makeReader().statAll([])], [[], []]);
    });
  });
}
