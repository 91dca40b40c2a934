import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSetAsideName, setAsideName } from "../../../src/source/removal/set-aside-name.js";

const flat = `werkzeug_${"a1".padEnd(40, "0")}.sess`;
const scattered = "-_".padEnd(84, "Ab9-_");

describe("set-aside-name: a file's name during its removal (spec.md section 4, Purge)", () => {
  for (const name of [flat, scattered, "-", "a\nb", ".tele-sessions-1-0123456789abcdef-x"]) {
    it(`gives the process and the file's own name: ${JSON.stringify(name.slice(0, 12))}`, () => {
      assert.deepEqual(parseSetAsideName(setAsideName(name)), { pid: process.pid, name });
    });
  }

  it("is hidden, says whose it is, and fits in a file name", () => {
    for (const name of [flat, scattered]) {
      assert.match(setAsideName(name), /^\.tele-sessions-\d+-[0-9a-f]{16}-./);
      assert(setAsideName(name).length <= 255);
    }
  });

  it("is new each time, and cannot be predicted", () => {
    const digits = Array.from({ length: 5000 }, () => setAsideName("x").split("-")[3] ?? "");
    assert.equal(new Set(digits).size, digits.length);
    for (const length of [4, 12]) assert(new Set(digits.map((text) => text.slice(0, length))).size > 4000);
    for (const length of [4, 12]) assert(new Set(digits.map((text) => text.slice(-length))).size > 4000);
  });

  const strangers: readonly (readonly [name: string, text: string])[] = [
    ["a session file's own", flat],
    ["no file name after it", ".tele-sessions-12-0123456789abcdef-"],
    ["a shorter random part", `.tele-sessions-12-0123456789abcde-${flat}`],
    ["a longer random part", `.tele-sessions-12-0123456789abcdef0-${flat}`],
    ["upper-case digits", `.tele-sessions-12-0123456789ABCDEF-${flat}`],
    ["no process", `.tele-sessions--0123456789abcdef-${flat}`],
    ["a process that none is", `.tele-sessions-12345678901-0123456789abcdef-${flat}`],
    ["a negative process", `.tele-sessions--1-0123456789abcdef-${flat}`],
    ["something before it", `x.tele-sessions-12-0123456789abcdef-${flat}`],
    ["not hidden", `tele-sessions-12-0123456789abcdef-${flat}`],
    ["the name of spec.md alone", ".tele-sessions-12-0123456789abcdef"],
  ];
  for (const [name, text] of strangers) {
    it(`not ours: ${name}`, () => assert.equal(parseSetAsideName(text), undefined));
  }
});
