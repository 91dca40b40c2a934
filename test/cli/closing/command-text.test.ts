import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandText, sameCommandText } from "../../../src/cli/closing/command-text.js";
import { parseCommandLine } from "../../../src/cli/command-line/parse-command-line.js";
import { resolveRunOptions } from "../../../src/settings/resolve-options.js";
import { memoryFiles } from "../../support/memory-files.js";

/** The settings of a copy that was typed like that. */
function shown(...words: readonly string[]) {
  const invocation = parseCommandLine(["copy", ...words], "0", 80);
  assert(invocation.kind === "copy");
  const environment = { HOME: "/home/tele", TELE_SESSION_REDIS_PREFIX: "from-a-variable" };
  const machine = { ...memoryFiles({ "/pw": "hunter2" }), environment };
  return resolveRunOptions("copy", invocation.typed, machine).shown;
}

describe("a command line to paste: what was typed, as far as the next command takes it", () => {
  const rows: readonly (readonly [name: string, typed: readonly string[], verify: string])[] = [
    ["nothing typed", [], "tele-sessions verify"],
    [
      "directories and Redis",
      ["--session-dir", "/a", "--session-dir", "/b", "--host", "redis-1", "--db", "2", "--password-file", "/pw"],
      "tele-sessions verify --session-dir /a --session-dir /b --host redis-1 --db 2 --password-file /pw",
    ],
    [
      "keys and lifetimes, but nothing about the run itself",
      ["--prefix", "p", "--ttl", "remaining", "--dry-run", "--json", "--max-failed", "1%", "--again"],
      "tele-sessions verify --prefix p --ttl remaining",
    ],
    [
      "words that a shell would read otherwise",
      ["--session-dir", "/srv/*/it's here"],
      "tele-sessions verify --session-dir '/srv/*/it'\\''s here'",
    ],
    ["a URL", ["--url", "redis://r:1/2"], "tele-sessions verify --url redis://r:1/2"],
    [
      "a URL with a password",
      ["--url", "redis://:hunter2@r:1/2"],
      'tele-sessions verify --url "$TELE_SESSION_REDIS_URL"',
    ],
    ["a switch", ["--tls", "--allow-missing"], "tele-sessions verify --allow-missing --tls"],
  ];
  for (const [name, typed, verify] of rows) {
    it(name, () => assert.equal(commandText("verify", shown(...typed)), verify));
  }

  it("after a rehearsal: everything that was typed, without -n", () => {
    const typed = ["-n", "--session-dir", "/a", "--json", "--max-failed", "1%", "--on-conflict", "keep"];
    assert.equal(
      sameCommandText("copy", shown(...typed)),
      "tele-sessions copy --session-dir /a --on-conflict keep --max-failed 1% --json",
    );
  });
});
