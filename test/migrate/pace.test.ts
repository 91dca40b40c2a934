import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { batchSizeFor, makePace } from "../../src/migrate/pace.js";

/** A pace on a clock that only its own waits, and the test, move on. */
function paceOf(perSecond: number | null) {
  let nowMs = 1000;
  const waits: number[] = [];
  const pace = makePace(
    perSecond,
    async (milliseconds) => {
      waits.push(milliseconds);
      nowMs += milliseconds;
    },
    () => nowMs,
  );
  const pass = (milliseconds: number) => {
    nowMs += milliseconds;
  };
  return { pace, waits, pass, now: () => nowMs };
}

describe("pace: --max-rate", () => {
  it("no limit: no wait", async () => {
    const { pace, waits } = paceOf(null);
    for (let batch = 0; batch < 5; batch++) await pace(1000);
    assert.deepEqual(waits, []);
  });

  it("the first batch at once, each other once the one before it has had its time", async () => {
    const { pace, waits } = paceOf(100);
    await pace(50);
    await pace(10);
    await pace(1);
    assert.deepEqual(waits, [500, 100]);
  });

  it("time that the work took counts", async () => {
    const { pace, waits, pass } = paceOf(100);
    await pace(50);
    pass(400);
    await pace(10);
    assert.deepEqual(waits, [100]);
  });

  it("what was not used is not saved up", async () => {
    const { pace, waits, pass } = paceOf(100);
    await pace(50);
    pass(60_000);
    await pace(50);
    await pace(50);
    assert.deepEqual(waits, [500]);
  });

  it("several that ask at a time wait one behind the other", async () => {
    const waits: number[] = [];
    const pace = makePace(
      100,
      async (milliseconds) => void waits.push(milliseconds),
      () => 1000,
    );
    await Promise.all([pace(50), pace(50), pace(50)]);
    assert.deepEqual(waits, [500, 1000]);
  });

  it("a batch of none needs no time", async () => {
    const { pace, waits } = paceOf(1);
    for (let batch = 0; batch < 5; batch++) await pace(0);
    assert.deepEqual(waits, []);
  });

  it("whatever the batches and pauses: never faster than the rate, never slower than needed", async () => {
    const step = fc.record({ sessions: fc.nat(500), idleMs: fc.nat(3000) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2000 }),
        fc.array(step, { minLength: 1, maxLength: 30 }),
        async (perSecond, steps) => {
          const { pace, pass, now } = paceOf(perSecond);
          let mayBeginMs = now();
          for (const { sessions, idleMs } of steps) {
            const earliestMs = Math.max(mayBeginMs, now());
            await pace(sessions);
            assert(Math.abs(now() - earliestMs) < 0.001, `began at ${now()}, not at ${earliestMs}`);
            mayBeginMs = now() + (sessions / perSecond) * 1000;
            pass(idleMs);
          }
        },
      ),
    );
  });
});

describe("pace: batches small enough that a rate is kept within a quarter of a second", () => {
  for (const [perSecond, largest, expected] of [
    [null, 256, 256],
    [100_000, 256, 256],
    [1024, 256, 256],
    [1000, 256, 250],
    [7, 256, 1],
    [8, 256, 2],
    [1, 256, 1],
    [0.5, 256, 1],
  ] as const) {
    it(`${perSecond ?? "no limit"}: ${expected}`, () => assert.equal(batchSizeFor(perSecond, largest), expected));
  }
});
