import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConflictDecision } from "../../../src/convert/decide-conflict.js";
import { reconcile, type Unreconciled } from "../../../src/migrate/writing/reconcile.js";
import type { Candidate } from "../../../src/model/entry.js";
import { RedisError } from "../../../src/model/errors.js";
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

const noString = { kind: "failed", reason: "wrong-redis-type", detail: "the key holds no string" };
const one = candidates("k");

describe("reconcile: keys are created, or compared with what exists (spec.md section 4, Conflicts)", () => {
  it("no candidates: Redis is not asked", async () => {
    const ground = new Ground();
    assert.deepEqual(await ground.reconcile([]), []);
    assert.deepEqual(ground.calls, []);
  });

  it("no key exists: all are created, and none is read", async () => {
    const ground = new Ground();
    assert.deepEqual(await ground.reconcile(candidates("a", "b")), [{ kind: "copied" }, { kind: "copied" }]);
    assert.deepEqual(ground.calls, ["create a,b"]);
    assert.deepEqual(ground.stored.get("a"), file);
  });

  const keys: Readonly<Record<string, StoredValue>> = {
    identical: text("equal"),
    long: text("equal", endMs + 1),
    own: file,
    older: text("old"),
    newer: text("new"),
    odd: text("odd"),
    list,
  };
  const expected: Readonly<Record<string, object>> = {
    absent: { kind: "copied" },
    identical: { kind: "identical" },
    list: noString,
    older: { kind: "copied" },
    newer: { kind: "kept" },
    long: { kind: "identical" },
    odd: { kind: "kept", inDoubt: true },
    own: { kind: "identical" },
    gone: { kind: "copied" },
  };
  const asked = Object.keys(expected);
  const existing = "identical,list,older,newer,long,odd,own";
  const replaced = "replace older=file,long=equal";
  const states: readonly (readonly [Unreconciled["state"], readonly string[], Record<string, object>])[] = [
    ["unsent", [`create ${asked.join()}`, `read ${existing}`, replaced], {}],
    // A key that holds exactly what was sent was created by it.
    ["sent", [`create ${asked.join()} again`, `read ${existing}`, replaced], { own: { kind: "copied" } }],
    ["stored", [`read ${asked.join()}`, replaced, "create absent,gone"], {}],
  ];
  for (const [state, calls, otherwise] of states) {
    it(`${state}: every kind at once, each result at its candidate's place`, async () => {
      const ground = new Ground(keys);
      const results = await ground.reconcile(candidates(...asked), state);
      assert.deepEqual(Object.fromEntries(asked.map((key, index) => [key, results[index]])), {
        ...expected,
        ...otherwise,
      });
      assert.deepEqual(ground.calls, calls);
      const { stored } = ground;
      assert.deepEqual(stored.get("identical"), keys["identical"], "its lifetime is left alone");
      assert.deepEqual([stored.get("newer"), stored.get("list")], [keys["newer"], list]);
      assert.deepEqual(stored.get("long"), text("equal", correctedMs), "the value stays, its lifetime is corrected");
      assert.deepEqual([stored.get("absent"), stored.get("gone")], [file, file]);
    });
  }

  it("candidates in each of the states, each result at its candidate's place", async () => {
    const ground = new Ground({ b: file, c: text("old"), d: text("new") });
    const given = (["unsent", "sent", "stored", "unsent", "sent", "stored"] as const).map((state, index) => {
      return { candidate: candidateOf("abcdef".charAt(index)), state };
    });
    const kinds = (await reconcile(given, ground)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["copied", "copied", "copied", "kept", "copied", "copied"]);
    assert.deepEqual(ground.calls.slice(0, 3), ["create a,d", "create b,e again", "read b,c,d,f"]);
    assert.deepEqual(ground.calls.slice(3), ["replace c=file", "create f"]);
  });

  it("the same key twice: each candidate its own result", async () => {
    const results = await new Ground().reconcile([candidateOf("a", "1"), candidateOf("a", "2")]);
    assert.deepEqual(results, [{ kind: "copied" }, { kind: "kept" }]);
  });

  it("an entry that cannot be written fails alone; one whose time is over is expired", async () => {
    const create: Store["create"] = async () => [
      { kind: "created" },
      { kind: "failed", detail: "Redis answered ERR" },
      { kind: "expired" },
    ];
    assert.deepEqual(await new Ground({}, () => ({ create })).reconcile(candidates("a", "b", "c", "d")), [
      { kind: "copied" },
      { kind: "failed", reason: "redis-error", detail: "Redis answered ERR" },
      { kind: "expired" },
      { kind: "failed", reason: "redis-error", detail: "no reply" },
    ]);
  });

  for (const part of ["create", "read", "replace", "waitForLifetimes"] as const) {
    it(`what ends the run is thrown: ${part}`, async () => {
      const end = () => Promise.reject(new RedisError("refused", part));
      const ground = new Ground({ old: text("old"), endless: text("equal", null) }, () =>
        part === "waitForLifetimes" ? {} : { [part]: end },
      );
      if (part === "waitForLifetimes") ground.waitForLifetimes = end;
      await assert.rejects(ground.reconcile(candidates("old", "endless")), {
        kind: "refused",
        message: part,
      });
    });
  }

  const decisions: readonly (readonly [name: string, decision: ConflictDecision, expected: object])[] = [
    ["overwritten blindly", { kind: "replace", blindly: true }, { kind: "copied", blindly: true }],
    ["in doubt: kept, and counted as such", { kind: "kept", inDoubt: true }, { kind: "kept", inDoubt: true }],
    ["kept without a doubt", { kind: "kept" }, { kind: "kept" }],
    [
      "renewed: the result holds what Redis holds now",
      { kind: "refresh", expiresAtMs: correctedMs, renews: true },
      { kind: "identical", renewed: { key: "k", value: "any", expiresAtMs: correctedMs } },
    ],
  ];
  for (const [name, decision, expected] of decisions) {
    it(name, async () => {
      const ground = new Ground({ k: text("any") });
      ground.decide = () => decision;
      assert.deepEqual(await ground.reconcile(one), [expected]);
    });
  }
});

