import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ConflictDecision } from "../../../src/convert/decide-conflict.js";
import { type SettleParts, settleEntries } from "../../../src/migrate/lanes/settle-entries.js";
import type { Candidate } from "../../../src/model/entry.js";
import { RedisError } from "../../../src/model/errors.js";
import type { Held, HeldText } from "../../../src/model/held.js";

const endMs = 9_000_000;
/** An instant that is signed for the value in Redis, which need not be the file's. */
const putRightMs = endMs - 7;

function candidateOf(key: string, value = "file"): Candidate {
  return { entry: { key, value, expiresAtMs: endMs }, mtimeMs: 1, fullLifetimeMs: 2 };
}

const text = (value: string, expiresAtMs: number | null = 1): HeldText => ({
  kind: "text",
  value: Buffer.from(value),
  expiresAtMs,
});
const list: Held = { kind: "other-type" };

/**
 * A Redis in memory, and the order in which it was asked. `old` is replaced, what is like the
 * file's is equal, the rest is kept.
 */
function makeStore(keys: Readonly<Record<string, Held>>, changes: Partial<SettleParts> = {}) {
  const held = new Map(Object.entries(keys));
  const calls: string[] = [];
  const decide = (candidate: Candidate, seen: HeldText): ConflictDecision => {
    const value = seen.value.toString();
    if (value === candidate.entry.value || value.startsWith("equal")) {
      const { expiresAtMs } = candidate.entry;
      if (seen.expiresAtMs === null) return { kind: "endless", expiresAtMs: putRightMs };
      if (seen.expiresAtMs === expiresAtMs) return { kind: "own" };
      return seen.expiresAtMs > expiresAtMs
        ? { kind: "refresh", expiresAtMs: putRightMs }
        : { kind: "identical" };
    }
    if (value === "odd") return { kind: "kept", inDoubt: true };
    return { kind: value.startsWith("old") ? "replace" : "kept" };
  };
  const parts: SettleParts = {
    create: async (entries) => {
      calls.push(`create ${entries.map(({ key }) => key).join()}`);
      return entries.map(({ key, value, expiresAtMs }) => {
        if (held.has(key)) return { kind: "exists" };
        held.set(key, text(value, expiresAtMs));
        return { kind: "created" };
      });
    },
    look: async (asked) => {
      calls.push(`look ${asked.join()}`);
      return asked.map((key) => held.get(key) ?? { kind: "nothing" });
    },
    decide,
    replace: async (replacements) => {
      calls.push(`replace ${replacements.map(({ entry }) => `${entry.key}=${entry.value}`).join()}`);
      return replacements.map(({ entry, held: seen }) => {
        const there = held.get(entry.key);
        if (there?.kind !== "text" || !there.value.equals(seen.value)) return false;
        if (there.expiresAtMs !== seen.expiresAtMs) return false;
        held.set(entry.key, text(entry.value, entry.expiresAtMs));
        return true;
      });
    },
    waitForLifetimes: async () => {
      calls.push("wait");
    },
    ...changes,
  };
  return { held, calls, parts };
}

const candidates = (...keys: readonly string[]): Candidate[] => keys.map((key) => candidateOf(key));
const restless = {
  kind: "kept",
  warning: "a key changed whenever it was to be replaced: it was left alone",
};

