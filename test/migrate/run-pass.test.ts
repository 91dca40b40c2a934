import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { BatchTally } from "../../src/migrate/batch-result.js";
import { type BatchWorker, type Pass, runPass } from "../../src/migrate/run-pass.js";
import { RedisError, SourceError } from "../../src/model/errors.js";
import { Ledger } from "../../src/model/ledger.js";
import { outcomeKinds, type SessionOutcome } from "../../src/model/outcome.js";
import type { SessionFile } from "../../src/model/session-file.js";

const fileOf = (index: number): SessionFile => ({
  directory: "/d",
  name: `n${index}`,
  layout: "flat",
  sid: `s${index}`,
});
const batchOf = (count: number): SessionFile[] => Array.from({ length: count }, (_, index) => fileOf(index));
const outcomeOf = ({ sid }: SessionFile): SessionOutcome => ({
  sid,
  kind: "copied",
  bytesRead: 1,
  bytesWritten: 1,
});

function doneOf(batch: readonly SessionFile[], kind: SessionOutcome["kind"] = "copied") {
  const tally = new BatchTally(batch.length, true);
  for (const file of batch) tally.record({ ...outcomeOf(file), kind }, file);
  return tally.result([]);
}

/** A pass over batches of these sizes, which a test may see into. */
function passOf(sizes: readonly number[], change: Partial<Pass> = {}) {
  const controller = new AbortController();
  const ledger = new Ledger();
  const told: string[] = [];
  let handedOut = 0;
  function* batches() {
    for (const size of sizes) {
      handedOut += size;
      yield batchOf(size);
    }
  }
  const pass: Pass = {
    batches: batches(),
    worker: { workOn: async (batch) => doneOf(batch) },
    batchesInFlight: 2,
    pace: async () => undefined,
    ledger,
    onOutcome: ({ sid }) => told.push(sid),
    stop: controller.signal,
    ...change,
  };
  const counted = () => ledger.counts.found + ledger.counts.empty + ledger.counts.ignored + ledger.unvisited;
  return { pass, ledger, told, stop: () => controller.abort(), handedOut: () => handedOut, counted };
}

describe("run-pass: one pass", () => {
  it("every outcome is recorded and told", async () => {
    const { pass, ledger, told } = passOf([3, 1, 2]);
    await runPass(pass);
    assert.deepEqual([ledger.counts.found, told.length, ledger.unvisited], [6, 6, 0]);
  });

  it("nothing to do", async () => {
    const { pass, ledger } = passOf([]);
    await runPass(pass);
    assert.equal(ledger.counts.found, 0);
  });

  for (const batchesInFlight of [1, 2, 5]) {
    it(`${batchesInFlight} in flight, and never more`, async () => {
      let inFlight = 0;
      let most = 0;
      const workOn: BatchWorker["workOn"] = async (batch) => {
        most = Math.max(most, ++inFlight);
        for (let turn = 0; turn < 10; turn++) await nextTurn();
        inFlight--;
        return doneOf(batch);
      };
      const { pass, ledger } = passOf(
        Array.from({ length: 20 }, () => 2),
        { worker: { workOn }, batchesInFlight },
      );
      await runPass(pass);
      assert.deepEqual([most, ledger.counts.found], [batchesInFlight, 40]);
    });
  }

  it("a stop in the middle: what is in flight is finished, the batch in hand is unvisited", async () => {
    let begun = 0;
    const workOn: BatchWorker["workOn"] = async (batch) => {
      if (++begun === 3) made.stop();
      await nextTurn();
      return doneOf(batch);
    };
    const made = passOf(
      Array.from({ length: 10 }, () => 4),
      { worker: { workOn } },
    );
    await runPass(made.pass);
    assert.deepEqual([begun, made.ledger.counts.found, made.ledger.unvisited], [3, 12, 4]);
    assert.equal(made.handedOut(), 16);
  });

  it("a stop before the start visits nothing", async () => {
    const { pass, ledger, stop } = passOf([4, 4]);
    stop();
    await runPass(pass);
    assert.deepEqual([ledger.counts.found, ledger.unvisited], [0, 4]);
  });

  it("a stop that the event loop brings is heeded if no batch ever waits, as in a dry run", async () => {
    const { pass, ledger, stop } = passOf(Array.from({ length: 5000 }, () => 1));
    setImmediate(stop);
    await runPass(pass);
    assert(ledger.counts.found < 5000, `all ${ledger.counts.found} batches ran before the stop was seen`);
  });
});

