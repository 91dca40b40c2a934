import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Conversion } from "../../src/convert/convert-session.js";
import { convertBytes } from "../support/python/compare-with-python.js";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const text = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;
/** A dict of protocol 4 whose values are all None. */
const plain = (...keys: string[]) => latin1(`\x80\x04}(${keys.map((key) => `${text(key)}N`).join("")}u.`);
/** That dict with a set in it, which only the pickle machine reads. */
const forMachine = (...keys: string[]) =>
  latin1(`\x80\x04}(${keys.map((key) => `${text(key)}N`).join("")}${text("s")}\x8fu.`);
const json = (...keys: string[]) => Buffer.from(JSON.stringify(Object.fromEntries(keys.map((key) => [key, null]))));

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
    ...["db", "uid", "login", "session_token", "context", "debug"].map((key) => [[key, "name"], "one key"] as const),
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
    ["damage instead of keys", latin1("\x80\x04}X\x01\x00\x00\x00\xffNs."), "corrupt: invalid text at byte 9"],
  ];
  for (const [name, bytes, verdict] of others) it(name, () => assert.equal(verdictOf(convertBytes(bytes)), verdict));
});

describe("the database that a session names, if somebody asks", () => {
  const rows: readonly (readonly [name: string, content: string, database: string | undefined])[] = [
    ["plain pickle", `\x80\x04}(${text("uid")}N${text("db")}${text("prod")}u.`, "prod"],
    ["of Python 2", "\x80\x02}(U\x03uidNU\x02dbU\x04produ.", "prod"],
    ["pickle for the machine", `\x80\x04}(${text("s")}\x8f${text("db")}${text("prod")}${text("uid")}Nu.`, "prod"],
    ["text that is not ASCII", `\x80\x04}(${text("uid")}N${text("db")}${text("\xc3\xa9")}u.`, "é"],
    ["protocol 0", "(dS'uid'\nNsS'db'\nS'prod'\ns.", "prod"],
    ["JSON", '{"uid": null, "db": "prod"}', "prod"],
    ["within another dict only", '{"uid": null, "context": {"db": "prod"}}', undefined],
    ["None", `\x80\x04}(${text("uid")}N${text("db")}Nu.`, undefined],
    ["no text", `\x80\x04}(${text("uid")}N${text("db")}K\x01u.`, undefined],
    ["no text, for the machine", `\x80\x04}(${text("s")}\x8f${text("db")}K\x01u.`, undefined],
    ["none", `\x80\x04}${text("uid")}Ns.`, undefined],
    ["nothing else", `\x80\x04}${text("db")}${text("prod")}s.`, "prod"],
  ];
  for (const [name, content, database] of rows)
    it(`${name}: ${database ?? "none"}`, () => {
      const asked = convertBytes(latin1(content), { tellsDatabase: true });
      const unasked = convertBytes(latin1(content));
      assert(asked.kind === "entry" && unasked.kind === "entry");
      assert.equal(asked.facts.database, database);
      const { database: _, ...others } = asked.facts;
      assert.deepEqual({ ...asked, facts: others }, unasked);
    });
});