describe("settle-entries: written if there is no key, else settled by the key (spec.md section 4, Conflicts)", () => {
  it("no candidates: one look at nothing is too much", async () => {
    const { parts, calls } = makeStore({});
    assert.deepEqual(await settleEntries([], parts), []);
    assert.deepEqual(calls, []);
  });

  it("nothing stands: one round, nothing looked at", async () => {
    const { parts, calls, held } = makeStore({});
    assert.deepEqual(await settleEntries(candidates("a", "b"), parts), [
      { kind: "copied" },
      { kind: "copied" },
    ]);
    assert.deepEqual(calls, ["create a,b"]);
    assert.deepEqual(held.get("a"), text("file", endMs));
  });

  it("every kind at once, each settlement at its candidate's place", async () => {
    const keys: Readonly<Record<string, Held>> = {
      identical: text("equal"),
      long: text("equal", endMs + 1),
      own: text("file", endMs),
      older: text("old"),
      newer: text("new"),
      odd: text("odd"),
      list,
    };
    const { parts, calls, held } = makeStore(keys);
    const asked = ["absent", "identical", "list", "older", "newer", "long", "odd", "own", "gone"];
    const settled = await settleEntries(candidates(...asked), parts);
    assert.deepEqual(Object.fromEntries(asked.map((key, index) => [key, settled[index]])), {
      absent: { kind: "copied" },
      identical: { kind: "identical" },
      list: { kind: "failed", reason: "wrong-redis-type", detail: "the key holds no string" },
      older: { kind: "copied" },
      newer: { kind: "kept" },
      long: { kind: "identical" },
      odd: { kind: "kept", inDoubt: true },
      own: { kind: "identical" },
      gone: { kind: "copied" },
    });
    assert.deepEqual(calls, [
      `create ${asked.join()}`,
      "look identical,list,older,newer,long,odd,own",
      "replace older=file,long=equal",
    ]);
    assert.deepEqual(held.get("identical"), keys["identical"], "its lifetime is left alone");
    assert.deepEqual(held.get("newer"), keys["newer"]);
    assert.deepEqual(held.get("list"), list);
    assert.deepEqual(
      held.get("long"),
      text("equal", putRightMs),
      "the value as it stood, the lifetime put right",
    );
  });

  it("the same candidate values twice: each its own settlement", async () => {
    const { parts } = makeStore({});
    const settled = await settleEntries([candidateOf("a", "1"), candidateOf("a", "2")], parts);
    assert.deepEqual(settled, [{ kind: "copied" }, { kind: "kept" }]);
  });

  it("what cannot be written fails alone; what is over is expired", async () => {
    const { parts } = makeStore(
      {},
      {
        create: async () => [
          { kind: "created" },
          { kind: "failed", detail: "Redis answered ERR" },
          { kind: "expired" },
        ],
      },
    );
    assert.deepEqual(await settleEntries(candidates("a", "b", "c", "d"), parts), [
      { kind: "copied" },
      { kind: "failed", reason: "redis-error", detail: "Redis answered ERR" },
      { kind: "expired" },
      { kind: "failed", reason: "redis-error", detail: "no reply" },
    ]);
  });

  for (const part of ["create", "look", "replace", "waitForLifetimes"] as const) {
    it(`what ends the run is thrown: ${part}`, async () => {
      const end = async () => {
        throw new RedisError("refused", part);
      };
      const { parts } = makeStore({ old: text("old"), endless: text("equal", null) }, { [part]: end });
      await assert.rejects(settleEntries(candidates("old", "endless"), parts), {
        kind: "refused",
        message: part,
      });
    });
  }
});

