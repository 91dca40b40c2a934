import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecentRate } from "../../../src/model/progress/recent-rate.js";

/** Counts noted at these seconds, and the rate at the last of them. */
function rateOf(noted: readonly (readonly [second: number, count: number])[]): number {
  const rate = new RecentRate();
  for (const [second, count] of noted) rate.note(1000 * second, count);
  const [second = 0, count = 0] = noted.at(-1) ?? [];
  return rate.perSecond(1000 * second, count);
}

/** A count at each second, from the first on. */
const steadily = (seconds: number, perSecond: number, from = 0, counted = 0) =>
  Array.from({ length: seconds + 1 }, (_, at) => [from + at, counted + at * perSecond] as const);

describe("recent-rate", () => {
  const rows: readonly (readonly [
    name: string,
    noted: [number, number][] | readonly (readonly [number, number])[],
    rate: number,
  ])[] = [
    ["nothing noted", [], 0],
    ["no time yet", [[0, 0]], 0],
    [
      "one second",
      [
        [0, 0],
        [1, 50],
      ],
      50,
    ],
    [
      "the first count is no growth",
      [
        [0, 700],
        [2, 800],
      ],
      50,
    ],
    ["steady for a minute", steadily(60, 1000), 1000],
    [
      "a minute at 1,000/s, then 10 s at 100/s",
      [...steadily(60, 1000), ...steadily(10, 100, 60, 60_000).slice(1)],
      100,
    ],
    ["a minute at 1,000/s, then a stall of 10 s", [...steadily(60, 1000), ...steadily(10, 0, 60, 60_000).slice(1)], 0],
    ["a stall of 5 s counts by half", [...steadily(60, 1000), ...steadily(5, 0, 60, 60_000).slice(1)], 500],
    [
      "asked once a minute",
      [
        [0, 0],
        [60, 600],
        [120, 6600],
      ],
      100,
    ],
    [
      "a count that is taken back",
      [
        [0, 100],
        [1, 0],
      ],
      0,
    ],
  ];
  for (const [name, noted, rate] of rows) it(name, () => assert.equal(rateOf(noted), rate));

  it("a count noted every millisecond costs no memory and gives the same rate", () => {
    const rate = new RecentRate();
    for (let ms = 0; ms <= 30_000; ms++) rate.note(ms, ms);
    assert.equal(Math.round(rate.perSecond(30_000, 30_000)), 1000);
  });
});
