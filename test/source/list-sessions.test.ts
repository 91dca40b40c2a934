import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { SourceError } from "../../src/model/errors.js";
import { listSessions, maxSampled, spreadOver } from "../../src/source/list-sessions.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const running = new AbortController().signal;

/** A directory with this many session files, half of them scattered, and a file that is none. */
function directoryOf(count: number): string {
  const directory = makeTemporaryDirectory();
  for (let index = 0; index < count; index++) {
    const sid = index.toString(16).padStart(40, "0");
    if (index % 2 === 0) writeFileSync(join(directory, `werkzeug_${sid}.sess`), "x");
    else {
      mkdirSync(join(directory, "00"), { recursive: true });
      writeFileSync(join(directory, "00", sid), "x");
    }
  }
  writeFileSync(join(directory, "a stranger"), "x");
  return directory;
}

describe("list-sessions", () => {
  it("few files: all of them, by directory", async () => {
    const [one, other] = [directoryOf(5), directoryOf(2)];
    const { directories, ...counts } = await listSessions([one, other], { shard: null, sample: null }, running);
    assert.deepEqual(counts, { count: 7, ofAllShards: 7, selected: 7, isComplete: true });
    assert.deepEqual(
      directories.map(({ directory, count, sample }) => [directory, count, sample.length]),
      [
        [one, 5, 5],
        [other, 2, 2],
      ],
    );
    const paths = directories[0]?.sample.map(({ name }) => name).sort();
    assert.equal(new Set(paths).size, 5);
    assert(paths?.every((name) => /^(werkzeug_0+[0-9a-f]\.sess|00\/0+[0-9a-f])$/.test(name)));
  });

  it("no directory, and an empty one: nothing", async () => {
    assert.equal((await listSessions([], { shard: null, sample: null }, running)).count, 0);
    assert.equal((await listSessions([directoryOf(0)], { shard: null, sample: null }, running)).count, 0);
  });

  it("a missing directory: SourceError", async () => {
    const missing = join(makeTemporaryDirectory(), "missing");
    await assert.rejects(listSessions([missing], { shard: null, sample: null }, running), SourceError);
  });

  describe("10,000 files", () => {
    let directory: string;
    before(() => {
      directory = directoryOf(10_000);
    });

    it("2,000 are kept, as many from each part, the same each time", async () => {
      const sampleOf = async () => {
        const [only] = (await listSessions([directory], { shard: null, sample: null }, running)).directories;
        assert.equal(only?.count, 10_000);
        return only.sample.map(({ sid }) => Number.parseInt(sid, 16));
      };
      const kept = await sampleOf();
      assert.deepEqual([kept.length, new Set(kept).size], [maxSampled, maxSampled]);
      for (let from = 0; from < 10_000; from += 1000) {
        const count = kept.filter((index) => index >= from && index < from + 1000).length;
        assert(count > 120 && count < 280, `${count} from ${from} on`);
      }
      assert.deepEqual(await sampleOf(), kept);
    });

    it("--sample 10%: about a thousand are selected, and all are counted", async () => {
      const { count, selected } = await listSessions([directory], { shard: null, sample: 10 }, running);
      assert.equal(count, 10_000);
      assert(selected > 850 && selected < 1150, String(selected));
    });

    it("a stop ends it early", async () => {
      const { count, isComplete } = await listSessions(
        [directory, directory],
        { shard: null, sample: null },
        AbortSignal.abort(),
      );
      assert.equal(isComplete, false);
      assert(count > 0 && count < 5000, String(count));
    });
  });

  const rows = [
    [[], 3, []],
    [[1, 2, 3], 3, [1, 2, 3]],
    [[1, 2, 3, 4, 5, 6], 3, [1, 3, 5]],
    [[1, 2, 3, 4, 5], 1, [1]],
    [[1, 2, 3], 0, []],
  ] as const;
  for (const [all, count, some] of rows)
    it(`${count} of [${all.join()}], spread: [${some.join()}]`, () =>
      assert.deepEqual(spreadOver<number>(all, count), some));
});
