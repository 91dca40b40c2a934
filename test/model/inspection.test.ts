import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { placeBelow } from "../../src/model/counts.js";
import {
  addInspection,
  countDatabase,
  countUnsupported,
  type Inspection,
  inspectedAges,
  inspectedSizes,
  newInspection,
} from "../../src/model/inspection.js";

function partOf(number: number): Inspection {
  const part = newInspection();
  part.counts.found = number;
  part.counts.ownMemory = 10 * number;
  part.ages[0] = number;
  part.sizes[3] = number;
  part.pickles[4] = number;
  part.largestBytes = 100 * number;
  part.layouts.scattered = number;
  part.reasons.set("corrupt", number);
  part.warnings.set("odd", number);
  countDatabase(part, "prod", number);
  countUnsupported(part, "decimal.Decimal", number);
  part.failures.push({ sid: String(number), reason: "corrupt", detail: "" });
  return part;
}

describe("Inspection", () => {
  it("the sum of its parts is the whole, whatever crossed a thread", () => {
    const whole = newInspection();
    for (const number of [3, 1, 2]) addInspection(whole, structuredClone(partOf(number)));
    const expected = partOf(6);
    expected.largestBytes = 300;
    expected.failures.splice(0);
    for (const sid of ["3", "1", "2"]) expected.failures.push({ sid, reason: "corrupt", detail: "" });
    assert.deepEqual(whole, expected);
  });

  it("counts 10,000 databases by name and sums the others; a name is cut", () => {
    const whole = newInspection();
    for (let number = 0; number < 12_000; number++) countDatabase(whole, `db${number}`);
    countDatabase(whole, "db7");
    assert.equal(whole.databases.size, 10_000);
    assert.equal(whole.databases.get("db7"), 2);
    assert.equal(whole.counts.otherDatabases, 2000);
    const other = newInspection();
    countDatabase(other, "x".repeat(1_000_000));
    assert.deepEqual([...other.databases.keys()], ["x".repeat(100)]);
  });

  it("counts 1,000 unsupported types by name and sums the others", () => {
    const whole = newInspection();
    for (let number = 0; number < 1500; number++) countUnsupported(whole, `a.C${number}`);
    assert.equal(whole.unsupported.size, 1000);
    assert.equal(whole.counts.otherUnsupported, 500);
  });

  it("keeps the first 100 failures", () => {
    const whole = newInspection();
    for (let number = 0; number < 150; number++) addInspection(whole, partOf(number));
    assert.equal(whole.failures.length, 100);
    assert.equal(whole.failures.at(-1)?.sid, "99");
  });

  const hour = 3_600_000;
  const places: readonly (readonly [limits: readonly number[], number: number, place: number])[] = [
    [inspectedAges, -5, 0],
    [inspectedAges, hour - 1, 0],
    [inspectedAges, hour, 1],
    [inspectedAges, 24 * hour, 2],
    [inspectedAges, 72 * hour, 3],
    [inspectedAges, 168 * hour - 1, 3],
    [inspectedAges, 168 * hour, 4],
    [inspectedSizes, 1, 0],
    [inspectedSizes, 255, 0],
    [inspectedSizes, 256, 1],
    [inspectedSizes, 1024, 2],
    [inspectedSizes, 16 * 1024, 3],
  ];
  for (const [limits, number, place] of places)
    it(`${number} is in place ${place} of ${limits.join()}`, () => {
      assert.equal(placeBelow(limits, number), place);
    });
});
