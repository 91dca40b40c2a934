import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { wrapText } from "../../src/report/wrap-text.js";

describe("text wrapped at words", () => {
  const rows: readonly (readonly [name: string, args: Parameters<typeof wrapText>, lines: string])[] = [
    ["what fits stays", ["a  ", "bc", 5], "a  bc"],
    ["no text", ["a  ", "", 5], "a"],
    ["below where it began", ["Next  ", "one two three four five", 26], "Next  one two three four\n      five"],
    ["at another indent", ["  ", "one two three four five six", 24, 4], "  one two three four\n    five six"],
    [
      "no room beside the head: all of it below",
      ["in Redis      1,204,230   ", "1,190,004 copied now", 40],
      "in Redis      1,204,230\n      1,190,004 copied now",
    ],
    [
      "a word that is too long is not cut",
      ["", "see /srv/a/very/long/path/without/a/blank", 24],
      "see\n/srv/a/very/long/path/without/a/blank",
    ],
  ];
  for (const [name, args, lines] of rows) it(name, () => assert.equal(wrapText(...args), lines));
});
