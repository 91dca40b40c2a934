import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Conversion } from "../../src/convert/convert-session.js";
import { type EstimateParts, entryMemory, estimateMemoryNeed } from "../../src/migrate/memory-need.js";
import type { SessionFile } from "../../src/model/session-file.js";
import { pause } from "../../src/redis/pause.js";
import { existingKeys } from "../../src/redis/read-keys.js";
import { askKeyCounts, askServerState } from "../../src/redis/server/server-state.js";
import type { Reading } from "../../src/source/read-session-file.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { waitUntil } from "../end-to-end/support/wait-until.js";
import { clientOf } from "../redis/support/client-of.js";
import { redisPipeline } from "../support/redis-command.js";

const whole: Reading = {
  kind: "read",
  read: { bytes: Buffer.from("x"), mtimeMs: 1, openedAtMs: 2 },
  stamp: { dev: 1, ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 },
};
const fileOf = (sid: string): SessionFile => ({ directory: "/d", name: sid, layout: "flat", sid });
const entryOf = (key: string, length: number): Conversion => ({
  kind: "entry",
  format: "json",
  entry: { key, value: "x".repeat(length), expiresAtMs: 9 },
  fullLifetimeMs: 9,
  lifetimeOrigin: "own",
  facts: { authenticated: true, lossy: false },
});
/** What such an entry takes besides the hash tables. */
const ofHundred = entryMemory("k".repeat(10), "x".repeat(100)) - 24;
/** What both hash tables of an empty Redis take for so many keys. */
const tablesOf = (keys: number) => 2 * 8 * 2 ** Math.ceil(Math.log2(keys));

/**
 * An estimate over batches of so many files, whose entries have keys of 10 and values of 100 bytes.
 */
async function estimate(sizes: readonly number[], change: Partial<EstimateParts> = {}) {
  const looked: string[] = [];
  const read: string[] = [];
  let turns = 0;
  const need = await estimateMemoryNeed({
    batches: sizes.map((size, batch) =>
      Array.from({ length: size }, (_, index) => fileOf(`${batch}-${index}`.padStart(10))),
    ),
    ahead: async () => undefined,
    convert: (_, sid) => entryOf(sid, 100),
    exist: async (keys) => {
      looked.push(...keys);
      return keys.map(() => false);
    },
    isEnded: () => false,
    stored: { keys: 0, expiring: 0 },
    turn: async () => {
      turns++;
      return true;
    },
    ...change,
    read: (file) => {
      read.push(file.sid);
      return change.read?.(file) ?? whole;
    },
  });
  return { need, looked, turns, read };
}

describe("memory-need: all session files counted by name, sized by a sample spread over the listing", () => {
  it("none", async () => {
    const { need, looked } = await estimate([]);
    assert.deepEqual([need, looked], [{ listed: 0, bytes: 0, atLeast: 0, atMost: 0 }, []]);
  });

  it("few: each one's entry, and the hash tables", async () => {
    const bytes = 3 * ofHundred + tablesOf(4);
    const { need } = await estimate([2, 1]);
    assert.deepEqual(need, { listed: 3, bytes, atLeast: bytes, atMost: bytes });
  });

  it("more than two thousand: no more are read or asked for, as many from each part of the listing", async () => {
    const { need, read, looked } = await estimate(Array.from({ length: 10 }, () => 1000));
    assert.deepEqual(
      [need.listed, need.bytes, read.length, looked.length],
      [10_000, 10_000 * ofHundred + tablesOf(10_000), 2000, 2000],
    );
    for (let batch = 0; batch < 10; batch++) {
      const count = read.filter((sid) => sid.trim().startsWith(`${batch}-`)).length;
      assert(count > 150 && count < 250, `${count} of batch ${batch}`);
    }
    assert.deepEqual((await estimate(Array.from({ length: 10 }, () => 1000))).read, read, "repeatable");
  });

  const none: readonly (readonly [name: string, change: Partial<EstimateParts>])[] = [
    ["keys that exist already", { exist: async (keys) => keys.map(() => true) }],
    ["sessions that ended in Redis", { isEnded: () => true }],
    ["files that vanished", { read: () => ({ kind: "vanished" }) }],
    [
      "sessions that are expired",
      { convert: () => ({ kind: "expired", format: "json", facts: { authenticated: true, lossy: false } }) },
    ],
    [
      "sessions that fail",
      { convert: () => ({ kind: "failed", format: "json", reason: "corrupt", detail: "why" }) },
    ],
  ];
  for (const [name, change] of none) {
    it(`${name} add nothing`, async () =>
      assert.deepEqual((await estimate([5], change)).need, { listed: 5, bytes: 0, atLeast: 0, atMost: 0 }));
  }

  it("a quarter of the keys exist: of the sample and of the rest alike", async () => {
    const exist = async (keys: readonly string[]) => keys.map((key) => Number(key.at(-1)) % 4 === 0);
    const { need } = await estimate(
      Array.from({ length: 4 }, () => 1000),
      { exist },
    );
    // The last digits 0, 4 and 8 exist.
    assert(Math.abs(need.bytes / (2800 * ofHundred + tablesOf(2800)) - 1) < 0.05, String(need.bytes));
  });

  it("keys that Redis holds already: only the growth of the hash tables counts", async () => {
    const need = async (keys: number) =>
      (await estimate([100], { stored: { keys, expiring: keys } })).need.bytes;
    assert.equal(await need(10_000), 100 * ofHundred);
    assert.equal(await need(8192), 100 * ofHundred + tablesOf(8192));
  });

  it("a stop ends it", async () => {
    const { need } = await estimate([4, 4, 4], { turn: async () => false });
    assert.equal(need.listed, 4);
  });
});

