import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Entry } from "../../src/model/entry.js";
import type { StoredText } from "../../src/model/stored-value.js";
import type { SessionStore } from "../../src/redis/session-store.js";
import { sha1 } from "../../src/redis/sha1.js";
import type { Contents, StoredKey } from "../support/memory-store.js";
import { encodedEntries } from "./support/encoded-entries.js";

/** How to make a store that is to be tested. */
export interface TestedStore {
  /** Makes a store with these contents, whose clock is ahead of ours by so many milliseconds. */
  readonly open: (
    t: TestContext,
    contents: Contents,
    clockLeadMs: number,
  ) => Promise<{ readonly store: SessionStore; readonly contents: () => Promise<Contents> }>;
  /** Whether it writes nothing, and foresees that nothing changes between reading and writing. */
  readonly isDry?: boolean;
  /** Whether it leaves encoded entries to `create`. */
  readonly refusesEncoded?: boolean;
}

/** A call, its answer, and what the store then holds. */
interface Row {
  readonly before?: Contents;
  readonly leadMs?: number;
  readonly call: (store: SessionStore) => Promise<unknown>;
  readonly answer: unknown;
  /** The answer of a store that writes nothing, if it is another. */
  readonly dryAnswer?: unknown;
  /** Absent: as before. */
  readonly after?: Contents;
}

const later = Date.now() + 1_000_000;
const over = Date.now() - 1;
const deepList = `{"a": ${"[".repeat(499)}${"]".repeat(499)}}`;
const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("latin1");

const key = "session:a";
const entries = [
  { key, value: "{}", expiresAtMs: later },
  { key: "session:-b", value: '{"a": "\\ud800\\u00e9\\udfff\\\\ \\"\\n"}', expiresAtMs: later + 1 },
  { key: "session::pre fix\r\n*ü\u{1f600}:c", value: deepList, expiresAtMs: later + 2 },
  { key: "session:d", value: `{"b": "${"x".repeat(1_000_000)}"}`, expiresAtMs: 9_999_999_999_000 },
] as const;
const [first, second, third, fourth] = entries;

const text = (value: string, expiresAtMs: number | null): StoredKey => ({ value, expiresAtMs });
const list = (expiresAtMs: number | null = null): StoredKey => ({ value: null, expiresAtMs });
/** What a store holds after these entries were written. */
const contentsOf = (written: readonly Entry[], leadMs = 0): Contents =>
  Object.fromEntries(written.map(({ key, value, expiresAtMs }) => [key, text(value, expiresAtMs + leadMs)]));
const isAlive = ({ expiresAtMs }: StoredKey) => expiresAtMs === null || expiresAtMs > Date.now();
/** The keys that have not expired. */
const alive = (contents: Contents): Contents =>
  Object.fromEntries(Object.entries(contents).filter(([, stored]) => isAlive(stored)));

/** The same, if no entry is taken. */
function refused({ after: _, ...row }: Row): Row {
  return Array.isArray(row.answer) ? { ...row, answer: row.answer.map(() => "refused") } : row;
}

