import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ledger } from "../../src/model/ledger.js";
import { outcomesOf } from "../../src/model/outcome.js";
import type { Allowance } from "../../src/model/run-options.js";
import { newRunRecord, type RunRecord, tooManyFailed } from "../../src/model/run-record.js";

/** How many sessions a pass found, and how many of them failed. */
type PassCounts = readonly [found: number, failed: number];

function ledgerOf([found, failed]: PassCounts): Ledger {
  const ledger = new Ledger();
  for (let index = 0; index < found; index++)
    ledger.record({ sid: "s", kind: index < failed ? "failed" : "copied", bytesRead: 0, bytesWritten: 0 }, "/srv/s");
  return ledger;
}

function recordOf([main = [0, 0], ...later]: readonly PassCounts[]): RunRecord {
  return {
    ...newRunRecord(outcomesOf.copy),
    ledger: ledgerOf(main),
    laterPasses: later.map(ledgerOf),
  };
}

describe("run-record: more sessions failed than --max-failed allows, in any pass (spec.md section 5, exit 1)", () => {
  const rows: readonly (readonly [
    name: string,
    passes: readonly PassCounts[],
    allowance: Allowance,
    expected: boolean,
  ])[] = [
    ["none allowed, none failed", [[10, 0]], { count: 0 }, false],
    ["none allowed, one failed", [[10, 1]], { count: 0 }, true],
    ["exactly as many as allowed", [[10, 3]], { count: 3 }, false],
    ["one more than allowed", [[10, 4]], { count: 3 }, true],
    ["none found", [[0, 0]], { count: 0 }, false],
    ["none found, a percentage", [[0, 0]], { percent: 10 }, false],
    ["exactly the percentage", [[200, 20]], { percent: 10 }, false],
    ["one more than the percentage", [[200, 21]], { percent: 10 }, true],
    ["a percentage that is not a whole number of sessions", [[15, 1]], { percent: 10 }, false],
    ["one more than a percentage that is not a whole number", [[15, 2]], { percent: 10 }, true],
    ["all of them allowed, all failed", [[7, 7]], { percent: 100 }, false],
    ["none of them allowed, one failed", [[1000, 1]], { percent: 0 }, true],
    [
      "a later pass that failed more often",
      [
        [10, 0],
        [2, 1],
      ],
      { count: 0 },
      true,
    ],
    [
      "a later pass within what is allowed",
      [
        [10, 1],
        [2, 1],
      ],
      { count: 1 },
      false,
    ],
    [
      "the share is one of the sessions found, in a later pass too",
      [
        [100, 0],
        [10, 10],
      ],
      { percent: 10 },
      false,
    ],
    [
      "and one more",
      [
        [100, 0],
        [0, 0],
        [20, 11],
      ],
      { percent: 10 },
      true,
    ],
  ];
  for (const [name, passes, allowance, expected] of rows)
    it(`${name}: ${expected}`, () => assert.equal(tooManyFailed(recordOf(passes), allowance), expected));
});
