import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Conversion, convertSession } from "../../src/convert/convert-session.js";
import { expiryInstant, fullLifetime } from "../../src/convert/lifetime.js";
import { crc32ByTable } from "../../src/convert/sign.js";
import { newDict, type PythonValue, setItem } from "../../src/format/python-value.js";

const second = 1000;
const nowMs = Date.UTC(2026, 0, 10);
const expiration = 604_800;
const expirationAnonymous = 10_800;

interface Times {
  readonly ttl?: "full" | "remaining";
  /** Before now; negative in the future. */
  readonly openedMsAgo?: number;
  readonly modifiedMsAgo?: number;
}

function convert(json: string, { ttl = "full", openedMsAgo = 0, modifiedMsAgo = 0 }: Times = {}): Conversion {
  const session = json === "{}" ? '{"db": null}' : json.replace("{", '{"db": null, ');
  const read = {
    bytes: Buffer.from(session),
    mtimeMs: nowMs - modifiedMsAgo,
    openedAtMs: nowMs - openedMsAgo,
  };
  const settings = {
    keyPrefix: "session:",
    clockLeadMs: 0,
    ttl,
    expiration,
    expirationAnonymous,
    maxSessionSize: 1e6,
  };
  return convertSession(read, "aa", settings, nowMs);
}

/** How long the entry lives from now, milliseconds, sign included; the kind if it is no entry. */
function livesFor(conversion: Conversion): number | string {
  if (conversion.kind !== "entry") return conversion.kind;
  const { expiresAtMs, value } = conversion.entry;
  assert.equal(expiresAtMs % 1000, crc32ByTable(Buffer.from(value)) % 1000, "it carries the sign of the value");
  return expiresAtMs - nowMs;
}

/** The sign takes less than a second. */
function assertLife(life: number | string, expected: number | string): void {
  if (typeof expected === "string" || typeof life === "string") assert.equal(life, expected);
  else assert.ok(life <= expected && life > expected - second, `${life} for ${expected}`);
}

const full = expiration * second;
const anonymous = expirationAnonymous * second;
const day = 86_400 * second;

