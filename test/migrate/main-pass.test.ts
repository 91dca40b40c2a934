import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BatchTally } from "../../src/migrate/batch-result.js";
import { type BatchWorker, runMainPass } from "../../src/migrate/run-pass.js";
import { RedisError } from "../../src/model/errors.js";
import type { DirectorySeen, Survey } from "../../src/model/mark.js";
import { outcomesOf } from "../../src/model/outcome.js";
import { newRunRecord } from "../../src/model/run-record.js";
import type { SessionFile } from "../../src/model/session-file.js";
import { factsOf, markAt, surveyOf } from "./survey-of.js";

const fileOf = (sid: string): SessionFile => ({ directory: "/d", name: `n-${sid}`, layout: "flat", sid });
const none: DirectorySeen = { directory: "/d", latestMtimeMs: 0, covered: 0, ended: 0 };
const before: Survey = {
  ...surveyOf({ keys: "none" }),
  directories: [factsOf({ mark: markAt(Date.now() - 3_600_000) })],
};

/**
 * A main pass over batches whose sids say what becomes of them: `later` ones are deferred until the
 * pass has learned.
 */
function passOver(batches: readonly (readonly string[])[]) {
  const controller = new AbortController();
  const sinks = { onFailure: () => undefined, onDifference: () => undefined };
  const record = newRunRecord(outcomesOf.copy, sinks);
  const events: string[] = [];
  let learned = false;
  const worker: BatchWorker = {
    workOn: async (batch) => {
      events.push(`work ${batch.map(({ sid }) => sid).join()}`);
      const deferred = batch.filter(({ sid }) => !learned && sid.startsWith("later"));
      const kind = learned ? ("ended" as const) : ("copied" as const);
      const settled = batch.filter((file) => !deferred.includes(file));
      const tally = new BatchTally(batch.length, false);
      for (const file of settled) tally.record({ sid: file.sid, kind, bytesRead: 1, bytesWritten: 0 }, file);
      for (const file of deferred) tally.defer(file);
      return tally.result([{ ...none, latestMtimeMs: learned ? 0 : Date.now(), covered: settled.length }]);
    },
    learn: ({ serverWorks, directories }) => {
      events.push(`learn ${serverWorks} ${directories.every(({ whole }) => whole)}`);
      learned = true;
    },
  };
  const pass = {
    batches: batches.map((batch) => batch.map(fileOf)),
    batchesInFlight: 1,
    pace: async (count: number) => void events.push(`pace ${count}`),
    stop: controller.signal,
    ledger: record.ledger,
    onOutcome: () => undefined,
    worker,
  };
  /** Runs it; `workOn` takes the place of the worker's. */
  const run = (workOn = worker.workOn) => {
    return runMainPass({ ...pass, worker: { ...worker, workOn } }, before, record);
  };
  return { run, workOn: worker.workOn, record, events, stop: () => controller.abort() };
}

describe("main-pass: missing keys are settled at its end, where the sample did not tell (spec.md section 4)", () => {
  it("all batches, then what the pass learns, then the deferred ones, which the rate has counted", async () => {
    const made = passOver([["a", "later1"], ["later2"]]);
    const { survey, seen } = await made.run();
    assert.deepEqual(made.events, [
      ...["pace 2", "work a,later1", "pace 1", "work later2"],
      ...["learn files true", "work later1,later2"],
    ]);
    assert.deepEqual([survey.serverWorks, made.record.serverWorks], ["files", "files"]);
    assert.equal(seen.get("/d")?.covered, 3);
    const { found, outcomes } = made.record.ledger.counts;
    assert.deepEqual([found, outcomes.copied, outcomes.ended], [3, 1, 2]);
    assert.equal(made.record.ledger.unvisited, 0);
  });

  it("nothing deferred: no second work", async () => {
    const made = passOver([["a"]]);
    await made.run();
    assert.deepEqual(made.events, ["pace 1", "work a", "learn files true"]);
  });

  it("many deferred ones come in batches of 256", async () => {
    const made = passOver([Array.from({ length: 600 }, (_, index) => `later${index}`)]);
    await made.run();
    const sizes = made.events.filter((event) => event.startsWith("work")).map((event) => event.split(",").length);
    assert.deepEqual(sizes, [600, 256, 256, 88]);
    assert.equal(made.record.ledger.counts.outcomes.ended, 600);
  });

  it("stopped: the deferred ones are unvisited, and nothing is learned", async () => {
    const made = passOver([["a", "later"], ["never"]]);
    const { events, record } = made;
    const { survey } = await made.run(async (batch) => {
      made.stop();
      return made.workOn(batch);
    });
    assert.equal(survey, before);
    assert.equal(record.serverWorks, "unknown");
    assert.deepEqual(
      events.filter((event) => /^(work|learn)/.test(event)),
      ["work a,later"],
    );
    const { counts, unvisited } = record.ledger;
    assert.deepEqual([counts.found, unvisited], [1, 2], "the deferred one and the one not reached");
  });

  it("an error among the deferred ones: those that were not reached are unvisited", async () => {
    const made = passOver([Array.from({ length: 600 }, (_, index) => `later${index}`)]);
    let batches = 0;
    const breaking = made.run(async (batch) => {
      if (++batches < 3) return made.workOn(batch);
      return new BatchTally(batch.length, false).result([], { error: new RedisError("unavailable", "lost") });
    });
    await assert.rejects(breaking, RedisError);
    const { counts, unvisited } = made.record.ledger;
    assert.deepEqual([counts.found, unvisited], [256, 344]);
  });

  it("an error: it is thrown, and the deferred ones are unvisited", async () => {
    const made = passOver([["a", "later"], ["b"]]);
    const breaking = made.run(async (batch) => {
      if (batch[0]?.sid !== "b") return made.workOn(batch);
      return new BatchTally(1, false).result([], { error: new RedisError("unavailable", "lost") });
    });
    await assert.rejects(breaking, RedisError);
    assert.deepEqual([made.record.ledger.counts.found, made.record.ledger.unvisited], [1, 2]);
  });
});
