import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { Lane } from "../../../src/migrate/lanes/copy-lane.js";
import { joinLanes } from "../../../src/migrate/lanes/join-lanes.js";
import { joinResults, laneResult } from "../../../src/migrate/lanes/lane-result.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import { surveyOf } from "../survey-of.js";

const flat: readonly SessionFile[] = Array.from({ length: 20_000 }, (_, index) => {
  const sid = createHash("sha1").update(String(index)).digest("hex");
  return { directory: "/s", name: `werkzeug_${sid}.sess`, layout: "flat", sid };
});
const scattered: readonly SessionFile[] = Array.from({ length: 20_000 }, (_, index) => {
  // All of one folder.
  const sid = `ab${createHash("sha512").update(String(index)).digest("base64url").slice(2)}`;
  return { directory: "/s", name: `ab/${sid}`, layout: "scattered", sid };
});

/** Lanes that keep what they are given. */
function keepingLanes(count: number): { readonly lanes: readonly Lane[]; readonly given: SessionFile[][] } {
  const given: SessionFile[][] = Array.from({ length: count }, () => []);
  const lanes = given.map(
    (files): Lane => ({
      begin: async () => undefined,
      learn: async () => undefined,
      close: async () => undefined,
      work: async (batch) => {
        files.push(...batch);
        return laneResult(batch.length, { outcomes: [] }, false);
      },
    }),
  );
  return { lanes, given };
}

describe("join-lanes: a batch is shared out among lanes by sid", () => {
  for (const [kind, files] of Object.entries({ flat, scattered })) {
    for (const count of [1, 2, 3, 4, 7]) {
      it(`${kind}, ${count} lanes: each file to one, each session to the same one again`, async () => {
        const { lanes, given } = keepingLanes(count);
        const joined = joinLanes(lanes);
        for (let start = 0; start < files.length; start += 500)
          await joined.work(files.slice(start, start + 500));
        assert.equal(given.flat().length, files.length);
        const laneOf = new Map(given.flatMap((part, lane) => part.map(({ sid }) => [sid, lane] as const)));
        assert.equal(laneOf.size, files.length);
        const again = keepingLanes(count);
        await joinLanes(again.lanes).work([...files].reverse());
        for (const [lane, part] of again.given.entries()) {
          assert(part.every(({ sid }) => laneOf.get(sid) === lane));
        }
      });
    }

    it(`${kind}: the last, on the thread of the run, gets less, the others as much as each other`, async () => {
      for (const [count, last] of [
        [2, 0.45],
        [3, 0.267],
        [4, 0.175],
      ] as const) {
        const { lanes, given } = keepingLanes(count);
        await joinLanes(lanes).work(files);
        const parts = given.map((part) => part.length / files.length);
        const expected = [...Array(count - 1).fill((1 - last) / (count - 1)), last];
        for (const [index, part] of parts.entries()) {
          assert(Math.abs(part - expected[index]) < 0.03, `${count} lanes: ${parts}`);
        }
      }
    });
  }

  it("every lane learns what the run knows, begins and closes", async () => {
    const told: string[] = [];
    const lanes = ["a", "b"].map(
      (name): Lane => ({
        begin: async ({ startedMs }) => void told.push(`${name} begins at ${startedMs}`),
        learn: async ({ serverWorks }) => void told.push(`${name} learns ${serverWorks}`),
        work: async (batch) => laneResult(batch.length, { outcomes: [] }, false),
        close: async () => void told.push(`${name} closes`),
      }),
    );
    const joined = joinLanes(lanes);
    await joined.begin({ startedMs: 5, survey: surveyOf() });
    await joined.learn(surveyOf({ serverWorks: "files" }));
    await joined.close();
    assert.deepEqual(told, [
      ...["a begins at 5", "b begins at 5", "a learns files", "b learns files"],
      ...["a closes", "b closes"],
    ]);
  });

  it("what the lanes saw and deferred is joined, and the first error counts", async () => {
    const error = new Error("lost");
    const seen = { directory: "/s", latestMtimeMs: 1, covered: 1, ended: 0 };
    const [file] = flat;
    assert(file !== undefined);
    const result = laneResult(2, { outcomes: [], deferred: [file] }, false, [seen]);
    const joined = joinResults([result, { ...result, error }, { ...result, error: new Error("later") }]);
    assert.deepEqual([joined.deferred, joined.seen], [Array(3).fill(file), Array(3).fill(seen)]);
    assert.deepEqual([joined.unvisited, joined.error], [3, error]);
  });

  it("with many lanes the last gets nothing, and is not asked", async () => {
    const { lanes, given } = keepingLanes(11);
    await joinLanes(lanes).work(flat);
    assert.deepEqual(given.at(-1), []);
    assert(given.slice(0, -1).every((part) => part.length > 0));
  });
});
