import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { deleteCopyWritten } from "../../../src/migrate/earlier-runs/delete-copy-written.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { resilientOf } from "../../redis/support/client-of.js";
import { redisCommand } from "../../support/redis-command.js";

const sid = "5".repeat(40);
const key = `session:p:${sid}`;
const value = '{"uid": 2, "login": "Z\\u00fcrich"}';
const endsMs = Date.UTC(2100, 0, 1) + 500;
const clockLeadMs = -1234;
const signedMs = signedInstant(endsMs, value, clockLeadMs) + clockLeadMs;

describe("delete-copy-written: a copy-written key is deleted by compare-and-set (spec.md section 4, Lifetime)", () => {
  const rows: readonly (readonly [name: string, command: readonly string[], stands: boolean])[] = [
    ["as a copy left it, on Redis's clock", ["SET", key, value, "PXAT", String(signedMs)], false],
    ["saved by a server: another instant", ["SET", key, value, "PXAT", String(signedMs - 1)], true],
    ["saved by a server: another value", ["SET", key, `${value} `, "PXAT", String(signedMs)], true],
    ["without a lifetime", ["SET", key, value], true],
    ["of another type", ["RPUSH", key, value], true],
    ["under another prefix", ["SET", `session:${sid}`, value, "PXAT", String(signedMs)], true],
  ];
  for (const [name, command, stands] of rows) {
    it(`${name}: it ${stands ? "stays" : "goes"}`, async (t) => {
      const server = await redisOf(t);
      const connection = await resilientOf(t, server);
      await redisCommand(server, ...command);
      const absent = "6".repeat(40);
      await deleteCopyWritten(connection, [{ sid: absent }, { sid }], {
        keyPrefix: "session:p:",
        clockLeadMs,
      });
      assert.equal(await redisCommand(server, "DBSIZE"), stands ? 1 : 0);
    });
  }
});
