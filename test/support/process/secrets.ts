import assert from "node:assert/strict";

/**
 * Every password and every secret value of these tests holds this: an output that does not hold it
 * shows none of them.
 */
export const secretMark = "NotToBeShown";

const forbidden: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a password or a session's value", new RegExp(secretMark)],
  ["a session_token as make_sessions.py makes them", /([0-9a-f]{8})\1{3}/],
  ["a login as make_sessions.py makes them", /user[0-9]+@example\.com/],
];

/**
 * Each run of 40 or more of these is cut to 6 characters in any name that is printed: no whole sid
 * gets by.
 */
const wholeSid: readonly [what: string, pattern: RegExp] = ["a whole sid", /[A-Za-z0-9_-]{40,}/];

/** Variables of ours have long names. */
const ownName = /\bTELE_SESSION_REDIS(?:_[A-Z]+)*\b/g;

/**
 * Fails where a text that a run printed or wrote holds what must never be shown. The failure does
 * not show it either.
 */
export function assertNothingSecret(text: string, { idsAreShown = false } = {}): void {
  // A credential that an escape sequence or a line end cuts in two is still one.
  const joined = text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(ownName, "");
  for (const [what, pattern] of idsAreShown ? forbidden : [...forbidden, wholeSid]) {
    assert.ok(!pattern.test(joined), `the output holds ${what}: ${around(joined, pattern)}`);
  }
}

function around(text: string, pattern: RegExp): string {
  const at = text.search(pattern);
  return `${JSON.stringify(text.slice(Math.max(0, at - 60), Math.max(0, at)))} and then it`;
}
