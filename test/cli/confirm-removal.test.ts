import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { Asked } from "../../src/cli/ask-person.js";
import { confirmRemoval } from "../../src/cli/confirm-removal.js";
import { parseCommandLine } from "../../src/cli/program.js";
import { SettingsError, SourceError } from "../../src/model/errors.js";
import { resolveCommandSettings } from "../../src/settings/resolve-options.js";
import { waitUntil } from "../end-to-end/support/wait-until.js";
import { memoryFiles } from "../support/memory-files.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

/** A directory of so many session files, and of what is none. */
function directoryOf(count: number): string {
  const directory = makeTemporaryDirectory();
  for (let index = 0; index < count; index++) {
    const sid = index.toString(16).padStart(40, "a");
    if (index % 2 === 0) writeFileSync(join(directory, `werkzeug_${sid}.sess`), "x");
    else {
      mkdirSync(join(directory, "aa"), { recursive: true });
      writeFileSync(join(directory, "aa", sid), "x");
    }
  }
  writeFileSync(join(directory, "a stranger"), "x");
  return directory;
}

function settingsOf(...flags: readonly string[]) {
  const invocation = parseCommandLine(["purge", ...flags], { version: "0", columns: 100 });
  assert(invocation.kind === "purge");
  return resolveCommandSettings("purge", invocation.typed, { HOME: "/home/tele" }, memoryFiles({}));
}

/** A person in front of a terminal, or where there is none. */
function person({ input = true, output = true } = {}) {
  const keyboard = Object.assign(new PassThrough(), { isTTY: input });
  const screen = Object.assign(new PassThrough(), { isTTY: output });
  let shown = "";
  screen.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  // Of a terminal nothing more is used than that it is one.
  const asked = { stdin: keyboard, terminal: screen } as unknown as Asked;
  return { asked, keyboard, shown: () => shown };
}

const running = new AbortController().signal;

/** Has a person who types that asked about a directory; gives back what they saw. */
async function answer(directory: string, typed: string, end = false): Promise<string> {
  const { asked, keyboard, shown } = person();
  const confirming = confirmRemoval(settingsOf("--unverified", "--session-dir", directory), asked, running);
  const settled = confirming.then(
    () => undefined,
    (error: unknown) => error,
  );
  await waitUntil("the question is shown", () => shown().endsWith("go on: "));
  keyboard.write(typed);
  if (end) keyboard.end();
  const error = await settled;
  if (error !== undefined) throw error;
  return shown();
}

describe("confirm-removal: --unverified needs --yes or a typed confirmation (spec.md section 4, Purge)", () => {
  for (const [name, typed] of [
    ["the word", "remove\n"],
    ["the word, with what a terminal puts around it", "  remove \r\n"],
    ["the word and more lines", "remove\nno\n"],
  ] as const) {
    it(`${name}: confirmed, after a question that says how many files and where`, async () => {
      const directory = directoryOf(3);
      assert.equal(
        await answer(directory, typed),
        `This removes 3 session files in ${directory} without asking whether Redis holds them.\n` +
          'Type "remove" to go on: ',
      );
    });
  }

  it("one file is a session file", async () =>
    assert.match(await answer(directoryOf(1), "remove\n"), /^This removes 1 session file in /));

  for (const [name, typed, end] of [
    ["nothing", "\n", false],
    ["yes", "yes\n", false],
    ["the word in capitals", "REMOVE\n", false],
    ["more than the word", "remove them\n", false],
    ["the word in the second line", "no\nremove\n", false],
    ["the end of the input", "", true],
    ["half the word, then the end of the input", "rem", true],
  ] as const) {
    it(`${name}: not confirmed`, async () => {
      await assert.rejects(answer(directoryOf(1), typed, end), {
        name: "SettingsError",
        message: "not confirmed: nothing was removed",
      });
    });
  }

  it("a stop while it waits: not confirmed, at once", async () => {
    const { asked, shown } = person();
    const controller = new AbortController();
    const settings = settingsOf("--unverified", "--session-dir", directoryOf(1));
    const refused = assert.rejects(confirmRemoval(settings, asked, controller.signal), SettingsError);
    await waitUntil("the question is shown", () => shown().endsWith("go on: "));
    controller.abort();
    await refused;
  });

  it("a directory that is missing is no question", async () => {
    const { asked, shown } = person();
    const settings = settingsOf("--unverified", "--session-dir", join(directoryOf(0), "missing"));
    await assert.rejects(
      confirmRemoval(settings, asked, running),
      (error) => error instanceof SettingsError || error instanceof SourceError,
    );
    assert.equal(shown(), "");
  });
});

describe("confirm-removal: where nobody is to be asked", () => {
  for (const [name, flag] of [
    ["--yes confirms beforehand", "--yes"],
    ["--dry-run needs none", "--dry-run"],
  ] as const) {
    it(`${name}: no question, with and without a terminal`, async () => {
      const settings = settingsOf("--unverified", "--session-dir", directoryOf(1), flag);
      for (const terminal of [person(), person({ input: false, output: false })]) {
        await confirmRemoval(settings, terminal.asked, running);
        assert.equal(terminal.shown(), "");
      }
    });
  }

  for (const [name, terminal] of [
    ["the input is no terminal", { input: false }],
    ["the output is no terminal", { output: false }],
    ["neither is", { input: false, output: false }],
  ] as const) {
    it(`${name}: refused, naming --yes`, async () => {
      const { asked, shown } = person(terminal);
      const settings = settingsOf("--unverified", "--session-dir", directoryOf(1));
      await assert.rejects(confirmRemoval(settings, asked, running), {
        name: "SettingsError",
        message: "--unverified needs --yes if there is no terminal to ask on",
      });
      assert.equal(shown(), "");
    });
  }
});
