import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { binary } from "../process/command.js";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import { newestOf } from "./provide-node.js";

const rows: readonly (readonly [name: string, versions: readonly string[], newest: string])[] = [
  ["the last of several", ["20.1.0", "20.2.0"], "20.2.0"],
  ["by number, not by letter", ["20.10.0", "20.9.0", "20.9.11"], "20.10.0"],
  ["by patch too", ["20.9.2", "20.9.11", "20.9.9"], "20.9.11"],
  ["no other major", ["2.99.0", "20.1.0", "22.0.0", "200.0.0"], "20.1.0"],
  ["no release candidate", ["20.1.0", "20.2.0-rc.1", "20.2.0-1"], "20.1.0"],
];
for (const [name, versions, newest] of rows) {
  test(`the newest Node 20: ${name}`, () => assert.equal(newestOf(20, versions), newest));
}

test("a major version without a release is an error", () => {
  assert.throws(() => newestOf(20, ["22.0.0", "20.0.0-rc.1"]), /no release of Node 20$/);
});

test("the binary, started by its name, runs on the first node of the PATH", () => {
  const folder = makeTemporaryDirectory();
  writeFileSync(join(folder, "node"), '#!/bin/sh\necho "$0 $*"\n', { mode: 0o755 });
  const environment = { PATH: [folder, process.env["PATH"]].join(delimiter) };
  const written = execFileSync(binary, ["--version"], { env: environment, encoding: "utf8" });
  assert.equal(written, `${join(folder, "node")} ${binary} --version\n`);
});
