import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { isInSample } from "../../src/model/shard.js";

const count = 20_000;
/** Sids as servers make them, and unrealistic ones that differ only in the last digits. */
const sids = {
  "SHA-1": Array.from({ length: count }, (_, n) => createHash("sha1").update(String(n)).digest("hex")),
  consecutive: Array.from({ length: count }, (_, n) => n.toString(16).padStart(40, "0")),
  "of 84 characters": Array.from({ length: count }, (_, n) =>
    createHash("sha512").update(String(n)).digest("base64url").slice(0, 84),
  ),
};

describe("sample: the sessions that --sample picks", () => {
  for (const [name, all] of Object.entries(sids)) {
    for (const percent of [0.1, 1, 5, 50, 99.9]) {
      it(`${percent}% of sids that are ${name} are about as many`, () => {
        const taken = all.filter((sid) => isInSample(sid, percent)).length;
        const expected = (count * percent) / 100;
        // Six standard deviations.
        const tolerance = 6 * Math.sqrt(expected * (1 - percent / 100));
        assert(Math.abs(taken - expected) < tolerance, `${taken} of ${count}, ${expected} expected`);
      });
    }
  }

  it("100% is every one", () => assert(sids["SHA-1"].every((sid) => isInSample(sid, 100))));

  it("is always the same, and larger samples contain smaller ones", () => {
    for (const sid of sids["SHA-1"].slice(0, 2000)) {
      assert.equal(isInSample(sid, 10), isInSample(sid, 10));
      if (isInSample(sid, 3)) assert(isInSample(sid, 10));
    }
  });
});
