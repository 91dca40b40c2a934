import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Conversion } from "../../src/convert/convert-session.js";
import { type EstimateParts, entryMemory, estimateMemoryNeed } from "../../src/migrate/memory-need.js";
import type { SessionFile } from "../../src/model/session-file.js";
import { askServerState } from "../../src/redis/server-state.js";
import type { Reading } from "../../src/source/read-session-file.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
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
  facts: { authenticated: true, lossy: false },
});
const ofHundred = entryMemory("k".repeat(10), "x".repeat(100));

/** An estimate over batches of so many files, whose entries have keys of 10 and values of 100 bytes. */
async function estimate(sizes: readonly number[], change: Partial<EstimateParts> = {}) {
  const looked: string[] = [];
  let turns = 0;
  let read = 0;
  const need = await estimateMemoryNeed({
    batches: sizes.map((size, batch) =>
      Array.from({ length: size }, (_, index) => fileOf(`${batch}-${index}`.padStart(10))),
    ),
    convert: (_, sid) => entryOf(sid, 100),
    exist: async (keys) => {
      looked.push(...keys);
      return keys.map(() => false);
    },
    turn: async () => {
      turns++;
      return true;
    },
    ...change,
    read: (file) => {
      read++;
      return change.read?.(file) ?? whole;
    },
  });
  return { need, looked, turns, read };
}

describe("memory-need: all session files counted by name, sized by the first thousand", () => {
  it("none", async () => {
    const { need, looked } = await estimate([]);
    assert.deepEqual([need, looked], [0, []]);
  });

  it("few: each one's entry", async () => {
    const { need, turns } = await estimate([2, 1]);
    assert.deepEqual([need, turns], [3 * ofHundred, 2]);
  });

  it("more than a thousand: no more than a thousand are read or asked for", async () => {
    const { need, read, looked } = await estimate([256, 256, 256, 256, 256, 256]);
    assert.deepEqual([need, read, looked.length], [1536 * ofHundred, 1000, 1000]);
  });

  it("those whose keys exist already take no further memory, of the sample and of the rest alike", async () => {
    const exist = async (keys: readonly string[]) => keys.map((_, index) => index % 4 === 0);
    assert.equal((await estimate([1000, 1000], { exist })).need, 2000 * 0.75 * ofHundred);
  });

  it("those that hold no session to be written take none", async () => {
    const convert: EstimateParts["convert"] = (_, sid) =>
      sid.endsWith("0")
        ? { kind: "failed", format: "json", reason: "corrupt", detail: "why" }
        : sid.endsWith("1")
          ? { kind: "expired", format: "json", facts: { authenticated: true, lossy: false } }
          : entryOf(sid, 100);
    assert.equal((await estimate([10], { convert })).need, 8 * ofHundred);
    const read: EstimateParts["read"] = ({ sid }) => (sid.endsWith("5") ? { kind: "vanished" } : whole);
    assert.equal((await estimate([10], { read })).need, 9 * ofHundred);
  });

  it("none that can be written", async () =>
    assert.equal((await estimate([5], { read: () => ({ kind: "empty" }) })).need, 0));

  it("a stop ends it, with what is known by then", async () => {
    const { need } = await estimate([4, 4, 4], { turn: async () => false });
    assert.equal(need, 4 * ofHundred);
  });
});

describe("memory-need: what 20,000 entries take of a real Redis is within 15% of the estimate", () => {
  const typical = [110, 121, 205, 279, 450, 663, 984];
  const rows: readonly (readonly [name: string, sizes: readonly number[], count?: number])[] = [
    ["of all typical sizes", typical],
    ["of all typical sizes, just when the tables of Redis have grown", typical, 33_000],
    ["of the smallest", [110]],
    ["of a size that the allocator rounds up most", [663]],
  ];
  for (const [name, sizes, count = 20_000] of rows) {
    it(name, async (t) => {
      const server = await redisOf(t);
      const client = await clientOf(t, server);
      const usedMemory = async () => (await askServerState(client))?.usedMemory ?? 0;
      const entries = Array.from({ length: count }, (_, index) => ({
        key: `session:${index.toString(16).padStart(40, "a")}`,
        value: "x".repeat(sizes[index % sizes.length] ?? 0),
      }));
      const before = await usedMemory();
      const endMs = Date.now() + 604_800_000;
      await redisPipeline(
        server,
        entries.map(({ key, value }) => ["SET", key, value, "NX", "PXAT", endMs]),
      );
      const growth = (await usedMemory()) - before;
      const estimated = entries.reduce((sum, { key, value }) => sum + entryMemory(key, value), 0);
      const ratio = estimated / growth;
      t.diagnostic(`${name}: the estimate is ${(100 * ratio).toFixed(1)}% of what they take`);
      assert(ratio > 0.85 && ratio < 1.15, `${estimated} estimated, ${growth} taken`);
    });
  }
});
