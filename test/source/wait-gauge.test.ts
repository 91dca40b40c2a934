import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WaitGauge } from "../../src/source/wait-gauge.js";

/** A gauge on whose clock the calls take these milliseconds. */
function gaugeOf(...milliseconds: readonly number[]): WaitGauge {
  let nowMs = 0;
  const gauge = new WaitGauge(() => nowMs);
  for (const each of milliseconds) {
    gauge.time(() => {
      nowMs += each;
    });
  }
  return gauge;
}

const calls = (count: number, milliseconds: number): number[] => Array(count).fill(milliseconds);

describe("wait-gauge: whether calls wait, from how long they take (design.md section 2)", () => {
  const rows: readonly (readonly [name: string, milliseconds: readonly number[], waits: boolean])[] = [
    ["a warm local disk", calls(1000, 0.01), false],
    ["as long as they may take", calls(1000, 0.25), false],
    ["a network", calls(32, 2), true],
    ["too few to tell", calls(31, 2), false],
    ["the first ones alone, while the program warms up", [...calls(16, 2), ...calls(500, 0.01)], false],
    [
      "a busy processor: a few long ones",
      Array.from({ length: 1000 }, (_, at) => (at % 10 === 0 ? 10 : 0.01)),
      false,
    ],
    ["a cold disk: every fourth", Array.from({ length: 32 }, (_, at) => (at % 4 === 0 ? 1 : 0.01)), true],
    ["one that was waited for and is quick now", [...calls(32, 2), ...calls(500, 0.01)], true],
    ["one that is waited for only later", [...calls(512, 0.01), ...calls(128, 2)], true],
  ];
  for (const [name, milliseconds, waits] of rows) {
    it(`${name}: ${waits ? "they wait" : "they do not"}`, () => {
      assert.equal(gaugeOf(...milliseconds).waits, waits);
    });
  }

  it("gives back what the call gave, and throws what it threw", () => {
    const gauge = new WaitGauge();
    assert.equal(
      gauge.time(() => 7),
      7,
    );
    assert.throws(() =>
      gauge.time(() => {
        throw new Error("thrown");
      }),
    );
  });
});
