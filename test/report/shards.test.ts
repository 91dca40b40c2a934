import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { missingShards, shardsText } from "../../src/report/shards.js";

const job = (count: number, ...without: readonly number[]) =>
  Array.from({ length: count }, (_, index) => `${index + 1}/${count}`).filter(
    (_, index) => !without.includes(index + 1),
  );

describe("shards: what a report took, in words", () => {
  const rows: readonly (readonly [shards: readonly string[], text: string, missing: string | undefined])[] = [
    [[], "", undefined],
    [["2/4"], "shard 2/4 of ", "3 from 1/4"],
    [["1/1"], "shard 1/1 of ", undefined],
    [job(4), "all 4 shards of ", undefined],
    [job(4, 3), "shards 1/4, 2/4 and 4/4 of ", "1 from 3/4"],
    [job(1200, 1, 7), "1,198 of 1,200 shards of ", "2 from 1/1200"],
    [["1/2", "2/4"], "shards 1/2 and 2/4 of ", undefined],
  ];
  for (const [shards, text, missing] of rows) {
    it(text === "" ? "everything" : text, () => {
      assert.equal(shardsText(shards), text);
      const found = missingShards(shards);
      assert.equal(found && `${found.count} from ${found.first}`, missing);
    });
  }
});
