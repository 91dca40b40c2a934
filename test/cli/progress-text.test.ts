import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { progressText } from "../../src/cli/progress-text.js";

describe("progress-text", () => {
  const rows = [
    ["the start", 100, 0, 0, 0, "0 of 100 sessions, 0/s"],
    ["no time yet", 100, 5, 0, 0, "5 of 100 sessions, 0/s"],
    ["nothing yet", 100, 0, 0, 3, "0 of 100 sessions, 0/s"],
    ["under way", 100_000, 12_000, 0, 2, "12,000 of 100,000 sessions, 6,000/s, 15 s left"],
    ["with failures", 100, 50, 3, 5, "50 of 100 sessions, 10/s, 5.0 s left, 3 failed"],
    ["the end", 100, 100, 0, 5, "100 of 100 sessions, 20/s"],
    ["more than were counted", 100, 120, 0, 6, "120 of 100 sessions, 20/s"],
  ] as const;
  for (const [name, total, done, failed, seconds, text] of rows)
    it(name, () => assert.equal(progressText({ doing: "copying", total }, { done, failed, seconds }), text));
});
