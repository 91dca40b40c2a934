import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { outcomesOf } from "../../../src/model/outcome.js";
import type { Phase, ProgressChange } from "../../../src/model/progress/progress.js";
import { RunProgress } from "../../../src/model/progress/run-progress.js";
import { newRunRecord } from "../../../src/model/run-record.js";

/** The progress of a run, with a clock that the test sets and everything that it told. */
function progressOf(t: TestContext) {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  t.mock.timers.enable({ apis: ["Date"] });
  const record = newRunRecord(outcomesOf.purge);
  const progress = new RunProgress(record, false);
  const changes: ProgressChange[] = [];
  progress.listen((change) => changes.push(change));
  const pass = (milliseconds: number) => {
    nowMs += milliseconds;
    t.mock.timers.tick(milliseconds);
  };
  return { progress, record, changes, pass };
}

describe("run-progress", () => {
  it("a phase begins with its own count, rate and time left", (t) => {
    const { progress, changes, pass } = progressOf(t);
    let done = 0;
    progress.enter({ name: "copying", pass: 1, total: 1000, done: () => done });
    assert.deepEqual(changes, [{ kind: "phase" }]);
    assert.deepEqual(pick(progress.state), { done: 0, total: 1000, perSecond: 0, secondsLeft: null });
    done = 200;
    pass(2000);
    assert.deepEqual(pick(progress.state), { done: 200, total: 1000, perSecond: 100, secondsLeft: 8 });
    progress.enter({ name: "settling", pass: 2, total: 50, done: () => 0 });
    assert.deepEqual(pick(progress.state), { done: 0, total: 50, perSecond: 0, secondsLeft: null });
    assert.equal(progress.state.pass, 2);
    assert.equal(progress.state.seconds, 2);
  });

  it("a phase that counts nothing has no count, rate or time left", (t) => {
    const { progress, pass } = progressOf(t);
    progress.enter({ name: "connecting" });
    pass(3000);
    assert.deepEqual(pick(progress.state), { done: null, total: null, perSecond: 0, secondsLeft: null });
  });

  it("a wait is told when it begins, when its reason or end changes, and when it is over", (t) => {
    const { progress, changes, pass } = progressOf(t);
    const wait = { target: "redis", why: "no answer", sinceMs: 0, untilMs: 300_000 } as const;
    progress.goOn("redis");
    progress.wait(wait);
    progress.wait({ ...wait });
    pass(4000);
    assert.deepEqual(progress.state.wait, {
      target: "redis",
      why: "no answer",
      seconds: 4,
      secondsLeft: 296,
    });
    progress.wait({ ...wait, why: "connection refused" });
    pass(10_000);
    progress.goOn("other-run");
    progress.goOn("redis");
    progress.goOn("redis");
    assert.equal(progress.state.wait, null);
    assert.deepEqual(changes, [
      { kind: "waiting" },
      { kind: "waiting" },
      { kind: "back", target: "redis", seconds: 14 },
    ]);
  });

  const memories = [
    ["without a limit", { usedMemory: 5, maxMemory: 0, evictedKeys: 7 }, { used: 5, limit: null, evicted: 0 }],
    ["with a limit", { usedMemory: 5, maxMemory: 9, evictedKeys: 7 }, { used: 5, limit: 9, evicted: 0 }],
    [
      "that hides evictions",
      { usedMemory: 5, maxMemory: 9, evictedKeys: undefined },
      { used: 5, limit: 9, evicted: null },
    ],
    ["that says nothing", { usedMemory: undefined, maxMemory: 9, evictedKeys: 7 }, null],
  ] as const;
  for (const [name, memory, shown] of memories) {
    it(`a Redis ${name}`, (t) => {
      const { progress } = progressOf(t);
      assert.equal(progress.state.memory, null);
      progress.noteMemory(memory);
      assert.deepEqual(progress.state.memory, shown);
    });
  }

  it("only keys evicted since the run began count; a counter that was reset is no negative number", (t) => {
    const { progress } = progressOf(t);
    const evicted = (evictedKeys: number) => {
      progress.noteMemory({ usedMemory: 1, maxMemory: 0, evictedKeys });
      return progress.state.memory?.evicted;
    };
    assert.deepEqual([evicted(100), evicted(112), evicted(3)], [0, 12, 0]);
  });

  describe("a purge of 250,000 files in blocks of 100,000", () => {
    const total = 250_000;
    const block = (number: number, before: number, proved: number): NonNullable<Phase["purge"]> => ({
      number,
      count: 3,
      before,
      size: 100_000,
      proved: () => proved,
      total,
    });

    it("says nothing of the time left before it has removed a file", (t) => {
      const { progress, record, pass } = progressOf(t);
      const { ledger } = record;
      const purge = block(1, 0, 50_000);
      let proved = 0;
      progress.enter({ name: "proving", total: 100_000, done: () => proved, ledger, purge });
      proved = 50_000;
      pass(5000);
      assert.equal(progress.state.perSecond, 10_000);
      assert.equal(progress.state.secondsLeft, null);
    });

    it("counts proving and removing, each at its own rate", (t) => {
      const { progress, record, pass } = progressOf(t);
      const { ledger } = record;
      let proved = 0;
      const purge = { ...block(1, 0, 0), proved: () => proved };
      progress.enter({ name: "proving", total: 100_000, done: () => proved, ledger, purge });
      proved = 100_000;
      pass(10_000);
      const done = () => ledger.counts.found;
      progress.enter({ name: "removing", total, done, ledger, purge });
      for (let file = 0; file < 100; file++) {
        const kind = file < 90 ? "removed" : "kept";
        ledger.record({ sid: "", kind, bytesRead: 0, bytesWritten: 0 }, "/srv");
      }
      pass(100);
      const { state } = progress;
      assert.deepEqual(state.purge, {
        block: 1,
        blocks: 3,
        proved: 100_000,
        toProve: 100_000,
        removed: 90,
        toRemove: total,
        left: 10,
      });
      // 150,000 to prove at 10,000/s, 249,900 to remove at 1,000/s.
      assert.equal(Math.round(state.secondsLeft ?? 0), 265);
      progress.enter({ name: "proving", total: 100_000, done: () => 0, ledger, purge: block(2, 100_000, 0) });
      assert.equal(Math.round(progress.state.secondsLeft ?? 0), 265, "the last rates count in the next block");
    });
  });
});

function pick({ done, total, perSecond, secondsLeft }: RunProgress["state"]) {
  return { done, total, perSecond, secondsLeft };
}
