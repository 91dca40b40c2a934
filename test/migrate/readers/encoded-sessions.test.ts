import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { entryMemory } from "../../../src/migrate/memory-need.js";
import type { Prepared } from "../../../src/migrate/prepare-session.js";
import { EncodedSessions } from "../../../src/migrate/readers/encoded-sessions.js";
import { sha1 } from "../../../src/redis/sha1.js";
import { sidOf } from "../../support/sessions/session-directory.js";

const expiresAtMs = 1_800_000_000_000;

/** A session that was prepared; each number is another one. */
function preparedOf(number: number, change: Partial<Prepared["outcome"]> = {}, value = `{"n": ${number}}`): Prepared {
  const sid = sidOf(number);
  return {
    file: { directory: "/d", name: `werkzeug_${sid}.sess`, layout: "flat", sid },
    stamp: { mtimeMs: 1_700_000_000_000.25 + number, ctimeMs: 1_700_000_000_001.5 + number },
    candidate: {
      entry: { key: `session:${sid}`, value, expiresAtMs: expiresAtMs - number },
      mtimeMs: 1_700_000_000_000.25 + number,
      fullLifetimeMs: 604_800_000 + number,
    },
    lifetimeOrigin: (["own", "authenticated", "anonymous"] as const)[number % 3] ?? "own",
    outcome: {
      ...{ sid, kind: "copied", format: number % 2 === 0 ? "pickle" : "json", bytesRead: 70 + number },
      ...{ facts: { authenticated: number % 3 === 1, lossy: number % 5 === 0 }, bytesWritten: value.length },
      ...{ mtimeMs: 1_700_000_000_000.25 + number, expiresAtMs: expiresAtMs - number },
      ...change,
    },
  };
}

function encode(all: readonly Prepared[], { room = 1024 * 1024, clockLeadMs = 0 } = {}): EncodedSessions {
  const sessions = EncodedSessions.empty(new ArrayBuffer(room), all.length, true);
  for (const [index, one] of all.entries()) sessions.add(3 * index, one, clockLeadMs);
  return sessions;
}

function decode(sessions: EncodedSessions, all: readonly Prepared[]): Prepared[] {
  return all.map(({ file }, row) => sessions.preparedAt(row, file, `session:${file.sid}`));
}

describe("encoded-sessions: finished commands, and what is known of each session", () => {
  it("each is one SET, only if there is no key, with its instant on Redis's clock", () => {
    const prepared = preparedOf(1, {}, "{}");
    const { entry } = prepared.candidate;
    const candidate = { ...prepared.candidate, entry: { ...entry, key: "session:ä:1" } };
    const sessions = encode([{ ...prepared, candidate }, preparedOf(2, {}, "{}")], { clockLeadMs: -250 });
    const [first, second] = sessions.commands.toString().split(/(?<=1799999999749\r\n)/);
    const parts = ["SET", "session:ä:1", "{}", "NX", "PXAT", "1799999999749"];
    const text = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("");
    assert.equal(first, `*6\r\n${text}`);
    assert.match(second ?? "", /^\*6\r\n\$3\r\nSET\r\n.*\r\n1799999999748\r\n$/s);
    assert.equal(sessions.expiresAtMs(0), expiresAtMs - 1, "on our clock");
  });

  it("none", () => {
    const sessions = encode([]);
    assert.deepEqual([sessions.count, sessions.commands.length, sessions.memory], [0, 0, 0]);
    assert.equal(sessions.soonestMs, Number.POSITIVE_INFINITY);
  });

  it("each comes back as it was, however large the room is", () => {
    const numbers = fc.array(fc.nat(1000), { maxLength: 40 });
    const value = fc.option(fc.nat(3000), { nil: undefined });
    fc.assert(
      fc.property(numbers, value, fc.constantFrom(0, 1, 100, 5000, 100_000), (all, length, room) => {
        const prepared = all.map((number) =>
          preparedOf(number, {}, length === undefined ? undefined : `"${"x".repeat(length)}"`),
        );
        const sessions = encode(prepared, { room });
        assert.deepEqual(decode(sessions, prepared), prepared);
        assert.equal(sessions.count, prepared.length);
        for (const [row, { candidate, outcome, file }] of prepared.entries()) {
          const { value } = candidate.entry;
          assert.equal(sessions.place(row), 3 * row);
          assert.equal(sessions.valueLength(row), value.length);
          assert.equal(Buffer.from(sessions.digest(row)).toString("hex"), sha1(value));
          assert.deepEqual(sessions.outcomeAt(row, file.sid), outcome);
        }
        const entries = prepared.map(({ candidate }) => candidate.entry);
        assert.equal(
          sessions.memory,
          entries.reduce((sum, entry) => sum + entryMemory(entry.key, entry.value), 0),
        );
        assert.equal(sessions.soonestMs, Math.min(...entries.map((entry) => entry.expiresAtMs)));
      }),
    );
  });

  it("they cross threads without a copy, and more can be added", () => {
    const all = [1, 2, 3].map((number) => preparedOf(number));
    const { table } = EncodedSessions.empty(new ArrayBuffer(1000), all.length, true);
    const before = EncodedSessions.of(table);
    for (const [index, one] of all.slice(0, 2).entries()) before.add(3 * index, one, 0);
    const sent = before.table;
    const crossed = structuredClone(sent, {
      transfer: [sent.commands, sent.numbers.buffer, sent.digests.buffer],
    });
    assert.equal(sent.commands.byteLength, 0);
    const after = EncodedSessions.of(crossed);
    const [, , last = assert.fail()] = all;
    after.add(6, last, 0);
    assert.deepEqual(decode(after, all), all);
    assert.equal(after.commands.toString(), encode(all).commands.toString());
    assert.equal(after.memory, encode(all).memory);
  });
});
