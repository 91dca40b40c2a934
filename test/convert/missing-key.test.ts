import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { explainMissing, isCoveredByMark } from "../../src/convert/missing-key.js";

const markMs = Date.UTC(2026, 0, 10) + 123.5;
const second = Math.floor(markMs / 1000) * 1000;
const stampOf = (mtimeMs: number, ctimeMs = mtimeMs) => ({ dev: 1, ino: 1, size: 1, mtimeMs, ctimeMs });

describe("missing-key: a mark covers only files that were there, as they are, when its main pass began (spec.md section 4, Logouts)", () => {
  const rows: readonly (readonly [name: string, mtimeMs: number, ctimeMs: number, covered: boolean])[] = [
    ["long before", markMs - 86_400_000, markMs - 86_400_000, true],
    ["a clock tick before", markMs - 50, markMs - 50, true],
    ["less than a clock tick before: doubt writes", markMs - 49.75, markMs - 49.75, false],
    ["at the same instant", markMs, markMs, false],
    ["after it", markMs + 1, markMs + 1, false],
    ["modified after it by its mtime alone", markMs + 1, markMs - 1000.5, false],
    ["put there after it with an old mtime: its ctime tells", markMs - 86_400_000.5, markMs + 1, false],
    ["mtime in whole seconds: steps of two", second - 2000, markMs - 1000.5, true],
    ["mtime in whole seconds, less than a step before", second - 1000, markMs - 1000.5, false],
    ["ctime in whole seconds, less than a step before", markMs - 5000.5, second - 1000, false],
    ["both in whole seconds, two steps before", second - 4000, second - 4000, true],
    ["modified in the far future", markMs * 2, markMs - 1000.5, false],
  ];
  for (const [name, mtimeMs, ctimeMs, covered] of rows)
    it(name, () => assert.equal(isCoveredByMark(stampOf(mtimeMs, ctimeMs), markMs), covered));

  it("whatever the times: no file is covered that any of its times shows to be later", () => {
    const time = fc.double({ min: -10_000, max: 10_000, noNaN: true }).map((offset) => markMs + offset);
    fc.assert(
      fc.property(time, time, (mtimeMs, ctimeMs) => {
        if (isCoveredByMark(stampOf(mtimeMs, ctimeMs), markMs)) {
          assert(mtimeMs <= markMs - 50 && ctimeMs <= markMs - 50);
        }
      }),
    );
  });
});

describe("missing-key: expired once the mark plus the full lifetime is past, ended before (Verify)", () => {
  const lifetimeMs = 10_800_000;
  const rows: readonly (readonly [name: string, nowMs: number, expected: "expired" | "ended"])[] = [
    ["just after the mark", markMs + 1, "ended"],
    ["a millisecond before its end", markMs + lifetimeMs - 1, "ended"],
    ["at its end", markMs + lifetimeMs, "expired"],
    ["long after it", markMs + 10 * lifetimeMs, "expired"],
  ];
  for (const [name, nowMs, expected] of rows)
    it(name, () => assert.equal(explainMissing(markMs, lifetimeMs, nowMs), expected));
});
