import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { floatRepr } from "../../src/format/float-repr.js";
import { askPython } from "../support/python/ask-python.js";

const howMany = 20_000;

describe("float-repr: a float as json.dumps writes it (formats.md section 3)", () => {
  const rows: readonly (readonly [value: number, text: string])[] = [
    [1, "1.0"],
    [-0, "-0.0"],
    [0, "0.0"],
    [0.1, "0.1"],
    [1e15, "1000000000000000.0"],
    [9999999999999998, "9999999999999998.0"],
    [1e16, "1e+16"],
    [1.5e16, "1.5e+16"],
    [1e22, "1e+22"],
    [1e100, "1e+100"],
    [1e-4, "0.0001"],
    [0.00012345, "0.00012345"],
    [9.9e-5, "9.9e-05"],
    [1e-7, "1e-07"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
  ];
  for (const [value, text] of rows) it(text, () => assert.equal(floatRepr(value), text));

  it(`agrees with Python about ${howMany} random floats`, async () => {
    const floats = Array.from({ length: howMany }, (_, index) => randomFloat(index % 4));
    const expected = await askPython<string>(
      "json.dumps(struct.unpack('>d', bytes.fromhex(item))[0])",
      floats.map(bitsOf),
      "import struct",
    );
    const wrong = floats.flatMap((float, index) =>
      floatRepr(float) === expected[index] ? [] : [`${bitsOf(float)}: ${expected[index]}, not ${floatRepr(float)}`],
    );
    assert.deepEqual(wrong, []);
  });
});

/** Any bits, a fraction of few digits, a whole number up to 10^17, one near the exponent form. */
function randomFloat(kind: number): number {
  const bytes = randomBytes(8);
  const bits = bytes.readDoubleBE();
  const fraction = bytes.readUInt32BE() / 2 ** 32;
  if (kind === 0) return bits;
  if (kind === 1) return Number((fraction * 1000 - 500).toFixed((bytes[7] ?? 0) % 5));
  if (kind === 2) return Math.round(fraction * 10 ** (14 + ((bytes[7] ?? 0) % 5)));
  return fraction * 10 ** (((bytes[7] ?? 0) % 9) - 8);
}

function bitsOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}
