import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { type Conversion, convertSession } from "../../src/convert/convert-session.js";
import { failureReasons } from "../../src/model/outcome.js";
import { opcodeSoup } from "../support/sessions/opcode-soup.js";
import { bombNames } from "./bomb-names.js";

const nowMs = Date.UTC(2026, 0, 1);
const maxSessionSize = 64 * 1024;
const maxMs = 5000;

function convert(bytes: Buffer): Conversion {
  const settings = {
    keyPrefix: "session:",
    clockLeadMs: 0,
    ttl: "full",
    expiration: 604_800,
    expirationAnonymous: 10_800,
  } as const;
  const read = { bytes, mtimeMs: nowMs, openedAtMs: nowMs };
  return convertSession(read, "aa", { ...settings, maxSessionSize }, nowMs);
}

/** Checks an outcome: a documented reason, or printable ASCII of bounded size, in bounded time. */
function check(bytes: Buffer): void {
  const began = performance.now();
  const conversion = convert(bytes);
  const took = performance.now() - began;
  assert(took < maxMs, `${took} ms for ${bytes.toString("base64")}`);
  if (conversion.kind === "failed") {
    assert(failureReasons.includes(conversion.reason), conversion.reason);
    assert(conversion.detail.length < 1000);
  } else if (conversion.kind === "entry") {
    assert.match(conversion.entry.value, /^\{[\x20-\x7e]*\}$/);
    assert(conversion.entry.value.length <= maxSessionSize + 8);
    assert(Number.isSafeInteger(conversion.entry.expiresAtMs) && conversion.entry.expiresAtMs > nowMs);
    assert.equal(conversion.entry.key, "session:aa");
    JSON.parse(conversion.entry.value.replaceAll(/\b(?:NaN|-?Infinity)\b/g, "0"));
  }
}

const token = fc.constantFrom(
  ...["{", "}", "[", "]", ",", ":", " ", "\n", '"', '"a"', '"uid"', '"expiration"', '"_type"', '"value"', '"set"'],
  ...[
    "0",
    "-0",
    "1",
    "-1",
    "1.5",
    "1e400",
    "1e",
    "-",
    "01",
    "9".repeat(30),
    "null",
    "true",
    "false",
    "NaN",
    "-Infinity",
  ],
  ...['"\\u0000"', '"\\ud800"', '"\\x"', "\\", "\u0000", "é", "\ufeff", '"date_isoformat"', '"2020-01-01"'],
);
const jsonSoup = fc.array(token, { maxLength: 40 }).map((tokens) => Buffer.from(`{"db":0,${tokens.join("")}`));
const cutJson = fc
  .record({ value: fc.jsonValue(), cut: fc.nat(400) })
  .map(({ value, cut }) => Buffer.from(`{"db": ${JSON.stringify(value)}}`.slice(0, cut)));

describe("convertSession: any bytes give an outcome, never a throw (design.md section 2)", () => {
  const kinds = [
    ["random bytes", fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)), 2000],
    ["opcodes of pickles in any order", opcodeSoup, 8000],
    ["tokens of JSON in any order", jsonSoup, 5000],
    ["whole and cut JSON", cutJson, 2000],
  ] as const;
  for (const [name, arbitrary, numRuns] of kinds)
    it(`${name}: ${numRuns} runs`, () => fc.assert(fc.property(arbitrary, check), { numRuns }));
});

const bomb = fileURLToPath(new URL("./bomb.js", import.meta.url));

/** MiB, of each and for each: `npm run fuzz` takes as many as the largest file may have. */
const [size, heap] = process.env["TELE_SESSIONS_FUZZ"] === undefined ? [5, 256] : [60, 1024];

describe(`convertSession: any ${size} MiB take less than 20 s and a heap of ${heap} MiB`, () => {
  for (const name of bombNames) {
    it(name, () => {
      const args = [`--max-old-space-size=${heap}`, bomb, name, String(size)];
      const result = spawnSync(process.execPath, args, {
        encoding: "utf8",
        timeout: 20_000,
        killSignal: "SIGKILL",
      });
      const end = result.signal ?? result.status;
      assert.equal(
        end,
        0,
        `ended with ${end}: ${/^FATAL.*$/m.exec(result.stderr)?.[0] ?? result.stderr.slice(0, 500)}`,
      );
      assert.match(result.stdout, /^(?:entry|failed (?:corrupt|not-a-session|too-large|too-deep|unsupported-type))/);
    });
  }
});
