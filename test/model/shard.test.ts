import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { hashName, isInShard, isPartOf, overlap, parseShard, type Shard, shardText } from "../../src/model/shard.js";
import { provideTool } from "../support/programs/provide-tools.js";
import { projectRoot } from "../support/project.js";

const sidOf = (number: number) => createHash("sha1").update(String(number)).digest("hex");

/** Any shard of up to 40. */
const anyShard = fc
  .integer({ min: 1, max: 40 })
  .chain((count) => fc.record({ index: fc.nat(count - 1), count: fc.integer({ min: count, max: count }) }));

describe("shard: which names it takes", () => {
  // Marks in Redis and the other pods of a job rely on these: they never change.
  const vectors: readonly (readonly [name: string, hash: number])[] = [
    ["", 0x163a7b39],
    ["0".repeat(40), 0x0d8463c8],
    [sidOf(1), 0xbb11ed81],
    [sidOf(2), 0xe1ddeeff],
    ["Ab9_-".padEnd(84, "x"), 0xe24e1bf1],
    ["lost+found", 0x79bd7b21],
    ["\u00e4\u{1f600}", 0x637be8bd],
  ];
  for (const [name, hash] of vectors) {
    it(`${JSON.stringify(name)}: always the same`, () => assert.equal(hashName(name), hash));
  }

  for (const count of [2, 3, 4, 7, 16, 100]) {
    it(`${count} shards: 20,000 sids are spread evenly`, () => {
      const sizes = Array.from({ length: count }, () => 0);
      for (let number = 0; number < 20_000; number++) {
        const index = Array.from({ length: count }, (_, at) => at).filter((at) =>
          isInShard(sidOf(number), { index: at, count }),
        );
        assert.equal(index.length, 1, "every sid is in exactly one");
        sizes[index[0] ?? 0] = (sizes[index[0] ?? 0] ?? 0) + 1;
      }
      const expected = 20_000 / count;
      const deviation = sizes.reduce((sum, size) => sum + (size - expected) ** 2 / expected, 0);
      // Chi-squared: its mean is the number of shards less one; five deviations more are no chance.
      assert.ok(deviation < count + 5 * Math.sqrt(2 * count), `${deviation} of ${sizes.join()}`);
    });
  }

  it("names that differ in one character only are spread as well", () => {
    const sizes = [0, 0, 0, 0];
    for (let number = 0; number < 4000; number++) {
      const index = hashName(String(number).padStart(40, "0")) % 4;
      sizes[index] = (sizes[index] ?? 0) + 1;
    }
    for (const size of sizes) assert.ok(size > 850 && size < 1150, sizes.join());
  });
});

describe("shard: docs/shards.md", () => {
  it("its Python function says what the code says", async () => {
    const text = readFileSync(join(projectRoot, "docs", "shards.md"), "utf8");
    const [, code = ""] = /^```python\n(.*?)^```$/ms.exec(text) ?? [];
    const sids = Array.from({ length: 200 }, (_, number) => sidOf(number));
    const program = `${code}\nprint([shard_of(sid, 7) for sid in ${JSON.stringify(sids)}])`;
    const { stdout } = await promisify(execFile)(await provideTool("python"), ["-c", program]);
    assert.deepEqual(
      JSON.parse(stdout),
      sids.map((sid) => (hashName(sid) % 7) + 1),
    );
  });
});

describe("shard: two of them", () => {
  const sids = Array.from({ length: 3000 }, (_, number) => sidOf(number));
  const within = (shard: Shard) => sids.filter((sid) => isInShard(sid, shard));

  it("overlap: no sid is in two shards that do not", () =>
    fc.assert(
      fc.property(anyShard, anyShard, (one, other) => {
        const both = within(one).filter((sid) => isInShard(sid, other));
        assert.ok(overlap(one, other) || both.length === 0);
        assert.equal(overlap(one, other), overlap(other, one));
      }),
      { numRuns: 60 },
    ));

  it("isPartOf: every sid of a part is in the whole", () =>
    fc.assert(
      fc.property(anyShard, fc.integer({ min: 1, max: 12 }), fc.nat(11), ({ index, count }, factor, number) => {
        const whole = { index, count };
        const part = { index: index + (number % factor) * count, count: count * factor };
        assert.ok(isPartOf(part, whole) && overlap(part, whole));
        assert.ok(within(part).every((sid) => isInShard(sid, whole)));
        assert.equal(isPartOf(whole, part), factor === 1);
      }),
      { numRuns: 60 },
    ));

  const rows: readonly (readonly [one: string, other: string, overlap: boolean])[] = [
    ["1/1", "7/9", true],
    ["1/2", "2/2", false],
    ["1/2", "3/4", true],
    ["1/2", "2/4", false],
    ["2/3", "4/4", true],
    ["1/6", "4/9", true],
    ["1/6", "5/9", false],
  ];
  for (const [one, other, expected] of rows) {
    it(`${one} and ${other} ${expected ? "share sids" : "share none"}`, () => {
      const [a, b] = [parseShard(one), parseShard(other)];
      assert.ok(a !== undefined && b !== undefined);
      assert.equal(overlap(a, b), expected);
      assert.equal(
        within(a).some((sid) => isInShard(sid, b)),
        expected,
      );
    });
  }
});

describe("shard: as text", () => {
  it("i/n, from 1", () => {
    for (const text of ["1/1", "2/4", "4/4", "999999999/999999999"]) {
      const shard = parseShard(text);
      assert.equal(shard && shardText(shard), text);
    }
    for (const text of ["0/4", "5/4", "1/0", "1", "a/b", "1/4 ", "-1/4", "1.5/4", ""]) {
      assert.equal(parseShard(text), undefined, text);
    }
  });
});
