import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { seeCopyWritten } from "../../../src/migrate/earlier-runs/retract.js";
import { MemoryStore } from "../../support/memory-store.js";

const sid = "5".repeat(40);
const key = `session:p:${sid}`;
const value = '{"uid": 2, "login": "Z\\u00fcrich"}';
const endsMs = Date.UTC(2100, 0, 1) + 500;
const clockLeadMs = -1234;
const signedMs = signedInstant(endsMs, value, clockLeadMs) + clockLeadMs;

describe("retract: only a key as a copy left it is deleted (spec.md section 4, Lifetime)", () => {
  const rows: readonly (readonly [
    name: string,
    key: string,
    value: string | null,
    expiresAtMs: number | null,
    stays: boolean,
  ])[] = [
    ["as a copy left it, on Redis's clock", key, value, signedMs, false],
    ["saved by a server: another expiry", key, value, signedMs - 1, true],
    ["saved by a server: another value", key, `${value} `, signedMs, true],
    ["without an expiry", key, value, null, true],
    ["of another type", key, null, signedMs, true],
    ["under another prefix", `session:${sid}`, value, signedMs, true],
  ];
  for (const [name, key, value, expiresAtMs, stays] of rows) {
    it(`${name}: it ${stays ? "stays" : "goes"}`, async () => {
      const store = new MemoryStore("session:p:", clockLeadMs);
      store.keys.set(key, { value, expiresAtMs });
      await store.retract(await seeCopyWritten(store, ["6".repeat(40), sid], clockLeadMs));
      assert.equal(store.keys.has(key), stays);
    });
  }

  it("a server saves between reading and deleting: the key stays", async () => {
    const store = new MemoryStore("session:p:", clockLeadMs);
    store.keys.set(key, { value, expiresAtMs: signedMs });
    const { read } = store;
    store.read = async (keys) => {
      const stored = await read.call(store, keys);
      store.keys.set(key, { value, expiresAtMs: signedMs + 1 });
      return stored;
    };
    await store.retract(await seeCopyWritten(store, [sid], clockLeadMs));
    assert.equal(store.keys.has(key), true);
  });
});
