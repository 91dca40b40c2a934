import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Unreconciled } from "../../../src/migrate/writing/reconcile.js";
import type { Candidate } from "../../../src/model/entry.js";
import type { StoredValue } from "../../../src/model/stored-value.js";
import {
  candidateOf,
  candidates,
  correctedMs,
  endMs,
  file,
  Ground,
  list,
  type Store,
  text,
} from "./reconcile-ground.js";

const contested = {
  kind: "kept",
  warning: "a key changed each time it was about to be replaced, so it was left alone",
};
const noString = { kind: "failed", reason: "wrong-redis-type", detail: "the key holds no string" };
const one = candidates("k");

/** Loses the reply to the first replacement, and sends it again. */
function losesReplyOnce({ replace }: Store): Partial<Store> {
  let isLost = false;
  return {
    replace: async (replacements) => {
      if (!isLost) await replace(replacements);
      isLost = true;
      return replace(replacements);
    },
  };
}

function setKey({ stored }: Ground, next: StoredValue | undefined): void {
  if (next === undefined) stored.delete("k");
  else stored.set("k", next);
}

describe("reconcile: a key that changes meanwhile is read again", () => {
  /** Changes the key just before each call of a method, as long as there are changes. */
  function changing(changed: "read" | "replace", changes: readonly (StoredValue | undefined)[]): Ground {
    const ground = new Ground({ k: text("old") });
    const rest = changes.values();
    ground.before = (method) => {
      if (method !== changed) return;
      const next = rest.next();
      if (next.done !== true) setKey(ground, next.value);
    };
    return ground;
  }

  const older = (count: number) => Array.from({ length: count }, (_, index) => text(`old${index}`));
  const rows: readonly (readonly [
    name: string,
    method: "read" | "replace",
    changes: readonly (StoredValue | undefined)[],
    expected: object,
    after: StoredValue,
  ])[] = [
    ["gone before it is read: created", "read", [undefined], { kind: "copied" }, file],
    ["saved before it is read: kept", "read", [text("new")], { kind: "kept" }, text("new")],
    ["saved before it is replaced: kept", "replace", [text("new")], { kind: "kept" }, text("new")],
    ["the same value, saved with a new lifetime", "replace", [text("old", 2)], { kind: "copied" }, file],
    ["saved as the file has it", "replace", [text("file", 5)], { kind: "identical" }, text("file", 5)],
    ["gone before it is replaced: created", "replace", [undefined], { kind: "copied" }, file],
    ["a list before it is replaced: failed", "replace", [list], noString, list],
    ["old ones in five rounds, then no change", "replace", older(5), { kind: "copied" }, file],
    ["another in each of six rounds: kept, with a warning", "replace", older(6), contested, text("old5")],
  ];
  for (const [name, method, changes, expected, after] of rows) {
    it(name, async () => {
      const ground = changing(method, changes);
      assert.deepEqual(await ground.reconcile(one), [expected]);
      assert.deepEqual(ground.stored.get("k"), after);
    });
  }

  it("six rounds at most, and only what is open is read again", async () => {
    let turn = 0;
    const ground = new Ground({ k: text("old"), a: text("equal"), b: text("old") });
    ground.before = (method) => {
      if (method === "replace") ground.stored.set("k", text(`old${++turn}`));
    };
    const results = await ground.reconcile(candidates("a", "k", "b"));
    assert.deepEqual(results, [{ kind: "identical" }, contested, { kind: "copied" }]);
    assert.deepEqual(ground.calls.slice(0, 3), ["create a,k,b", "read a,k,b", "replace k=file,b=file"]);
    assert.deepEqual(ground.calls.slice(3), Array.from({ length: 5 }, () => ["read k", "replace k=file"]).flat());
  });

  it("a replacement whose reply was lost, sent again: our own write is found", async () => {
    const ground = new Ground({ k: text("old") }, losesReplyOnce);
    assert.deepEqual(await ground.reconcile(one), [{ kind: "copied" }]);
    assert.deepEqual(ground.stored.get("k"), file);
  });

  it("a creation whose reply was lost, sent again: our own write is found", async () => {
    const ground = new Ground({}, ({ create }) => ({
      create: async (entries) => {
        await create(entries);
        return create(entries, true);
      },
    }));
    assert.deepEqual(await ground.reconcile(one), [{ kind: "copied" }]);
    assert.deepEqual(ground.calls, ["create k", "create k again", "read k"]);
  });

  it("a creation whose reply was lost, and that a server saved over: kept", async () => {
    const ground = new Ground({ k: text("new") });
    assert.deepEqual(await ground.reconcile(one, "sent"), [{ kind: "kept" }]);
    assert.deepEqual(ground.stored.get("k"), text("new"));
  });
});

