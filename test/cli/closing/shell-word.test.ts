import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { shellWord } from "../../../src/cli/closing/shell-word.js";

describe("a word that a shell reads back as it was", () => {
  const rows: readonly (readonly [word: string, shown: string])[] = [
    ["/var/lib/tele/sessions", "/var/lib/tele/sessions"],
    ["a b", "'a b'"],
    ["it's", "'it'\\''s'"],
    ["$(reboot)", "'$(reboot)'"],
    ["/srv/*", "'/srv/*'"],
    ["", "''"],
    ["a\u001b[31m\n'\\", "$'a\\x1b[31m\\x0a\\'\\\\'"],
    ["é", "$'\\xc3\\xa9'"],
  ];
  for (const [word, shown] of rows)
    it(JSON.stringify(word), () => {
      assert.equal(shellWord(word), shown);
      const read = execFileSync("bash", ["-c", `printf %s ${shown}`], { encoding: "utf8" });
      assert.equal(read, word);
    });
});