/** Tests what every `SessionStore` promises (spec.md section 4). */
export function testSessionStore(name: string, tested: TestedStore): void {
  const { open, isDry = false, refusesEncoded = false } = tested;
  const test = (title: string, given: Row) =>
    it(title, async (t) => {
      const row = refusesEncoded && title.startsWith("createEncoded") ? refused(given) : given;
      const { before = {}, leadMs = 0, call, answer, dryAnswer = answer, after = before } = row;
      const { store, contents } = await open(t, before, leadMs);
      assert.deepEqual(await call(store), isDry ? dryAnswer : answer);
      assert.deepEqual(alive(await contents()), alive(isDry ? before : after));
    });

  describe(`${name}: creates the keys that do not exist`, () => {
    const kindsOf = (...kinds: readonly string[]) => kinds.map((kind) => ({ kind }));
    const stored = {
      [first.key]: text("older", null),
      [second.key]: text("older", later + 77),
      [fourth.key]: list(),
    };
    for (const method of ["create", "createEncoded"] as const) {
      const isPlain = method === "create";
      const answers = (...kinds: readonly string[]) => (isPlain ? kindsOf(...kinds) : kinds);
      const create =
        (some: readonly Entry[], leadMs = 0) =>
        (store: SessionStore) =>
          isPlain ? store.create(some) : store.createEncoded(...encodedEntries(some, leadMs));
      test(`${method}: every value and expiry exactly, under keys of any characters`, {
        call: create(entries),
        answer: answers("created", "created", "created", "created"),
        after: contentsOf(entries),
      });
      test(`${method}: sent again, they exist, and nothing changes`, {
        before: contentsOf(entries),
        call: create(entries),
        answer: answers("exists", "exists", "exists", "exists"),
      });
      test(`${method}: a key that exists is left alone, whatever it holds and for how long`, {
        before: stored,
        call: create(entries),
        answer: answers("exists", "exists", "created", "exists"),
        after: { ...stored, ...contentsOf([third]) },
      });
      test(`${method}: a key that expired does not exist`, {
        before: { [key]: text("older", over) },
        call: create([first]),
        answer: answers("created"),
        after: contentsOf([first]),
      });
      for (const leadMs of [5000, -5000]) {
        test(`${method}: an expiry is moved by the clock lead of ${leadMs} ms`, {
          leadMs,
          call: create([first], leadMs),
          answer: answers("created"),
          after: contentsOf([first], leadMs),
        });
      }
    }

    const past = { ...second, expiresAtMs: over };
    test("create: an expired entry is not sent, and the others keep their places", {
      before: { [first.key]: text("older", null) },
      call: (store) => store.create([past, first, past, third]),
      answer: kindsOf("expired", "exists", "expired", "created"),
      after: { [first.key]: text("older", null), ...contentsOf([third]) },
    });
    test("create: what was sent before may have been written by this run", {
      before: contentsOf([first]),
      call: (store) => store.create([first, second, past], true),
      answer: [{ kind: "exists", sentBefore: true }, { kind: "created" }, { kind: "expired" }],
      dryAnswer: kindsOf("exists", "created", "expired"),
      after: contentsOf([first, second]),
    });
    test("createEncoded: nothing is sent if one of them expired", {
      call: (store) => store.createEncoded(...encodedEntries([first, past, third], 0)),
      answer: undefined,
    });
  });

  describe(`${name}: reads`, () => {
    test("every kind of value, in the order of the keys; a key asked for twice, twice", {
      before: {
        binary: text(allBytes, later),
        endless: text("{}", null),
        empty: text("", later + 1),
        number: text("17", later),
        list: list(),
        fading: list(later),
        over: text("{}", over),
      },
      call: (store) =>
        store.read([...["list", "binary", "nothing", "endless", "empty"], ...["fading", "number", "binary", "over"]]),
      answer: [
        { kind: "other-type" },
        storedText(allBytes, later),
        { kind: "nothing" },
        storedText("{}", null),
        storedText("", later + 1),
        { kind: "other-type" },
        storedText("17", later),
        storedText(allBytes, later),
        { kind: "nothing" },
      ],
    });
    for (const leadMs of [1, 5000, -5000]) {
      test(`an expiry on our clock, ${leadMs} ms behind; a key that never expires has none`, {
        leadMs,
        before: { a: text("{}", later), b: text("{}", null) },
        call: (store) => store.read(["a", "b"]),
        answer: [storedText("{}", later - leadMs), storedText("{}", null)],
      });
    }
    test("which keys exist, in their order, whatever their type", {
      before: { [key]: text("{}", null), list: list(), over: text("{}", over), [third.key]: text("", later) },
      call: (store) => store.exist(["none", key, "list", "over", key, third.key]),
      answer: [false, true, true, false, true, true],
    });
    test("nothing, if nothing is given, as every method does", {
      call: (store) =>
        Promise.all([
          ...[store.read([]), store.exist([]), store.create([]), store.createEncoded(...encodedEntries([], 0))],
          ...[store.replace([]), store.overwrite([]), store.retract([])],
        ]),
      answer: [[], [], [], [], [], [], []],
    });
    test("the key of a session", { call: async (store) => store.keyOf("a:b"), answer: "session:a:b" });
  });

  const entry: Entry = { key, value: '{"new": 1}', expiresAtMs: later + 500 };
  describe(`${name}: replaces a value that is exactly as it was read`, () => {
    const rows: readonly (readonly [
      name: string,
      value: string,
      expiresAtMs: number | null,
      change?: { readonly by?: Entry; readonly leadMs?: number },
    ])[] = [
      ["a value and its expiry", "{}", later],
      ["no expiry", "{}", null],
      ["an empty value", "", later],
      ["bytes of every kind", allBytes, later],
      ["a lone surrogate, escaped", '{"a": "\\ud800"}', later],
      ["a lone surrogate, as bytes", "\xed\xa0\x80", null],
      ["500 levels", deepList, later],
      ["a megabyte", "x".repeat(1_000_000), later],
      ["a text that reads like a number", "1e3", later],
      ["a far expiry", "{}", 9_999_999_999_999],
      ["an expiry in 140,000 years", "{}", 2 ** 52],
      ["the new value already, until another time", entry.value, later],
      ["the new value already, without an expiry", entry.value, null],
      ["by escapes", "{}", null, { by: second }],
      ["by 500 levels", "{}", null, { by: third }],
      ["a clock that is ahead", "{}", later, { leadMs: 5000 }],
      ["a clock that is behind", "{}", later, { leadMs: -5000 }],
    ];
    for (const [title, value, expiresAtMs, { by = entry, leadMs = 0 } = {}] of rows) {
      test(title, {
        leadMs,
        before: { [by.key]: text(value, expiresAtMs) },
        call: async (store) => {
          const [seen] = await store.read([by.key]);
          assert(seen?.kind === "text");
          return store.replace([{ entry: by, stored: seen }]);
        },
        answer: [true],
        after: contentsOf([by], leadMs),
      });
    }
  });

  describe(`${name}: does not replace what changed since it was read`, () => {
    const [seen, endless] = [storedText("{}", later), storedText("{}", null)];
    const rows: readonly (readonly [name: string, now: StoredKey | undefined, stored?: StoredText])[] = [
      ["another value, the same expiry", text("[]", later)],
      ["the same value, a later expiry", text("{}", later + 1)],
      ["the same value, an earlier expiry", text("{}", later - 1)],
      ["the same value, no expiry yet", text("{}", null)],
      ["no expiry seen, one set since", text("{}", later), endless],
      ["no expiry seen, another value since", text("[]", null), endless],
      ["longer by a byte", text("{} ", later)],
      ["a zero byte after it", text("{}\0", later)],
      ["gone", undefined],
      ["gone, no expiry seen", undefined, endless],
      ["gone, an empty value seen", undefined, storedText("", null)],
      ["expired", text("{}", over)],
      ["another type", list(later)],
      ["the new value seen, a later expiry since", text(entry.value, later + 1), storedText(entry.value, later)],
      ["the new value seen, another type since", list(later), storedText(entry.value, later)],
    ];
    for (const [title, now, was = seen] of rows) {
      test(title, {
        before: now === undefined ? {} : { [key]: now },
        call: (store) => store.replace([{ entry, stored: was }]),
        answer: [false],
        dryAnswer: [true],
      });
    }
    const stored = { 0: text("{}", null), 1: text("[]", null), 2: list(), 3: text("{}", null) };
    test("each answer belongs to its own entry", {
      before: stored,
      call: (store) =>
        store.replace([0, 1, 2, 3, 4].map((id) => ({ entry: { ...entry, key: `${id}` }, stored: endless }))),
      answer: [true, false, false, true, false],
      dryAnswer: [true, true, true, true, true],
      after: { ...stored, 0: text(entry.value, entry.expiresAtMs), 3: text(entry.value, entry.expiresAtMs) },
    });
    test("the entry expired before it was sent: what the key holds stays, also if it is equal", {
      before: { [key]: text("{}", later), [second.key]: text(second.value, later) },
      call: (store) =>
        store.replace([
          { entry: { ...entry, expiresAtMs: over }, stored: seen },
          { entry: { ...second, expiresAtMs: over }, stored: storedText(second.value, later) },
        ]),
      answer: [false, false],
      dryAnswer: [true, true],
    });
  });

  describe(`${name}: writes over whatever the keys hold`, () => {
    const copied = entries.map(() => ({ kind: "copied" }));
    for (const [title, before] of [
      ["nothing", {}],
      ["what was sent before", contentsOf(entries)],
      ["another value, type and expiry", { [first.key]: list(), [second.key]: text("old", null) }],
    ] satisfies [string, Contents][]) {
      test(`${title}: every value and expiry exactly`, {
        before,
        call: (store) => store.overwrite(entries),
        answer: copied,
        after: contentsOf(entries),
      });
    }
    for (const leadMs of [5000, -5000]) {
      test(`an expiry is moved by the clock lead of ${leadMs} ms`, {
        leadMs,
        call: (store) => store.overwrite([first]),
        answer: [{ kind: "copied" }],
        after: contentsOf([first], leadMs),
      });
    }
    test("an expired entry is not sent", {
      before: { [second.key]: text("older", later) },
      call: (store) => store.overwrite([{ ...second, expiresAtMs: over }, first]),
      answer: [{ kind: "expired" }, { kind: "copied" }],
      dryAnswer: [{ kind: "copied" }, { kind: "copied" }],
      after: { [second.key]: text("older", later), ...contentsOf([first]) },
    });
  });

  describe(`${name}: retracts only what is exactly as it was seen (spec.md section 4, Logouts)`, () => {
    const value = '{"a": "\\ud800"}';
    const seen = { sid: "a", digest: sha1(value), expiresAtMs: later };
    const rows: readonly (readonly [name: string, now: Contents, isRetracted: boolean, leadMs?: number])[] = [
      ["what was seen", { [key]: text(value, later) }, true],
      ["what was seen, on a clock that is ahead", { [key]: text(value, later + 7) }, true, 7],
      ["another value", { [key]: text("{}", later) }, false],
      ["the same value, saved since", { [key]: text(value, later + 1) }, false],
      ["the same value without an expiry", { [key]: text(value, null) }, false],
      ["a key of another type", { [key]: list() }, false],
      ["nothing", { other: text("x", null) }, false],
    ];
    for (const [title, before, isRetracted, leadMs = 0] of rows) {
      test(`${title}: ${isRetracted ? "deleted, once" : "left alone"}`, {
        before,
        leadMs,
        call: async (store) => [await store.retract([seen]), await store.retract([seen])],
        answer: [[isRetracted], [false]],
        dryAnswer: [[false], [false]],
        after: isRetracted ? {} : before,
      });
    }
  });
}

function storedText(value: string, expiresAtMs: number | null): StoredText {
  return { kind: "text", value: Buffer.from(value, "latin1"), expiresAtMs };
}
