import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LatencyProbe } from "../../src/source/latency-probe.js";

/** A probe on whose clock the calls take these milliseconds. */
function probeOf(...milliseconds: readonly number[]): LatencyProbe {
  let nowMs = 0;
  const probe = new LatencyProbe(() => nowMs);
  for (const each of milliseconds) {
    probe.time(() => {
      nowMs += each;
    });
  }
  return probe;
}

const calls = (count: number, milliseconds: number): number[] => Array(count).fill(milliseconds);

describe("latency-probe: whether calls wait, from how long they take (design.md section 2)", () => {
  const rows: readonly (readonly [name: string, milliseconds: readonly number[], isSlow: boolean])[] = [
    ["a warm local disk", calls(1000, 0.01), false],
    ["as long as they may take", calls(1000, 0.25), false],
    ["a network", calls(32, 2), true],
    ["too few to tell", calls(31, 2), false],
    ["the first ones alone, while the program warms up", [...calls(16, 2), ...calls(500, 0.01)], false],
    ["a busy processor: a few long ones", Array.from({ length: 1000 }, (_, at) => (at % 10 === 0 ? 10 : 0.01)), false],
    ["a cold disk: every fourth", Array.from({ length: 32 }, (_, at) => (at % 4 === 0 ? 1 : 0.01)), true],
    ["one that was waited for and is quick now", [...calls(32, 2), ...calls(500, 0.01)], true],
    ["one that has been quick for long", [...calls(32, 2), ...calls(65_536, 0.01), ...calls(16, 0.01)], false],
    ["one that is waited for still", [...calls(32, 2), ...calls(65_536, 2), ...calls(16, 2)], true],
    ["one that is waited for only later", [...calls(512, 0.01), ...calls(128, 2)], true],
  ];
  for (const [name, milliseconds, isSlow] of rows) {
    it(`${name}: ${isSlow ? "they wait" : "they do not"}`, () => {
      assert.equal(probeOf(...milliseconds).isSlow, isSlow);
    });
  }

  it("gives back what the call gave, and throws what it threw", () => {
    const probe = new LatencyProbe();
    assert.equal(
      probe.time(() => 7),
      7,
    );
    assert.throws(() =>
      probe.time(() => {
        throw new Error("thrown");
      }),
    );
  });
});