describe("run-pass: what ends a pass", () => {
  it("the first error is thrown once all that was in flight has settled", async () => {
    const settled: number[] = [];
    let begun = 0;
    const workOn: BatchWorker["workOn"] = async (batch) => {
      const number = ++begun;
      if (number === 2) throw new RedisError("refused", "first");
      for (let turns = 0; turns < 5; turns++) await nextTurn();
      settled.push(number);
      if (number === 3) throw new RedisError("unavailable", "second");
      return doneOf(batch);
    };
    const made = passOf([2, 2, 2, 2, 2, 2], { worker: { workOn }, batchesInFlight: 3 });
    await assert.rejects(runPass(made.pass), { name: "RedisError", message: "first" });
    assert.deepEqual(
      settled,
      Array.from({ length: begun }, (_, index) => index + 1).filter((number) => number !== 2),
    );
    assert.equal(made.counted(), made.handedOut());
  });

  it("a directory that cannot be read any more: what was begun is finished", async () => {
    function* batches() {
      yield batchOf(2);
      throw new SourceError("gone");
    }
    const workOn: BatchWorker["workOn"] = async (batch) => {
      await nextTurn();
      return doneOf(batch);
    };
    const { pass, ledger } = passOf([], { batches: batches(), worker: { workOn } });
    await assert.rejects(runPass(pass), { name: "SourceError" });
    assert.equal(ledger.counts.found, 2);
  });

  it("of an error of a batch and a later one of the directory, the first is thrown", async () => {
    let refused = false;
    function* batches() {
      for (;;) {
        if (refused) throw new SourceError("second");
        yield batchOf(1);
      }
    }
    const workOn: BatchWorker["workOn"] = async () => {
      await nextTurn();
      refused = true;
      throw new RedisError("refused", "first");
    };
    const { pass } = passOf([], { batches: batches(), worker: { workOn } });
    await assert.rejects(runPass(pass), { name: "RedisError", message: "first" });
  });

  it("an error of whoever is told does not count a session twice", async () => {
    let told = 0;
    const onOutcome = () => {
      if (++told === 2) throw new Error("a bug");
    };
    const { pass, counted } = passOf([5], { onOutcome });
    await assert.rejects(runPass(pass), /a bug/);
    assert.equal(counted(), 5);
  });

  it("found and unvisited are all that was listed, after any interruption (design.md section 2)", async () => {
    const step = fc.record({
      size: fc.integer({ min: 1, max: 5 }),
      turns: fc.nat(3),
      does: fc.constantFrom("outcomes", "outcomes", "outcomes", "error", "stop"),
      kind: fc.constantFrom(...outcomeKinds, "empty" as const, "ignored" as const),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, batchesInFlight) => {
          let begun = 0;
          const workOn: BatchWorker["workOn"] = async (batch) => {
            const current = steps[begun++];
            assert(current);
            for (let turn = 0; turn < current.turns; turn++) await nextTurn();
            if (current.does === "error") throw new RedisError("unavailable", "lost");
            if (current.does === "stop") made.stop();
            return doneOf(batch, current.kind);
          };
          const made = passOf(
            steps.map(({ size }) => size),
            { worker: { workOn }, batchesInFlight },
          );
          const fails = await runPass(made.pass).then(
            () => false,
            () => true,
          );
          assert.equal(made.counted(), made.handedOut());
          assert.equal(
            fails,
            steps.slice(0, begun).some(({ does }) => does === "error"),
          );
          const sum = Object.values(made.ledger.counts.outcomes).reduce((total, count) => total + count, 0);
          assert.equal(made.ledger.counts.found, sum);
        },
      ),
      { numRuns: 300 },
    );
  });
});
