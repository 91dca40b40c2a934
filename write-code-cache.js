import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "./bin/load.js";

/** Sessions of both formats. */
const json = '{"db": "d", "uid": 1, "login": "l", "context": {"lang": "en_US"}, "debug": ""}';
const pickle = "\x80\x02}q\0(X\x02\0\0\0dbq\x01X\x01\0\0\0dq\x02X\x03\0\0\0uidq\x03K\x01u.";
/** Nothing listens there: a Redis need not run where the package is built. */
const unusedPort = "1";

const program = load(fileURLToPath(new URL("dist/cli/main.js", import.meta.url)));

/** Runs the program, so that V8 compiles what most runs need, and saves the code. */
async function writeCodeCache() {
  const directory = mkdtempSync(join(tmpdir(), "tele-sessions-"));
  try {
    writeFileSync(join(directory, `werkzeug_${"0".repeat(40)}.sess`), json);
    writeFileSync(join(directory, `werkzeug_${"1".repeat(40)}.sess`), pickle, "latin1");
    const place = ["--session-dir", directory];
    await expectExit(0, ["--help"]);
    await expectExit(0, ["inspect", ...place]);
    await expectExit(3, ["check", ...place, "--port", unusedPort]);
    await expectExit(3, ["copy", ...place, "--port", unusedPort]);
  } finally {
    rmSync(directory, { recursive: true });
  }
  program.saveCode();
}

/**
 * Runs a command line in this process, without a word.
 * @param {number} exitCode
 * @param {readonly string[]} commandLine
 */
async function expectExit(exitCode, commandLine) {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map(({ write }) => write);
  for (const stream of streams) stream.write = () => true;
  await program.exports.main(commandLine);
  streams.forEach((stream, index) => {
    if (writes[index] !== undefined) stream.write = writes[index];
  });
  const ended = process.exitCode;
  process.exitCode = 0;
  if (ended !== exitCode) throw new Error(`${commandLine.join(" ")} ended with ${ended}, not ${exitCode}`);
}

await writeCodeCache();
