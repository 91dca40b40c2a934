import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Conversion } from "../../src/convert/convert-session.js";
import { convertBytes } from "../support/compare-with-python.js";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const text = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;
/** A dict of protocol 4 whose values are all None. */
const plain = (...keys: string[]) => latin1(`\x80\x04}(${keys.map((key) => `${text(key)}N`).join("")}u.`);
/** That dict with a set in it, which only the pickle machine reads. */
const forMachine = (...keys: string[]) =>
  latin1(`\x80\x04}(${keys.map((key) => `${text(key)}N`).join("")}${text("s")}\x8fu.`);
const json = (...keys: string[]) =>
  Buffer.from(JSON.stringify(Object.fromEntries(keys.map((key) => [key, null]))));

const verdictOf = (conversion: Conversion) =>
  conversion.kind === "failed"
    ? `${conversion.reason}: ${conversion.detail}`
    : conversion.facts.hasOneKey
      ? "one key"
      : "a session";

const none = "not-a-session: a dict with none of db, uid, login, session_token, context, debug";

describe("a session holds at least one of the keys that every server saves", () => {
  const rows: readonly (readonly [keys: readonly string[], verdict: string])[] = [
    [[], none],
    [["name", "expiration", "deletion_time"], none],
    [["Uid", "uid ", "dbs", "_db", "session-token"], none],
    [["a", "b", "c"], none],
    ...["db", "uid", "login", "session_token", "context", "debug"].map(
      (key) => [[key, "name"], "one key"] as const,
    ),
    [["name", "debug"], "one key"],
    [["db", "uid"], "a session"],
    [["context", "name", "debug"], "a session"],
    [["db", "uid", "login", "session_token", "context", "debug"], "a session"],
  ];
  const forms = { "plain pickle": plain, "pickle for the machine": forMachine, JSON: json };
  for (const [form, write] of Object.entries(forms)) {
    for (const [keys, verdict] of rows)
      it(`${form} with ${keys.join(", ") || "no key"}: ${verdict}`, () => {
        assert.equal(verdictOf(convertBytes(write(...keys))), verdict);
      });
  }

  const others: readonly (readonly [name: string, bytes: Buffer, verdict: string])[] = [
    ["keys within another dict", latin1("\x80\x04}\x8c\x01a}\x8c\x02dbNss."), none],
    ["keys of another type", latin1("\x80\x04}(K\x01N\x88NG\x00\x00\x00\x00\x00\x00\x00\x00Nu."), none],
    ["byte strings of Python 2, protocol 2", latin1("\x80\x02}(U\x02dbNU\x03uidNu."), "a session"],
    ["byte strings of Python 2, protocol 0", latin1("(dS'db'\nNsS'\\x75id'\nNs."), "a session"],
    ["one byte string of Python 2", latin1("\x80\x02}U\x02dbNs."), "one key"],
    ["a key twice", Buffer.from('{"db": 1, "db": 2}'), "one key"],
    [
      "damage instead of keys",
      latin1("\x80\x04}X\x01\x00\x00\x00\xffNs."),
      "corrupt: invalid text at byte 9",
    ],
  ];
  for (const [name, bytes, verdict] of others)
    it(name, () => assert.equal(verdictOf(convertBytes(bytes)), verdict));
});
