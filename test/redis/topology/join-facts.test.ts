import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RedisFacts } from "../../../src/model/redis-facts.js";
import { joinFacts, joinServerFacts } from "../../../src/redis/topology/join-facts.js";

const facts: RedisFacts = {
  version: "7.0.15",
  runId: "b",
  role: "master",
  persistence: true,
  memoryBefore: 1,
  memoryAfter: 2,
  memoryLimit: 10,
  evicted: 0,
};

describe("join-facts: what all masters say together", () => {
  const rows: readonly (readonly [name: string, other: Partial<RedisFacts>, joined: Partial<RedisFacts>])[] = [
    ["sums, and the ids in order", { runId: "a" }, { runId: "a b", memoryBefore: 2, memoryAfter: 4 }],
    ["limits are added", { memoryLimit: 5 }, { memoryLimit: 15 }],
    ["no limit if one has none", { memoryLimit: 0 }, { memoryLimit: 0 }],
    ["what one does not tell is unknown", { memoryAfter: null, evicted: null }, { memoryAfter: null, evicted: null }],
    ["not saved if one does not save", { persistence: false }, { persistence: false }],
    ["unknown whether saved if one does not say", { persistence: null }, { persistence: null }],
  ];
  for (const [name, other, joined] of rows) {
    it(name, () => {
      const all = joinFacts([facts, { ...facts, ...other }]);
      assert.deepEqual({ ...all, ...joined }, all);
    });
  }

  it("one server is as it says", () => assert.equal(joinFacts([facts]), facts));

  it("the clock that is the least ahead counts, and a difference is said", () => {
    const server = { version: "7.0.15", clockLeadMs: 0, databases: [0] };
    const same = joinServerFacts([server, { ...server, clockLeadMs: 900 }]);
    assert.deepEqual([same.clockLeadMs, same.warning], [0, undefined]);
    const other = joinServerFacts([{ ...server, clockLeadMs: 4000 }, server]);
    assert.equal(other.clockLeadMs, 0);
    assert.match(other.warning?.found ?? "", /clocks of the masters differ by 4/);
  });
});
