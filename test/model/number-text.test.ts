import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesText, countOf, countText, durationText } from "../../src/model/number-text.js";

describe("number-text", () => {
  for (const [count, text] of [
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [2_600_000, "2,600,000"],
    [1234.5, "1,235"],
  ] as const)
    it(`countText ${count}`, () => assert.equal(countText(count), text));

  for (const [count, text] of [
    [0, "0 sessions"],
    [1, "1 session"],
    [2, "2 sessions"],
    [12_000, "12,000 sessions"],
  ] as const)
    it(`countOf ${count}`, () => assert.equal(countOf(count, "session"), text));

  for (const [seconds, text] of [
    [0, "0.0 s"],
    [0.44, "0.4 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [12, "12 s"],
    [59.4, "59 s"],
    [59.6, "1 min 0 s"],
    [185, "3 min 5 s"],
    [3599.6, "1 h 0 min"],
    [4800, "1 h 20 min"],
    [100_000, "27 h 46 min"],
  ] as const)
    it(`durationText ${seconds}`, () => assert.equal(durationText(seconds), text));

  for (const [bytes, text] of [
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [5 * 2 ** 30, "5.0 GiB"],
    [918 * 2 ** 20, "918 MiB"],
    [1023.6 * 2 ** 20, "1.0 GiB"],
    [99.96 * 2 ** 20, "100 MiB"],
    [2 ** 53, "8192 TiB"],
  ] as const)
    it(`bytesText ${bytes}`, () => assert.equal(bytesText(bytes), text));
});
