import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keyPrefix } from "../../src/convert/session-key.js";

describe("session-key: the part before the sid (formats.md section 4)", () => {
  const rows = [
    ["documented", null, "session:"],
    ["applet", null, "session:"],
    ["documented", "shop", "session:shop:"],
    ["applet", "shop", "session::shop:"],
    ["documented", "a:b", "session:a:b:"],
    ["applet", "a:b", "session::a:b:"],
    ["documented", "*?[ü]\\", "session:*?[ü]\\:"],
  ] as const;
  for (const [layout, prefix, expected] of rows)
    it(`${layout}, ${prefix ?? "no prefix"}`, () => assert.equal(keyPrefix(layout, prefix), expected));
});
