import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";

const target = "dist-executable";
const executable = join(target, "tele-sessions");
/** What whoever hands it on hands on too. */
const licences = "third-party-licenses.txt";
/** What the program reads from its package. */
const files = ["main.js", "main.js.code", "serve-reader.js"];
/** Node looks for the blob, and for this mark, which says that there is one. */
const resource = { name: "NODE_SEA_BLOB", fuse: "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2" };

/**
 * Makes one file of the Node that runs this and of the package: it runs where no Node is. Node
 * starts `bin/tele-sessions.js` in it, and `bin/load.js` finds the files of `dist` as assets.
 * @param {string} place
 */
async function makeExecutable(place) {
  const main = join(place, "main.js");
  const bundle = await rolldown({ input: "bin/tele-sessions.js", platform: "node" });
  await bundle.write({ file: main, format: "cjs" });

  const [config, blob] = [join(place, "config.json"), join(place, "blob")];
  const assets = Object.fromEntries(files.map((name) => [name, join("dist", "cli", name)]));
  const settings = { main, output: blob, assets, disableExperimentalSEAWarning: true };
  writeFileSync(config, JSON.stringify(settings));
  call(process.execPath, "--experimental-sea-config", config);

  mkdirSync(target, { recursive: true });
  copyFileSync(join("dist", licences), join(target, licences));
  copyFileSync(process.execPath, executable);
  call("node_modules/.bin/postject", executable, resource.name, blob, "--sentinel-fuse", resource.fuse);
}

/**
 * Runs a program without a word, unless it fails.
 * @param {string} program
 * @param {readonly string[]} args
 */
function call(program, ...args) {
  execFileSync(program, args, { stdio: "pipe" });
}

const place = mkdtempSync(join(tmpdir(), "tele-sessions-"));
try {
  await makeExecutable(place);
} finally {
  rmSync(place, { recursive: true });
}