describe("memory-need: a rare giant is not taken for one of many", () => {
  const giant = 8 * 1024 * 1024;
  /** One giant among so many, and whether it was in the sample. */
  async function estimateWithGiant(count: number, at: number) {
    const giantSid = `0-${at}`.padStart(10);
    const { need, read } = await estimate([count], {
      convert: (_, sid) => entryOf(sid, sid === giantSid ? giant : 100),
    });
    return { need, sampled: read.includes(giantSid) };
  }

  it("one in 20,000, in the sample: the least and the best estimate count it once", async () => {
    const { read } = await estimate([20_000]);
    const at = Number(read[500]?.trim().slice(2));
    const { need, sampled } = await estimateWithGiant(20_000, at);
    assert(sampled);
    const others = 20_000 * ofHundred;
    assert(need.atLeast > others && need.atLeast < others + 1.5 * giant, String(need.atLeast));
    assert.equal(need.bytes, need.atLeast);
    assert(need.atMost > 10 * giant, String(need.atMost));
  });

  it("one in 20,000, not in the sample: it is not seen", async () => {
    const { read } = await estimate([20_000]);
    const at = [...Array(20_000).keys()].find((index) => !read.includes(`0-${index}`.padStart(10)));
    const { need, sampled } = await estimateWithGiant(20_000, at ?? -1);
    assert(!sampled);
    assert(need.atMost < 20_000 * (ofHundred + 40), String(need.atMost));
  });

  it("among few files that are all read: what is known is exact", async () => {
    const { need } = await estimateWithGiant(100, 7);
    assert.deepEqual([need.atLeast, need.atMost], [need.bytes, need.bytes]);
  });
});

describe("memory-need: the estimate is within 10% of what a real Redis then uses", () => {
  const typical = [110, 121, 205, 279, 450, 663, 984];
  const rows: readonly (readonly [name: string, sizes: readonly number[], count: number, stored?: number])[] =
    [
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
        Array.from(
          { length: count },
          (_, index) => [sidOf(index), sizes[index % sizes.length] ?? 0] as const,
        ),
      );
      const fill = (entries: Iterable<readonly [sid: string, length: number]>) =>
        redisPipeline(
          server,
          [...entries].map(([sid, length]) => ["SET", keyOf(sid), "x".repeat(length), "PXAT", endMs]),
        );
      await fill(Array.from({ length: stored }, (_, index) => [`stored-${index}`, 10] as const));
      const need = await estimateMemoryNeed({
        batches: [[...lengths.keys()].map(fileOf)],
        ahead: async () => undefined,
        read: () => whole,
        convert: (_, sid) => entryOf(keyOf(sid), lengths.get(sid) ?? 0),
        exist: (keys) => existingKeys(client, keys),
        isEnded: () => false,
        stored: await askKeyCounts(client),
        turn: async () => true,
      });
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
