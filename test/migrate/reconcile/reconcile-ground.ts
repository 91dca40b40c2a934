import assert from "node:assert/strict";
import type { ConflictDecision } from "../../../src/convert/decide-conflict.js";
import { type ReconcileContext, reconcile, type Unreconciled } from "../../../src/migrate/writing/reconcile.js";
import type { Candidate } from "../../../src/model/entry.js";
import type { StoredText, StoredValue } from "../../../src/model/stored-value.js";
import type { Replacement } from "../../../src/redis/session-store.js";

export const endMs = 9_000_000;
/** An instant that is signed for the value in Redis, which need not be the file's. */
export const correctedMs = endMs - 7;

export function candidateOf(key: string, value = "file"): Candidate {
  return { entry: { key, value, expiresAtMs: endMs }, mtimeMs: 1, fullLifetimeMs: 2 };
}

export const text = (value: string, expiresAtMs: number | null = 1): StoredText => ({
  kind: "text",
  value: Buffer.from(value),
  expiresAtMs,
});
export const list: StoredValue = { kind: "other-type" };
export const file = text("file", endMs);
export type Store = ReconcileContext["store"];

/** Keys in memory. `equal…` is like the file's value, `old…` is replaced, `odd` is in doubt. */
export class Ground implements ReconcileContext {
  readonly stored: Map<string, StoredValue>;
  /** In the order in which they were made. */
  readonly calls: string[] = [];
  readonly store: Store;
  overwrites = false;
  /** What others do just before a method of the store is called. */
  before: (method: keyof Store) => void = () => undefined;
  decide: ReconcileContext["decide"] = decideByName;
  waitForLifetimes = async (): Promise<void> => void this.calls.push("wait");

  constructor(keys: Readonly<Record<string, StoredValue>> = {}, change: (store: Store) => Partial<Store> = () => ({})) {
    this.stored = new Map(Object.entries(keys));
    const store: Store = {
      create: async (entries, sentBefore = false) => {
        this.before("create");
        this.calls.push(`create ${entries.map(({ key }) => key).join()}${sentBefore ? " again" : ""}`);
        return entries.map(({ key, value, expiresAtMs }) => {
          if (this.stored.has(key)) return { kind: "exists", ...(sentBefore ? { sentBefore } : {}) };
          this.stored.set(key, text(value, expiresAtMs));
          return { kind: "created" };
        });
      },
      read: async (asked) => {
        this.before("read");
        this.calls.push(`read ${asked.join()}`);
        return asked.map((key) => this.stored.get(key) ?? { kind: "nothing" });
      },
      replace: async (replacements) => {
        this.before("replace");
        this.calls.push(`replace ${replacements.map(({ entry }) => `${entry.key}=${entry.value}`).join()}`);
        return replacements.map((one) => this.#replace(one));
      },
      overwrite: async () => assert.fail("not to be called"),
    };
    this.store = { ...store, ...change(store) };
  }

  reconcile(candidates: readonly Candidate[], state: Unreconciled["state"] = "unsent") {
    return reconcile(
      candidates.map((candidate) => ({ candidate, state })),
      this,
    );
  }

  #replace({ entry, stored }: Replacement): boolean {
    const there = this.stored.get(entry.key);
    if (there?.kind !== "text" || !there.value.equals(stored.value)) return false;
    if (there.expiresAtMs !== stored.expiresAtMs) return false;
    this.stored.set(entry.key, text(entry.value, entry.expiresAtMs));
    return true;
  }
}

function decideByName({ entry }: Candidate, stored: StoredText): ConflictDecision {
  const value = stored.value.toString();
  if (value === entry.value || value.startsWith("equal")) {
    if (stored.expiresAtMs === null) return { kind: "endless", expiresAtMs: correctedMs };
    if (stored.expiresAtMs === entry.expiresAtMs) return { kind: "own" };
    return stored.expiresAtMs > entry.expiresAtMs
      ? { kind: "refresh", expiresAtMs: correctedMs }
      : { kind: "identical" };
  }
  if (value === "odd") return { kind: "kept", inDoubt: true };
  return { kind: value.startsWith("old") ? "replace" : "kept" };
}

export const candidates = (...keys: readonly string[]): Candidate[] => keys.map((key) => candidateOf(key));