describe("reconcile: an equal value without a lifetime", () => {
  /** Changes keys while their lifetimes are waited for. */
  function waiting(
    keys: Readonly<Record<string, StoredValue>>,
    meanwhile: Readonly<Record<string, StoredValue>>,
  ): Ground {
    const ground = new Ground(keys);
    ground.waitForLifetimes = async () => {
      ground.calls.push("wait");
      for (const [key, value] of Object.entries(meanwhile)) ground.stored.set(key, value);
    };
    return ground;
  }

  it("given one meanwhile: identical, and left alone", async () => {
    const ground = waiting({ k: text("equal", null) }, { k: text("equal", 7) });
    assert.deepEqual(await ground.reconcile(one), [{ kind: "identical" }]);
    assert.deepEqual(ground.calls, ["create k", "read k", "wait", "read k"]);
    assert.deepEqual(ground.stored.get("k"), text("equal", 7));
  });

  it("never given one: it gets one and keeps its value, identical", async () => {
    const ground = waiting({ k: text("equal, in its own order", null) }, {});
    assert.deepEqual(await ground.reconcile(one), [{ kind: "identical" }]);
    assert.deepEqual(ground.calls.slice(3), ["read k", "replace k=equal, in its own order"]);
    assert.deepEqual(ground.stored.get("k"), text("equal, in its own order", correctedMs));
  });

  it("saved meanwhile: kept", async () => {
    const ground = waiting({ k: text("equal", null) }, { k: text("new", null) });
    assert.deepEqual(await ground.reconcile(one), [{ kind: "kept" }]);
    assert.deepEqual(ground.stored.get("k"), text("new", null));
  });

  it("all of them wait once; the others are done before", async () => {
    const ground = waiting(
      { a: text("equal", null), b: text("equal", null), c: text("old"), d: text("equal") },
      { b: text("equal", 7) },
    );
    const kinds = (await ground.reconcile(candidates("a", "b", "c", "d", "e"))).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["identical", "identical", "copied", "identical", "copied"]);
    assert.deepEqual(ground.calls.slice(0, 3), ["create a,b,c,d,e", "read a,b,c,d", "replace c=file"]);
    assert.deepEqual(ground.calls.slice(3), ["wait", "read a,b", "replace a=equal"]);
  });

  it("given one just before we give it one: read again, identical", async () => {
    const ground = new Ground({ k: text("equal", null) });
    ground.before = (method) => {
      if (method === "replace") ground.stored.set("k", text("equal", 7));
    };
    assert.deepEqual(await ground.reconcile(one), [{ kind: "identical" }]);
    assert.deepEqual(ground.stored.get("k"), text("equal", 7));
  });

  for (const [name, expiresAtMs] of [
    ["no lifetime", null],
    ["a lifetime that is too long", endMs + 1],
  ] as const) {
    it(`${name}: a reply that was lost does not make it copied`, async () => {
      const ground = new Ground({ k: text("equal", expiresAtMs) }, losesReplyOnce);
      assert.deepEqual(await ground.reconcile(one), [{ kind: "identical" }]);
    });
  }
});

describe("reconcile: what ended in Redis stays ended, whatever changes meanwhile (spec.md section 4, Marks)", () => {
  const ended = (key: string): Candidate => ({ ...candidateOf(key), ifMissing: "ended" });

  it("one that ends while its value is to be replaced: ended", async () => {
    const ground = new Ground({ k: text("old") });
    ground.before = (method) => {
      if (method === "replace") ground.stored.delete("k");
    };
    assert.deepEqual(await ground.reconcile([ended("k")]), [{ kind: "ended" }]);
    assert.equal(ground.stored.size, 0);
  });

  it("one that ends while its lifetime is waited for: ended", async () => {
    const ground = new Ground({ k: text("equal", null) });
    ground.waitForLifetimes = async () => void ground.stored.delete("k");
    assert.deepEqual(await ground.reconcile([ended("k")]), [{ kind: "ended" }]);
    assert.equal(ground.stored.size, 0);
  });

  it("whatever its key holds and becomes meanwhile: none is ever created", async () => {
    const stored = fc.option(
      fc.constantFrom<StoredValue>(text("old"), text("new"), text("equal"), text("equal", null), list),
      { nil: undefined },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(stored, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom<Unreconciled["state"]>("unsent", "sent", "stored"),
        async (course, hasEnded, state) => {
          let step = 0;
          const ground = new Ground();
          ground.before = () => setKey(ground, course[Math.min(step++, course.length - 1)]);
          const [result] = await ground.reconcile([hasEnded ? ended("k") : candidateOf("k")], state);
          assert(result !== undefined);
          const created = ground.calls.some((call) => call.startsWith("create"));
          if (hasEnded) assert(!created);
          else {
            assert.notEqual(result.kind, "ended");
            if (state !== "stored") assert(created);
          }
        },
      ),
    );
  });
});