describe("lifetime: one absolute instant (spec.md section 4, Lifetime)", () => {
  const rows: readonly (readonly [name: string, json: string, times: Times, expected: number | string])[] = [
    ["full, authenticated: from the opening, less 2 s", '{"uid": 2}', {}, full - 2000],
    ["full, anonymous", '{"uid": null}', {}, anonymous - 2000],
    ["full, no uid at all", "{}", {}, anonymous - 2000],
    ["full: uid 0 is anonymous", '{"uid": 0}', {}, anonymous - 2000],
    ["full: uid false is anonymous", '{"uid": false}', {}, anonymous - 2000],
    ["full: uid 0.0 is anonymous", '{"uid": 0.0}', {}, anonymous - 2000],
    ["full: a text uid is authenticated", '{"uid": "0"}', {}, full - 2000],
    ["full: the file's age says nothing", '{"uid": 2}', { modifiedMsAgo: 30 * day }, full - 2000],
    ["full: a conversion long after the opening does not move it", '{"uid": 2}', { openedMsAgo: 5000 }, full - 7000],
    ["remaining: from the mtime", '{"uid": 2}', { ttl: "remaining", modifiedMsAgo: day }, full - day],
    ["remaining, anonymous", "{}", { ttl: "remaining", modifiedMsAgo: 3000 }, anonymous - 3000],
    [
      "remaining: an mtime in the future: from 2 s before the opening",
      '{"uid": 2}',
      { ttl: "remaining", modifiedMsAgo: -day },
      full - 2000,
    ],
    ["remaining: over a day ago", '{"uid": 2}', { ttl: "remaining", modifiedMsAgo: full + day }, "expired"],
    ["remaining: over just now", '{"uid": 2}', { ttl: "remaining", modifiedMsAgo: full }, "expired"],
    ["remaining: two seconds left", '{"uid": 2}', { ttl: "remaining", modifiedMsAgo: full - 2000 }, 2000],
    ["its deletion_time comes first", `{"uid": 2, "deletion_time": ${nowMs / 1000 + 60.5}}`, {}, 60_500],
    ["its deletion_time comes later", `{"uid": 2, "deletion_time": ${nowMs / 1000 + expiration}}`, {}, full - 2000],
    ["its deletion_time is past", `{"uid": 2, "deletion_time": ${nowMs / 1000}}`, {}, "expired"],
    ["a deletion_time that is no number", '{"uid": 2, "deletion_time": "1"}', {}, full - 2000],
    ["a deletion_time that is a bool", '{"uid": 2, "deletion_time": true}', {}, full - 2000],
    ["a deletion_time that is not finite", '{"uid": 2, "deletion_time": NaN}', {}, full - 2000],
    ["own: an int", '{"expiration": 60}', {}, 58_000],
    ["own: above authenticated and anonymous alike", '{"uid": 2, "expiration": 60}', {}, 58_000],
    ["own, remaining", '{"expiration": 60}', { ttl: "remaining", modifiedMsAgo: 20_000 }, 40_000],
    ["own: 10 digits", '{"expiration": 9999999999}', {}, 9_999_999_999_000 - 2000],
    ["own: a text", '{"expiration": "60"}', {}, 58_000],
    ["own: a text of 10 digits", '{"expiration": "9999999999"}', {}, 9_999_999_999_000 - 2000],
    ["own: a text with leading zeros", '{"expiration": "0060"}', {}, 58_000],
    ["own: 0 is none", '{"uid": 2, "expiration": 0}', {}, full - 2000],
    ["own: '0' is none", '{"uid": 2, "expiration": "0"}', {}, full - 2000],
    ["own: null is none", '{"expiration": null}', {}, anonymous - 2000],
    ["own: an empty text is none", '{"expiration": ""}', {}, anonymous - 2000],
    ["own: false is none", '{"expiration": false}', {}, anonymous - 2000],
    ["own: 0.0 is none", '{"expiration": 0.0}', {}, anonymous - 2000],
    ["own: an empty list is none", '{"expiration": []}', {}, anonymous - 2000],
    ["own: negative is over", '{"uid": 2, "expiration": -1}', {}, "expired"],
    ["own: negative text is over", '{"uid": 2, "expiration": "-1"}', {}, "expired"],
    ["own: negative beyond any number is over", `{"uid": 2, "expiration": -${"9".repeat(400)}}`, {}, "expired"],
    ["own: 2 s, which the margin takes", '{"expiration": 2}', {}, "expired"],
    ["own: 4 s", '{"expiration": 4}', {}, 2000],
  ];
  for (const [name, json, times, expected] of rows) {
    it(name, () => {
      const conversion = convert(json, times);
      assertLife(livesFor(conversion), expected);
      assert(conversion.kind !== "failed" && conversion.warning === undefined);
    });
  }

  const odd = [
    ...["60.0", "1e3", "true", '"60 "', '"+60"', '"6_0"', '"0x10"', '"60.0"', '"10000000000"', '"soon"', '"６０"'],
    ...["10000000000", "9".repeat(400), "[60]", '{"a": 1}', "NaN", "Infinity"],
  ];
  for (const text of odd) {
    it(`own: ${text.slice(0, 20)} is odd: the default, and a warning`, () => {
      const conversion = convert(`{"uid": 2, "expiration": ${text}}`);
      assertLife(livesFor(conversion), full - 2000);
      assert(conversion.kind === "entry" && conversion.warning !== undefined);
    });
  }

  it("an odd one of an expired session warns too", () => {
    const conversion = convert('{"expiration": "soon"}', { ttl: "remaining", modifiedMsAgo: day });
    assert(conversion.kind === "expired" && conversion.warning !== undefined);
  });
});

describe("lifetime: the pieces", () => {
  it("fullLifetime says which default it used", () => {
    const settings = { ttl: "full", expiration, expirationAnonymous } as const;
    const rows: readonly (readonly [own: PythonValue, authenticated: boolean, seconds: number, odd: boolean])[] = [
      [null, true, expiration, false],
      [null, false, expirationAnonymous, false],
      [5, true, 5, false],
      [-5n, true, -5, false],
      [10n ** 30n, false, expirationAnonymous, true],
      [{ kind: "float", value: Number.NaN }, true, expiration, true],
    ];
    for (const [own, authenticated, seconds, isOdd] of rows) {
      const session = newDict();
      setItem(session, "expiration", own);
      assert.deepEqual(fullLifetime(session.values.get("expiration"), authenticated, settings), {
        seconds,
        origin: seconds === expiration ? "authenticated" : seconds === expirationAnonymous ? "anonymous" : "own",
        odd: isOdd,
      });
    }
  });

  it("expiryInstant is a whole number of milliseconds", () => {
    const read = { bytes: Buffer.alloc(0), mtimeMs: nowMs - 2000.9999, openedAtMs: nowMs };
    const instant = expiryInstant(read, { seconds: 10, origin: "own", odd: false }, "remaining");
    assert.equal(instant, nowMs + 7999);
  });
});
