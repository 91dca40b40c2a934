import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memoryNeedOf, ownMemory, redisNeedOf } from "../../src/migrate/memory-need.js";
import { newInspection } from "../../src/model/inspection.js";
import { pause } from "../../src/redis/pause.js";
import { askKeyCounts, askServerState } from "../../src/redis/server/server-state.js";
import { maxSampled, spreadOver } from "../../src/source/list-sessions.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { waitUntil } from "../end-to-end/support/wait-until.js";
import { clientOf } from "../redis/support/client-of.js";
import { redisPipeline } from "../support/servers/redis-command.js";

/** What an entry with a key of 10 and a value of 100 bytes takes besides the hash tables. */
const ofHundred = ownMemory("k".repeat(10), "x".repeat(100));
/** What both hash tables of an empty Redis take for so many keys. */
const tablesOf = (keys: number) => 2 * 8 * 2 ** Math.ceil(Math.log2(keys));
const empty = { keys: 0, expiring: 0 };
const hundreds = (count: number) => Array<number>(count).fill(ofHundred);

describe("memory-need: what all sessions would add, judged by a sample", () => {
  it("none", () =>
    assert.deepEqual(memoryNeedOf({ listed: 0, sampled: 0, sizes: [] }, empty), {
      bytes: 0,
      atLeast: 0,
      atMost: 0,
    }));

  it("few, all read: each one's entry, and the hash tables", () => {
    const bytes = 3 * ofHundred + tablesOf(4);
    assert.deepEqual(memoryNeedOf({ listed: 3, sampled: 3, sizes: hundreds(3) }, empty), {
      bytes,
      atLeast: bytes,
      atMost: bytes,
    });
  });

  it("the sum of all comes to the same as the sample that is all of them", () => {
    const { bytes } = memoryNeedOf({ listed: 300, sampled: 300, sizes: hundreds(300) }, empty);
    const { counts } = newInspection();
    assert.deepEqual(redisNeedOf({ counts }, 2), { keys: 0, bytes: 0 });
    Object.assign(counts, { keys: 150, ownMemory: 150 * ofHundred });
    assert.deepEqual(redisNeedOf({ counts }, 2), { keys: 300, bytes });
  });

  it("of many, one in five was read: five times what was read", () => {
    const { bytes } = memoryNeedOf({ listed: 10_000, sampled: 2000, sizes: hundreds(2000) }, empty);
    assert.equal(bytes, 10_000 * ofHundred + tablesOf(10_000));
  });

  it("a quarter of the sample adds nothing: nor does a quarter of the rest", () => {
    const { bytes } = memoryNeedOf({ listed: 4000, sampled: 2000, sizes: hundreds(1500) }, empty);
    assert.equal(bytes, 3000 * ofHundred + tablesOf(3000));
  });

  it("keys that Redis holds already: only the growth of the hash tables counts", () => {
    const need = (keys: number) =>
      memoryNeedOf({ listed: 100, sampled: 100, sizes: hundreds(100) }, { keys, expiring: keys }).bytes;
    assert.equal(need(10_000), 100 * ofHundred);
    assert.equal(need(8192), 100 * ofHundred + tablesOf(8192));
  });
});

describe("memory-need: a rare giant is not taken for one of many", () => {
  const giant = 8 * 1024 * 1024;

  it("one in a sample of 2,000 among 20,000: the least and the best estimate count it once", () => {
    const sizes = [...hundreds(1999), giant];
    const need = memoryNeedOf({ listed: 20_000, sampled: 2000, sizes }, empty);
    const others = 20_000 * ofHundred;
    assert(need.atLeast > others && need.atLeast < others + 1.5 * giant, String(need.atLeast));
    assert.equal(need.bytes, need.atLeast);
    assert(need.atMost > 10 * giant, String(need.atMost));
  });

  it("among few files that are all read: what is known is exact", () => {
    const need = memoryNeedOf({ listed: 100, sampled: 100, sizes: [...hundreds(99), giant] }, empty);
    assert.deepEqual([need.atLeast, need.atMost], [need.bytes, need.bytes]);
  });
});

describe("memory-need: the estimate is within 10% of what a real Redis then uses", () => {
  const typical = [110, 121, 205, 279, 450, 663, 984];
  const rows: readonly (readonly [name: string, sizes: readonly number[], count: number, stored?: number])[] = [
    ["values of 40 bytes", [40], 20_000],
    ["values of 200 bytes", [200], 20_000],
    ["values of 200 bytes, just after the hash tables grew", [200], 33_000],
    ["values of 200 bytes, just before they grow", [200], 32_000],
    ["values of 1 KB", [1000], 8000],
    ["values of 24 KB", [24_000], 2500],
    ["values of 300 KB", [300_000], 300],
    ["values of all typical sizes", typical, 20_000],
    ["values of 200 bytes, in a Redis that holds as many keys already", [200], 20_000, 20_000],
    ["values of 1 KB, and one of 64 KB in a thousand", [...Array(999).fill(1000), 64_000], 10_000],
  ];
  const endMs = Date.now() + 604_800_000;
  for (const [name, sizes, count, stored = 0] of rows) {
    it(name, async (t) => {
      const server = await redisOf(t);
      const client = await clientOf(t, server);
      const usedMemory = async () => (await askServerState(client)).usedMemory ?? 0;
      const keyOf = (sid: string) => `session:${sid}`;
      const sidOf = (index: number) => index.toString(16).padStart(40, "a");
      const lengths = new Map(
        Array.from({ length: count }, (_, index) => [sidOf(index), sizes[index % sizes.length] ?? 0] as const),
      );
      const fill = (entries: Iterable<readonly [sid: string, length: number]>) =>
        redisPipeline(
          server,
          [...entries].map(([sid, length]) => ["SET", keyOf(sid), "x".repeat(length), "PXAT", endMs]),
        );
      await fill(Array.from({ length: stored }, (_, index) => [`stored-${index}`, 10] as const));
      const sample = spreadOver([...lengths], maxSampled);
      const need = memoryNeedOf(
        {
          listed: count,
          sampled: sample.length,
          sizes: sample.map(([sid, length]) => ownMemory(keyOf(sid), "x".repeat(length))),
        },
        await askKeyCounts(client, 0),
      );
      const before = await usedMemory();
      await fill(lengths);
      // Redis moves its keys to larger hash tables little by little.
      await waitUntil("the hash tables have grown", async () => {
        const now = await usedMemory();
        await pause(250, new AbortController().signal);
        return (await usedMemory()) === now;
      });
      const ratio = need.bytes / ((await usedMemory()) - before);
      t.diagnostic(`${name}: the estimate is ${(100 * ratio).toFixed(1)}% of what they take`);
      assert(ratio > 0.9 && ratio < 1.1, `${need.bytes} estimated, ${(await usedMemory()) - before} taken`);
    });
  }
});