describe("settle-entries: a key that changes meanwhile is looked at again", () => {
  /** Changes the store just before the n-th call of a part. */
  function changing(
    keys: Readonly<Record<string, Held>>,
    part: "look" | "replace" | "create",
    changes: readonly (Held | undefined)[],
  ) {
    const store = makeStore(keys);
    const { create, look, replace } = store.parts;
    let turn = 0;
    const change = (): void => {
      const next = changes[turn];
      if (turn++ >= changes.length) return;
      if (next === undefined) store.held.delete("k");
      else store.held.set("k", next);
    };
    const parts: SettleParts = {
      ...store.parts,
      create: (entries) => {
        if (part === "create") change();
        return create(entries);
      },
      look: (asked) => {
        if (part === "look") change();
        return look(asked);
      },
      replace: (replacements) => {
        if (part === "replace") change();
        return replace(replacements);
      },
    };
    return { ...store, parts };
  }
  const one = candidates("k");

  const rows: readonly (readonly [
    name: string,
    part: "look" | "replace",
    changes: readonly (Held | undefined)[],
    expected: object,
    after: Held,
  ])[] = [
    ["gone before it is looked at: written", "look", [undefined], { kind: "copied" }, text("file", endMs)],
    ["saved before it is looked at: kept", "look", [text("new")], { kind: "kept" }, text("new")],
    ["saved before it is replaced: kept", "replace", [text("new")], { kind: "kept" }, text("new")],
    [
      "the same value saved again, with a new lifetime: looked at again",
      "replace",
      [text("old", 2)],
      { kind: "copied" },
      text("file", endMs),
    ],
    [
      "the file's value saved before it is replaced: identical",
      "replace",
      [text("file", 5)],
      { kind: "identical" },
      text("file", 5),
    ],
    ["gone before it is replaced: written", "replace", [undefined], { kind: "copied" }, text("file", endMs)],
    [
      "a list before it is replaced: failed",
      "replace",
      [list],
      { kind: "failed", reason: "wrong-redis-type", detail: "the key holds no string" },
      list,
    ],
    [
      "old ones in four rounds, and then it stays",
      "replace",
      [text("old1"), text("old2"), text("old3"), text("old4")],
      { kind: "copied" },
      text("file", endMs),
    ],
    [
      "another in each of five rounds: kept, with a warning",
      "replace",
      [text("old1"), text("old2"), text("old3"), text("old4"), text("old5")],
      restless,
      text("old5"),
    ],
  ];
  for (const [name, part, changes, expected, after] of rows) {
    it(name, async () => {
      const { parts, held } = changing({ k: text("old") }, part, changes);
      assert.deepEqual(await settleEntries(one, parts), [expected]);
      assert.deepEqual(held.get("k"), after);
    });
  }

  it("five rounds at most, and only what is open is asked for again", async () => {
    const store = makeStore({ k: text("old"), a: text("equal"), b: text("old") });
    let turn = 0;
    const { calls } = store;
    const parts: SettleParts = {
      ...store.parts,
      replace: (replacements) => {
        store.held.set("k", text(`old${++turn}`));
        return store.parts.replace(replacements);
      },
    };
    const settled = await settleEntries(candidates("a", "k", "b"), parts);
    assert.deepEqual(settled, [{ kind: "identical" }, restless, { kind: "copied" }]);
    assert.deepEqual(calls.slice(0, 3), ["create a,k,b", "look a,k,b", "replace k=file,b=file"]);
    assert.deepEqual(
      calls.slice(3),
      Array.from({ length: 4 }, () => ["create k", "look k", "replace k=file"]).flat(),
    );
  });

  it("a replacement whose reply was lost, sent again: its own write is found", async () => {
    const store = makeStore({ k: text("old") });
    let lost = false;
    const parts: SettleParts = {
      ...store.parts,
      replace: async (replacements) => {
        if (!lost) await store.parts.replace(replacements);
        lost = true;
        return store.parts.replace(replacements);
      },
    };
    assert.deepEqual(await settleEntries(one, parts), [{ kind: "copied" }]);
    assert.deepEqual(store.held.get("k"), text("file", endMs));
  });

  it("a key that is renewed: what Redis holds since is told, as for a write", async () => {
    const store = makeStore({ k: text("equal") });
    const parts: SettleParts = {
      ...store.parts,
      decide: () => ({ kind: "refresh", expiresAtMs: putRightMs, renews: true }),
    };
    const renewed = { key: "k", value: "equal", expiresAtMs: putRightMs };
    assert.deepEqual(await settleEntries(one, parts), [{ kind: "identical", renewed }]);
  });

  it("a creation whose reply was lost, sent again: its own write is found", async () => {
    const store = makeStore({});
    const parts: SettleParts = {
      ...store.parts,
      create: async (entries) => {
        await store.parts.create(entries);
        return (await store.parts.create(entries)).map((creation) =>
          creation.kind === "exists" ? { ...creation, sentBefore: true } : creation,
        );
      },
    };
    assert.deepEqual(await settleEntries(one, parts), [{ kind: "copied" }]);
    assert.deepEqual(store.calls, ["create k", "create k", "look k"]);
  });

  it("an own write that the server saved over before it was sent again: kept", async () => {
    const store = makeStore({});
    const parts: SettleParts = {
      ...store.parts,
      create: async (entries) => {
        await store.parts.create(entries);
        store.held.set("k", text("new"));
        return store.parts.create(entries);
      },
    };
    assert.deepEqual(await settleEntries(one, parts), [{ kind: "kept" }]);
    assert.deepEqual(store.held.get("k"), text("new"));
  });
});

