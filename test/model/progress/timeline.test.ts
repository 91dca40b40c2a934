import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxSamples, Timeline } from "../../../src/model/progress/timeline.js";

/** A timeline whose clock a test sets, in seconds. */
function makeTimeline() {
  const clock = { seconds: 0 };
  return { clock, timeline: new Timeline(() => clock.seconds * 1000) };
}

describe("timeline: samples", () => {
  for (const [name, looks] of [
    ["a short run keeps every one", 50],
    ["as many as there is room for", maxSamples],
    ["one more", maxSamples + 1],
    ["a day, looked at ten times a second", 864_000],
  ] as const) {
    it(`${name}: never more than ${maxSamples}, evenly over the whole run`, () => {
      const { clock, timeline } = makeTimeline();
      timeline.enter("copying", () => clock.seconds * 1000);
      for (let look = 1; look <= looks; look++) {
        clock.seconds = look / 10;
        timeline.sample();
        assert.ok(timeline.samples.length <= maxSamples);
      }
      timeline.end();
      const { samples } = timeline;
      assert.ok(samples.length >= Math.min(looks, maxSamples / 2 - 1));
      assert.equal(samples.at(-1)?.seconds, looks / 10);
      const gaps = samples.slice(1).map(({ seconds }, index) => seconds - (samples[index]?.seconds ?? 0));
      assert.ok(Math.max(...gaps) <= 5 * (looks / 10 / Math.min(looks, maxSamples)), `${Math.max(...gaps)}`);
      for (const { seconds, sessions } of samples) assert.equal(sessions, seconds * 1000);
    });
  }

  it("what phases do adds up, wherever their counts begin", () => {
    const { clock, timeline } = makeTimeline();
    for (const [before, after] of [
      [0, 10],
      [10, 10],
      [100, 107],
    ] as const) {
      let done: number = before;
      timeline.enter("copying", () => done);
      done = after;
      clock.seconds++;
      timeline.sample();
    }
    timeline.end();
    assert.deepEqual(
      timeline.samples.map(({ sessions }) => sessions),
      [10, 10, 17, 17],
    );
  });
});

describe("timeline: phases and marks", () => {
  it("a phase that comes again adds to its time; what lies between belongs to none", () => {
    const { clock, timeline } = makeTimeline();
    for (const [name, seconds] of [
      ["listing", 1],
      ["copying", 5],
      ["finishing", 2],
      ["copying", 3],
    ] as const) {
      timeline.enter(name);
      clock.seconds += seconds;
    }
    timeline.end();
    clock.seconds += 9;
    assert.deepEqual(timeline.phases, [
      { name: "listing", seconds: 1 },
      { name: "copying", seconds: 8 },
      { name: "finishing", seconds: 2 },
    ]);
  });

  it("marks stand at their instants, and very many take no more room", () => {
    const { clock, timeline } = makeTimeline();
    clock.seconds = 3;
    timeline.mark("redis-away");
    assert.deepEqual(timeline.marks, [{ seconds: 3, kind: "redis-away" }]);
    for (let index = 0; index < 10_000; index++) timeline.mark("redis-back");
    assert.equal(timeline.marks.length, 200);
  });
});
