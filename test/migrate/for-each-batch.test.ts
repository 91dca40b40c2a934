import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type BatchWork, forEachBatch } from "../../src/migrate/for-each-batch.js";
import { RedisError, SourceError } from "../../src/model/errors.js";
import type { SessionFile } from "../../src/model/session-file.js";

const batchOf = (size: number): SessionFile[] =>
  Array.from({ length: size }, (_, index) => ({
    ...{ directory: "/d", name: `n${index}`, layout: "flat" as const },
    sid: `s${index}`,
  }));

/** Work over batches of these sizes; `events` has every step in its order. */
function workOf(sizes: readonly number[], change: Partial<BatchWork> = {}) {
  const controller = new AbortController();
  const events: string[] = [];
  function* batches() {
    try {
      for (const size of sizes) {
        events.push(`list ${size}`);
        yield batchOf(size);
      }
    } finally {
      events.push("closed");
    }
  }
  const work: BatchWork = {
    batches: batches(),
    work: async ({ length }) => {
      events.push(`begin ${length}`);
      await nextTurn();
      await nextTurn();
      events.push(`done ${length}`);
    },
    skip: ({ length }) => events.push(`skip ${length}`),
    batchesInFlight: 1,
    pace: async () => undefined,
    stop: controller.signal,
    ...change,
  };
  return { work, events, stop: () => controller.abort() };
}

describe("for-each-batch: batches, several at a time", () => {
  it("one after the other, listed no earlier than needed, and the listing closed at its end", async () => {
    const { work, events } = workOf([1, 2]);
    await forEachBatch(work);
    assert.deepEqual(events, ["list 1", "begin 1", "done 1", "list 2", "begin 2", "done 2", "closed"]);
  });

  it("all that were begun are done when it settles", async () => {
    const { work, events } = workOf([1, 2, 3], { batchesInFlight: 3 });
    await forEachBatch(work);
    assert.deepEqual(
      events.filter((event) => event.startsWith("done")),
      ["done 1", "done 2", "done 3"],
    );
    assert(events.indexOf("begin 2") < events.indexOf("done 1"), "side by side");
  });

  for (const batchesInFlight of [1, 2, 4]) {
    it(`${batchesInFlight} in flight, and never more, whichever is done first`, async () => {
      let inFlight = 0;
      let most = 0;
      const { work } = workOf(
        Array.from({ length: 30 }, (_, index) => 1 + (index % 5)),
        {
          batchesInFlight,
          work: async ({ length }) => {
            most = Math.max(most, ++inFlight);
            for (let turn = 0; turn < length * 3; turn++) await nextTurn();
            inFlight--;
          },
        },
      );
      await forEachBatch(work);
      assert.deepEqual([most, inFlight], [batchesInFlight, 0]);
    });
  }

  it("each waits for the pace of its own size before it is begun", async () => {
    const { work, events } = workOf([3, 0, 2]);
    await forEachBatch({ ...work, pace: async (sessions) => void events.push(`pace ${sessions}`) });
    assert.deepEqual(
      events.filter((event) => /^(pace|begin)/.test(event)),
      ["pace 3", "begin 3", "pace 0", "begin 0", "pace 2", "begin 2"],
    );
  });
});

describe("for-each-batch: a stop begins nothing more, and finishes what is in flight", () => {
  it("in the middle: the batch in hand is skipped, no other is listed, the listing is closed", async () => {
    const { work, events, stop } = workOf([1, 2, 3, 4], { batchesInFlight: 2 });
    await forEachBatch({
      ...work,
      work: async (batch) => {
        if (batch.length === 2) stop();
        await work.work(batch);
      },
    });
    assert.deepEqual(events.toSorted(), [
      ...["begin 1", "begin 2", "closed", "done 1", "done 2"],
      ...["list 1", "list 2", "list 3", "skip 3"],
    ]);
  });

  it("while the pace is waited for: the batch is skipped", async () => {
    const { work, events, stop } = workOf([1, 2]);
    await forEachBatch({ ...work, pace: async () => stop() });
    assert.deepEqual(events, ["list 1", "skip 1", "closed"]);
  });

  it("before the start", async () => {
    const { work, events, stop } = workOf([1, 2]);
    stop();
    await forEachBatch(work);
    assert.deepEqual(events, ["list 1", "skip 1", "closed"]);
  });
});

describe("for-each-batch: the first error ends the work, once all in flight has settled", () => {
  const first = new RedisError("refused", "first");
  const second = new RedisError("unavailable", "second");

  it("an error of the work: what is in flight is finished, the batch in hand is skipped", async () => {
    const { work, events } = workOf([1, 2, 3, 4], { batchesInFlight: 3 });
    const failing: BatchWork["work"] = async (batch) => {
      if (batch.length === 2) throw first;
      await work.work(batch);
      if (batch.length === 1) throw second;
    };
    await assert.rejects(forEachBatch({ ...work, work: failing }), first);
    assert.deepEqual(events.toSorted(), ["begin 1", "closed", "done 1", "list 1", "list 2", "list 3", "skip 3"]);
  });

  it("an error of the last batch, behind which nothing is listed", async () => {
    const { work } = workOf([1]);
    await assert.rejects(forEachBatch({ ...work, work: async () => Promise.reject(first) }), first);
  });

  it("an error of the listing: what was begun is finished", async () => {
    function* batches() {
      yield batchOf(1);
      throw new SourceError("gone");
    }
    const { work, events } = workOf([], { batchesInFlight: 2 });
    await assert.rejects(forEachBatch({ ...work, batches: batches() }), SourceError);
    assert.deepEqual(events, ["begin 1", "done 1"]);
  });

  it("an error of the work before one of the listing", async () => {
    let failed = false;
    function* batches() {
      while (!failed) yield batchOf(1);
      throw second;
    }
    const work = workOf([]).work;
    const failing = async () => {
      failed = true;
      throw first;
    };
    await assert.rejects(forEachBatch({ ...work, batches: batches(), work: failing }), first);
  });

  it("an error and a stop: the error", async () => {
    const { work, stop } = workOf([1, 2]);
    const failing = async () => {
      stop();
      throw first;
    };
    await assert.rejects(forEachBatch({ ...work, work: failing }), first);
  });
});