describe("settle-entries: an equal value without a lifetime", () => {
  /** What the applet does while it is waited for. */
  function waiting(keys: Readonly<Record<string, Held>>, meanwhile: Readonly<Record<string, Held>>) {
    const store = makeStore(keys);
    const waitForLifetimes = async () => {
      await store.parts.waitForLifetimes();
      for (const [key, value] of Object.entries(meanwhile)) store.held.set(key, value);
    };
    return { ...store, parts: { ...store.parts, waitForLifetimes } };
  }

  it("given one while it is waited for: identical, and left alone", async () => {
    const { parts, calls, held } = waiting({ k: text("equal", null) }, { k: text("equal", 7) });
    assert.deepEqual(await settleEntries(candidates("k"), parts), [{ kind: "identical" }]);
    assert.deepEqual(calls, ["create k", "look k", "wait", "create k", "look k"]);
    assert.deepEqual(held.get("k"), text("equal", 7));
  });

  it("never given one: put right, the value as it stands, identical", async () => {
    const { parts, calls, held } = waiting({ k: text("equal, in its own order", null) }, {});
    assert.deepEqual(await settleEntries(candidates("k"), parts), [{ kind: "identical" }]);
    assert.deepEqual(calls.slice(3), ["create k", "look k", "replace k=equal, in its own order"]);
    assert.deepEqual(held.get("k"), text("equal, in its own order", putRightMs));
  });

  it("saved meanwhile: kept", async () => {
    const { parts, held } = waiting({ k: text("equal", null) }, { k: text("new", null) });
    assert.deepEqual(await settleEntries(candidates("k"), parts), [{ kind: "kept" }]);
    assert.deepEqual(held.get("k"), text("new", null));
  });

  it("all of them wait once; the others are settled before", async () => {
    const { parts, calls } = waiting(
      { a: text("equal", null), b: text("equal", null), c: text("old"), d: text("equal") },
      { b: text("equal", 7) },
    );
    const settled = await settleEntries(candidates("a", "b", "c", "d", "e"), parts);
    assert.deepEqual(settled, [
      { kind: "identical" },
      { kind: "identical" },
      { kind: "copied" },
      { kind: "identical" },
      { kind: "copied" },
    ]);
    assert.deepEqual(calls, [
      "create a,b,c,d,e",
      "look a,b,c,d",
      "replace c=file",
      "wait",
      "create a,b",
      "look a,b",
      "replace a=equal",
    ]);
  });

  it("given one just before it is put right: looked at again, identical", async () => {
    const store = makeStore({ k: text("equal", null) });
    const parts: SettleParts = {
      ...store.parts,
      replace: (replacements) => {
        store.held.set("k", text("equal", 7));
        return store.parts.replace(replacements);
      },
    };
    assert.deepEqual(await settleEntries(candidates("k"), parts), [{ kind: "identical" }]);
    assert.deepEqual(store.held.get("k"), text("equal", 7));
  });

  for (const [name, value, expiresAtMs] of [
    ["no lifetime", "equal", null],
    ["a lifetime that is too long", "equal", endMs + 1],
  ] as const) {
    it(`${name}: a reply that was lost and sent again does not make it copied`, async () => {
      const store = makeStore({ k: text(value, expiresAtMs) });
      let lost = false;
      const parts: SettleParts = {
        ...store.parts,
        replace: async (replacements) => {
          if (!lost) await store.parts.replace(replacements);
          lost = true;
          return store.parts.replace(replacements);
        },
      };
      assert.deepEqual(await settleEntries(candidates("k"), parts), [{ kind: "identical" }]);
    });
  }
});

