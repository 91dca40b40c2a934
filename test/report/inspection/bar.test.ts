import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bar, percentText } from "../../../src/report/inspection/bar.js";

describe("a bar and its percentage", () => {
  const rows: readonly (readonly [part: number, whole: number, shown: string, percent: string])[] = [
    [0, 10, "..........", "0%"],
    [1, 1_000_000, "#.........", "<1%"],
    [5, 1000, "#.........", "1%"],
    [34, 100, "###.......", "34%"],
    [50, 100, "#####.....", "50%"],
    [996, 1000, "#########.", ">99%"],
    [999_999, 1_000_000, "#########.", ">99%"],
    [10, 10, "##########", "100%"],
    [0, 0, "..........", "0%"],
  ];
  for (const [part, whole, shown, percent] of rows)
    it(`${part} of ${whole}: ${shown} ${percent}`, () => {
      assert.equal(bar(part, whole, 10), shown);
      assert.equal(percentText(part, whole), percent);
    });
});
