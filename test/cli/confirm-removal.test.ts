import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { parseCommandLine } from "../../src/cli/command-line/parse-command-line.js";
import { type Asked, confirmUnverified } from "../../src/cli/confirm-removal.js";
import { SettingsError } from "../../src/model/errors.js";
import { newScanTally } from "../../src/model/session-file.js";
import { resolveRunOptions } from "../../src/settings/resolve-options.js";
import type { Listing } from "../../src/source/list-sessions.js";
import { waitUntil } from "../end-to-end/support/wait-until.js";
import { memoryFiles } from "../support/memory-files.js";

/** What the run listed before. */
const listingOf = (count: number): Listing => ({
  directories: [
    { directory: "/srv/a", count, ofAllShards: count, sample: [], folders: [], tally: newScanTally() },
    { directory: "/srv/b", count: 0, ofAllShards: 0, sample: [], folders: [], tally: newScanTally() },
  ],
  count,
  ofAllShards: count,
  selected: count,
  isComplete: true,
});

function optionsOf(...flags: readonly string[]) {
  const invocation = parseCommandLine(["purge", ...flags], "0", 100);
  assert(invocation.kind === "purge");
  const machine = { ...memoryFiles({}), environment: { HOME: "/home/tele" } };
  return resolveRunOptions("purge", invocation.typed, machine);
}

/** A person at a terminal, or without one. */
function person({ input = true, output = true } = {}) {
  const keyboard = Object.assign(new PassThrough(), { isTTY: input });
  const screen = Object.assign(new PassThrough(), { isTTY: output });
  let shown = "";
  screen.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  // The code under test only asks whether a stream is a terminal.
  const asked = { stdin: keyboard, terminal: screen } as unknown as Asked;
  return { asked, keyboard, shown: () => shown };
}

const running = new AbortController().signal;

const unverified = ["--unverified", "--session-dir", "/srv/a"];

/** Asks a person about so many files, who types `typed`. Returns what they saw. */
async function answer(count: number, typed: string, end = false): Promise<string> {
  const { asked, keyboard, shown } = person();
  const confirming = confirmUnverified(optionsOf(...unverified), listingOf(count), asked, running);
  const settled = confirming.then(
    () => undefined,
    (error: unknown) => error,
  );
  await waitUntil("the question is shown", () => shown().endsWith("--yes): "));
  keyboard.write(typed);
  if (end) keyboard.end();
  const error = await settled;
  if (error !== undefined) throw error;
  return shown();
}

describe("confirm-removal: --unverified needs --yes or a typed confirmation (spec.md section 4, Purge)", () => {
  for (const [name, typed] of [
    ["the word", "remove\n"],
    ["the word with white space around it", "  remove \r\n"],
    ["the word and more lines", "remove\nno\n"],
  ] as const) {
    it(`${name}: confirmed; the question says how many files, and where`, async () =>
      assert.equal(
        await answer(3, typed),
        "This removes the session files in /srv/a (3), /srv/b (0) without asking whether\n" +
          "Redis holds them.\n\n" +
          "  ! Users whose sessions are not in Redis are logged out.\n\n" +
          'Type "remove" to begin (or give --yes): ',
      ));
  }

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
      await assert.rejects(answer(1, typed, end), {
        name: "SettingsError",
        message: "not confirmed: nothing was removed",
      });
    });
  }

  it("a stop during the question: not confirmed, at once", async () => {
    const { asked, shown } = person();
    const controller = new AbortController();
    const confirming = confirmUnverified(optionsOf(...unverified), listingOf(1), asked, controller.signal);
    const refused = assert.rejects(confirming, SettingsError);
    await waitUntil("the question is shown", () => shown().endsWith("--yes): "));
    controller.abort();
    await refused;
  });
});

describe("confirm-removal: without a question", () => {
  for (const [name, flag] of [
    ["--yes confirms in advance", "--yes"],
    ["--dry-run needs no confirmation", "--dry-run"],
  ] as const) {
    it(`${name}, with and without a terminal`, async () => {
      const options = optionsOf(...unverified, flag);
      for (const terminal of [person(), person({ input: false, output: false })]) {
        await confirmUnverified(options, listingOf(1), terminal.asked, running);
        assert.equal(terminal.shown(), "");
      }
    });
  }

  for (const [name, terminal] of [
    ["stdin is not a terminal", { input: false }],
    ["stderr is not a terminal", { output: false }],
    ["neither is a terminal", { input: false, output: false }],
  ] as const) {
    it(`${name}: refused, naming --yes`, async () => {
      const { asked, shown } = person(terminal);
      await assert.rejects(confirmUnverified(optionsOf(...unverified), listingOf(1), asked, running), {
        name: "SettingsError",
        message: "--unverified must be confirmed, and there is no terminal to ask on: add --yes",
      });
      assert.equal(shown(), "");
    });
  }
});