describe("settle-entries: what Redis never accepts fails alone (A Redis that may run out)", () => {
  it("a replacement: its neighbours are written", async () => {
    const { parts, held } = makeStore({ a: text("old"), b: text("old") });
    const replace: SettleParts["replace"] = async (replacements) => {
      await parts.replace(replacements.filter(({ entry }) => entry.key === "b"));
      return replacements.map(({ entry }) => entry.key === "b" || "unaccepted");
    };
    const [refused, written] = await settleEntries(candidates("a", "b"), { ...parts, replace });
    assert.equal(refused?.kind, "failed");
    assert.equal(refused.reason, "redis-error");
    assert.deepEqual(written, { kind: "copied" });
    assert.deepEqual([held.get("a"), held.get("b")], [text("old"), text("file", endMs)]);
  });

  it("a value that cannot be looked at", async () => {
    const { parts } = makeStore({ a: { kind: "unreadable", detail: "too long" }, b: text("new") });
    assert.deepEqual(await settleEntries(candidates("a", "b"), parts), [
      { kind: "failed", reason: "redis-error", detail: "too long" },
      { kind: "kept" },
    ]);
  });
});

describe("settle-entries: conflicts that policy and doubt decide", () => {
  const rows: readonly (readonly [name: string, decision: ConflictDecision, expected: object])[] = [
    ["overwritten blindly", { kind: "replace", blindly: true }, { kind: "copied", blindly: true }],
    ["in doubt: kept, and counted as such", { kind: "kept", inDoubt: true }, { kind: "kept", inDoubt: true }],
    ["kept without a doubt", { kind: "kept" }, { kind: "kept" }],
  ];
  for (const [name, decision, expected] of rows) {
    it(name, async () => {
      const { parts } = makeStore({ k: text("any") }, { decide: () => decision });
      assert.deepEqual(await settleEntries(candidates("k"), parts), [expected]);
    });
  }
});

describe("settle-entries: a key of another type", () => {
  it("overwritten where that is asked for, whatever else there is", async () => {
    const overwritten: string[] = [];
    const { parts } = makeStore(
      { a: list, b: text("old"), c: list, d: list, e: list },
      {
        overwrite: async (entries) => {
          overwritten.push(...entries.map(({ key }) => key));
          return [{ kind: "copied" }, { kind: "failed", detail: "Redis answered ERR" }, { kind: "expired" }];
        },
      },
    );
    assert.deepEqual(await settleEntries(candidates("a", "b", "c", "d", "e"), parts), [
      { kind: "copied", blindly: true },
      { kind: "copied" },
      { kind: "failed", reason: "redis-error", detail: "Redis answered ERR" },
      { kind: "expired" },
      { kind: "failed", reason: "redis-error", detail: "no reply" },
    ]);
    assert.deepEqual(overwritten, ["a", "c", "d", "e"]);
  });

  it("not asked for: no overwrite is called where there is none of another type", async () => {
    const overwrite = async () => {
      throw new Error("not to be called");
    };
    const { parts } = makeStore({ a: text("old") }, { overwrite });
    assert.deepEqual(await settleEntries(candidates("a"), parts), [{ kind: "copied" }]);
  });
});

