import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { crc32ByTable, isSigned, signedInstant } from "../../src/convert/sign.js";

describe("sign: the last three digits of an expiry are the CRC-32 of the value modulo 1000 (spec.md section 4)", () => {
  it("CRC-32 by table agrees with zlib and with Python's zlib", () => {
    assert.equal(crc32ByTable(Buffer.from("123456789")), 0xcbf43926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        if (zlib.crc32 !== undefined) assert.equal(crc32ByTable(Buffer.from(bytes)), zlib.crc32(bytes));
      }),
    );
  });

  it("lowers by less than a second on Redis's clock, whether that is ahead or behind", () => {
    const instant = fc.integer({ min: 0, max: 2 ** 45 });
    const lead = fc.integer({ min: -10_000_000, max: 10_000_000 });
    fc.assert(
      fc.property(instant, lead, fc.string(), (expiresAtMs, clockLeadMs, value) => {
        const signed = signedInstant(expiresAtMs, value, clockLeadMs);
        assert.ok(signed <= expiresAtMs && signed > expiresAtMs - 1000);
        const stored = { kind: "text" as const, value: Buffer.from(value) };
        assert.equal(isSigned({ ...stored, expiresAtMs: signed }, clockLeadMs), true);
        assert.equal(isSigned({ ...stored, expiresAtMs: signed + 1 }, clockLeadMs), false);
        assert.equal(signedInstant(signed, value, clockLeadMs), signed, "signing again moves nothing");
      }),
    );
  });

  it("a key without an expiry carries no sign", () =>
    assert.equal(isSigned({ kind: "text", value: Buffer.from("{}"), expiresAtMs: null }, 0), false));
});
