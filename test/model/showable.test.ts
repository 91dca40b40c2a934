import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shortSid, showable, showablePath } from "../../src/model/showable.js";

const sid = "0123456789abcdef".repeat(3).slice(0, 40);

describe("showable: what may be shown (spec.md section 6)", () => {
  for (const [name, text, shown] of [
    ["plain text", "truncated at byte 3", "truncated at byte 3"],
    ["a sid", sid, "012345…"],
    ["a sid among words", `a ${sid} b`, "a 012345… b"],
    ["a flat file's name", `werkzeug_${sid}.sess`, "werkze….sess"],
    ["39 characters are not a sid", sid.slice(1), sid.slice(1)],
    ["control characters", "\u001b[2J\n\u0000ü", "\\u001b[2J\\u000a\\u0000\\u00fc"],
    ["long text", "a b ".repeat(100), `${"a b ".repeat(30)}…`],
  ] as const)
    it(name, () => assert.equal(showable(text), shown));

  it("no more than 6 characters of a sid, wherever it stands in the text", () => {
    for (let count = 0; count < 12; count++) {
      for (let gap = 0; gap < 60; gap++) {
        const shown = showable(`${`${"x".repeat(40)} `.repeat(count)}${" ".repeat(gap)}${sid}`);
        assert(!shown.includes(sid.slice(0, 7)), `${count} runs and ${gap} spaces before: ${shown}`);
      }
    }
  });

  it("a path is shown whole, except for sids", () =>
    assert.equal(showablePath(`/srv/${"ab/".repeat(100)}${sid}`), `/srv/${"ab/".repeat(100)}012345…`));

  it("a session is shown by 6 characters", () => assert.equal(shortSid(sid), "012345…"));
});