describe("settle-entries: what ended in Redis stays ended (spec.md section 4, Marks)", () => {
  const ended = (key: string): Candidate => ({ ...candidateOf(key), ifMissing: "ended" });

  const rows: readonly (readonly [
    name: string,
    held: Held | undefined,
    settlement: object,
    stands?: Held,
  ])[] = [
    ["no key: ended, and none is written", undefined, { kind: "ended" }],
    ["an equal value", text("equal"), { kind: "identical" }],
    [
      "an older value: the file was modified since, so it is replaced",
      text("old"),
      { kind: "copied" },
      text("file", endMs),
    ],
    ["a newer value", text("new"), { kind: "kept" }],
    [
      "a lifetime that is too long is put right",
      text("equal", endMs + 1),
      { kind: "identical" },
      text("equal", putRightMs),
    ],
    [
      "a key of another type",
      list,
      { kind: "failed", reason: "wrong-redis-type", detail: "the key holds no string" },
    ],
  ];
  for (const [name, held, settlement, stands = held] of rows) {
    it(name, async () => {
      const store = makeStore(held === undefined ? {} : { k: held });
      assert.deepEqual(await settleEntries([ended("k")], store.parts), [settlement]);
      assert(!store.calls.some((call) => call.startsWith("create")), "it is not even tried");
      assert.deepEqual(store.held.get("k"), stands);
    });
  }

  it("unknown until the whole directory was seen: deferred if no key stands, else settled", async () => {
    const unknown = (key: string): Candidate => ({ ...candidateOf(key), ifMissing: "unknown" });
    const { parts, calls, held } = makeStore({ b: text("equal"), c: text("old") });
    const settled = await settleEntries(["a", "b", "c"].map(unknown), parts);
    assert.deepEqual(
      settled.map(({ kind }) => kind),
      ["deferred", "identical", "copied"],
    );
    assert.deepEqual(calls, ["look a,b,c", "replace c=file"]);
    assert(!held.has("a"), "none is written");
  });

  it("the others of the batch are written, each settlement at its candidate's place", async () => {
    const { parts, calls } = makeStore({ c: text("equal"), d: text("equal") });
    const asked = [ended("a"), candidateOf("b"), ended("c"), candidateOf("d")];
    const kinds = (await settleEntries(asked, parts)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["ended", "copied", "identical", "identical"]);
    assert.deepEqual(calls, ["create b,d", "look a,c,d"]);
  });

  it("one that ends while its value is to be replaced: ended", async () => {
    const store = makeStore({ k: text("old") });
    const replace: SettleParts["replace"] = async (replacements) => {
      store.held.delete("k");
      return store.parts.replace(replacements);
    };
    assert.deepEqual(await settleEntries([ended("k")], { ...store.parts, replace }), [{ kind: "ended" }]);
    assert.equal(store.held.size, 0);
  });

  it("one that ends while its lifetime is waited for: ended", async () => {
    const store = makeStore({ k: text("equal", null) });
    const waitForLifetimes = async () => void store.held.delete("k");
    assert.deepEqual(await settleEntries([ended("k")], { ...store.parts, waitForLifetimes }), [
      { kind: "ended" },
    ]);
    assert.equal(store.held.size, 0);
  });

  it("whatever stands there and changes meanwhile: none is ever created", async () => {
    const held = fc.option(
      fc.constantFrom<Held>(text("old"), text("new"), text("equal"), text("equal", null), list),
      { nil: undefined },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(held, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (course, marked) => {
          const store = makeStore({});
          let step = 0;
          const change = () => {
            const next = course[Math.min(step++, course.length - 1)];
            if (next === undefined) store.held.delete("k");
            else store.held.set("k", next);
          };
          const parts: SettleParts = {
            ...store.parts,
            create: async (entries) => {
              change();
              return store.parts.create(entries);
            },
            look: async (keys) => {
              change();
              return store.parts.look(keys);
            },
            replace: async (replacements) => {
              change();
              return store.parts.replace(replacements);
            },
          };
          const [settlement] = await settleEntries([marked ? ended("k") : candidateOf("k")], parts);
          assert(settlement !== undefined);
          const created = store.calls.some((call) => call.startsWith("create"));
          assert.equal(created, !marked);
          if (!marked) assert.notEqual(settlement.kind, "ended");
        },
      ),
    );
  });
});