describe("reconcile: what Redis never accepts fails alone (A Redis that may run out)", () => {
  it("a replacement: its neighbours are written", async () => {
    const ground = new Ground({ a: text("old"), b: text("old") }, (store) => ({
      replace: async (all) => {
        await store.replace(all.filter(({ entry }) => entry.key === "b"));
        return all.map(({ entry }) => entry.key === "b" || "unaccepted");
      },
    }));
    const [refused, written] = await ground.reconcile(candidates("a", "b"));
    assert(refused?.kind === "failed" && refused.reason === "redis-error");
    assert.deepEqual(written, { kind: "copied" });
    assert.deepEqual([ground.stored.get("a"), ground.stored.get("b")], [text("old"), file]);
  });

  it("a value that cannot be read", async () => {
    const ground = new Ground({ a: { kind: "unreadable", detail: "too long" }, b: text("new") });
    assert.deepEqual(await ground.reconcile(candidates("a", "b")), [
      { kind: "failed", reason: "redis-error", detail: "too long" },
      { kind: "kept" },
    ]);
  });

  it("a key of another type, which is overwritten if the policy says so, and nothing else with it", async () => {
    const overwritten: string[] = [];
    const ground = new Ground({ a: list, b: text("old"), c: list, d: list, e: list }, () => ({
      overwrite: async (entries) => {
        overwritten.push(...entries.map(({ key }) => key));
        return [{ kind: "copied" }, { kind: "failed", detail: "Redis answered ERR" }, { kind: "expired" }];
      },
    }));
    ground.overwrites = true;
    assert.deepEqual(await ground.reconcile(candidates("a", "b", "c", "d", "e")), [
      { kind: "copied", blindly: true },
      { kind: "copied" },
      { kind: "failed", reason: "redis-error", detail: "Redis answered ERR" },
      { kind: "expired" },
      { kind: "failed", reason: "redis-error", detail: "no reply" },
    ]);
    assert.deepEqual(overwritten, ["a", "c", "d", "e"]);
  });
});

describe("reconcile: what ended in Redis stays ended (spec.md section 4, Marks)", () => {
  const ended = (key: string): Candidate => ({ ...candidateOf(key), ifMissing: "ended" });

  const rows: readonly (readonly [
    name: string,
    stored: StoredValue | undefined,
    expected: object,
    after?: StoredValue,
  ])[] = [
    ["no key: ended, and none is created", undefined, { kind: "ended" }],
    ["an equal value", text("equal"), { kind: "identical" }],
    ["an older value: the file was modified since, so it is replaced", text("old"), { kind: "copied" }, file],
    ["a newer value", text("new"), { kind: "kept" }],
    [
      "a lifetime that is too long is corrected",
      text("equal", endMs + 1),
      { kind: "identical" },
      text("equal", correctedMs),
    ],
    ["a key of another type", list, noString],
  ];
  for (const [name, stored, expected, after = stored] of rows) {
    for (const state of ["unsent", "stored"] as const) {
      it(`${name} (${state})`, async () => {
        const ground = new Ground(stored === undefined ? {} : { k: stored });
        assert.deepEqual(await ground.reconcile([ended("k")], state), [expected]);
        assert(!ground.calls.some((call) => call.startsWith("create")), "it is not even tried");
        assert.deepEqual(ground.stored.get("k"), after);
      });
    }
  }

  it("unknown until the whole directory was seen: deferred if no key exists", async () => {
    const unknown = (key: string): Candidate => ({ ...candidateOf(key), ifMissing: "unknown" });
    const ground = new Ground({ b: text("equal"), c: text("old") });
    const kinds = (await ground.reconcile(["a", "b", "c"].map(unknown))).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["deferred", "identical", "copied"]);
    assert.deepEqual(ground.calls, ["read a,b,c", "replace c=file"]);
    assert(!ground.stored.has("a"), "none is created");
  });

  it("the others of the batch are created, each result at its candidate's place", async () => {
    const ground = new Ground({ c: text("equal"), d: text("equal") });
    const asked = [ended("a"), candidateOf("b"), ended("c"), candidateOf("d")];
    const kinds = (await ground.reconcile(asked)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["ended", "copied", "identical", "identical"]);
    assert.deepEqual(ground.calls, ["create b,d", "read a,c,d"]);
  });
});
