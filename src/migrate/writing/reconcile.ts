import type { ConflictDecision } from "../../convert/decide-conflict.js";
import type { Candidate, Entry } from "../../model/entry.js";
import type { FailureReason } from "../../model/outcome.js";
import type { StoredText } from "../../model/stored-value.js";
import { type Replacement, type SessionStore, unaccepted } from "../../redis/session-store.js";

/** What became of one candidate. */
export type Reconciliation =
  | {
      readonly kind: "copied" | "identical" | "kept" | "expired" | "ended";
      readonly warning?: string;
      /** Whether it was written over something that may have been newer. */
      readonly blindly?: true;
      /**
       * What Redis holds now, if its lifetime was renewed. A logout from files then deletes it, as
       * if this run had written it.
       */
      readonly renewed?: Entry;
      /** Whether nothing tells which value is newer. */
      readonly inDoubt?: true;
    }
  /** The key is missing, and what that means shows only once the whole directory was seen. */
  | { readonly kind: "deferred" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/** What is known of a candidate's key before it is reconciled. */
export interface Unreconciled {
  readonly candidate: Candidate;
  /**
   * `unsent`: nothing, so the key is created. `sent`: it was sent, and the reply was lost.
   * `stored`: the key exists, or may: it is read first.
   */
  readonly state: "unsent" | "sent" | "stored";
}

/** What candidates are reconciled with and by. */
export interface ReconcileContext {
  readonly store: Pick<SessionStore, "create" | "read" | "replace" | "overwrite">;
  readonly decide: (candidate: Candidate, stored: StoredText) => ConflictDecision;
  /** Whether keys that hold no text are written over. */
  readonly overwrites: boolean;
  /** Gives the applet time: it sets a lifetime a moment after a value. */
  readonly waitForLifetimes: () => Promise<void>;
}

const maxRounds = 6;
const contested: Reconciliation = {
  kind: "kept",
  warning: "a key changed each time it was about to be replaced, so it was left alone",
};
const copied: Reconciliation = { kind: "copied" };
const expired: Reconciliation = { kind: "expired" };

/** How far a candidate has come. */
interface Pending {
  readonly candidate: Candidate;
  state: Unreconciled["state"];
  /** Absent until it is known. */
  reconciliation?: Reconciliation;
  /** What it comes to if our write turns out to have succeeded although its reply was lost. */
  ifOurs?: Reconciliation;
  /** Whether its equal value was given time to get a lifetime. */
  waited?: true;
}

/**
 * Creates the keys that do not exist, except for sessions that ended in Redis, and decides about
 * the others by what Redis holds. A key that changes meanwhile is read again. One result for each
 * candidate, in their order. Throws what `SessionStore` throws.
 */
export async function reconcile(
  candidates: readonly Unreconciled[],
  context: ReconcileContext,
): Promise<Reconciliation[]> {
  const all = candidates.map(({ candidate, state }): Pending => ({ candidate, state }));
  let open = all;
  for (let round = 0; round < maxRounds && open.length > 0; round++) {
    await create(open.filter(isToBeCreated), context);
    const stored = open.filter((one) => one.reconciliation === undefined);
    const withoutExpiry = await compare(stored, context);
    if (withoutExpiry.length > 0) await context.waitForLifetimes();
    for (const one of withoutExpiry) one.waited = true;
    open = open.filter(({ reconciliation }) => reconciliation === undefined);
  }
  return all.map(({ reconciliation }) => reconciliation ?? contested);
}

function isToBeCreated({ candidate, state }: Pending): boolean {
  return candidate.ifMissing === undefined && state !== "stored";
}

/** Creates the keys that do not exist. */
async function create(all: readonly Pending[], { store }: ReconcileContext): Promise<void> {
  for (const state of ["unsent", "sent"] as const) {
    const some = all.filter((one) => one.state === state);
    if (some.length === 0) continue;
    const entries = some.map(({ candidate }) => candidate.entry);
    const creations = await store.create(entries, state === "sent");
    for (const [index, one] of some.entries()) {
      const creation = creations[index] ?? { kind: "failed", detail: "no reply" };
      one.state = "stored";
      if (creation.kind === "failed") one.reconciliation = failed("redis-error", creation.detail);
      else if (creation.kind !== "exists") one.reconciliation = creation.kind === "created" ? copied : expired;
      else if (creation.sentBefore === true) one.ifOurs = copied;
    }
  }
}

/** Decides by what Redis holds. Returns those whose equal value has no lifetime yet. */
async function compare(all: readonly Pending[], context: ReconcileContext): Promise<Pending[]> {
  if (all.length === 0) return [];
  const stored = await context.store.read(all.map(({ candidate }) => candidate.entry.key));
  const replacements: (Replacement & { readonly pending: Pending; readonly result: Reconciliation })[] = [];
  const ofOtherType: Pending[] = [];
  const withoutExpiry: Pending[] = [];
  for (const [index, one] of all.entries()) {
    const { candidate } = one;
    const seen = stored[index] ?? { kind: "nothing" };
    if (seen.kind === "nothing") {
      if (candidate.ifMissing === "ended") one.reconciliation = { kind: "ended" };
      if (candidate.ifMissing === "unknown") one.reconciliation = { kind: "deferred" };
      one.state = "unsent";
      continue;
    }
    if (seen.kind === "unreadable") {
      one.reconciliation = failed("redis-error", seen.detail);
      continue;
    }
    if (seen.kind === "other-type") {
      ofOtherType.push(one);
      continue;
    }
    const decision = context.decide(candidate, seen);
    const replacement = { pending: one, entry: candidate.entry, stored: seen };
    if (decision.kind === "replace") {
      const blindly = decision.blindly === true ? { blindly: true as const } : {};
      replacements.push({ ...replacement, result: { kind: "copied", ...blindly } });
    } else if (decision.kind === "refresh" || (decision.kind === "endless" && one.waited === true)) {
      // The value stays as Redis has it, which may order a set in its own way.
      const { expiresAtMs } = decision;
      const entry = { ...candidate.entry, value: seen.value.toString("latin1"), expiresAtMs };
      const renewed = decision.kind === "refresh" && decision.renews === true ? { renewed: entry } : {};
      replacements.push({ ...replacement, entry, result: { kind: "identical", ...renewed } });
    } else if (decision.kind === "endless") withoutExpiry.push(one);
    else if (decision.kind === "own") one.reconciliation = one.ifOurs ?? { kind: "identical" };
    else one.reconciliation = decision;
  }
  await reconcileOtherTypes(ofOtherType, context);
  const replaced = replacements.length > 0 ? await context.store.replace(replacements) : [];
  for (const [index, { pending, entry, result }] of replacements.entries()) {
    if (replaced[index] === true) pending.reconciliation = result;
    else if (replaced[index] === "unaccepted") pending.reconciliation = failed("redis-error", unaccepted(entry));
    else pending.ifOurs = result;
  }
  return withoutExpiry;
}

async function reconcileOtherTypes(all: readonly Pending[], { store, overwrites }: ReconcileContext): Promise<void> {
  if (all.length === 0) return;
  const writes = overwrites ? await store.overwrite(all.map(({ candidate }) => candidate.entry)) : [];
  for (const [index, one] of all.entries()) {
    const write = writes[index] ?? { kind: "failed", detail: "no reply" };
    if (!overwrites) one.reconciliation = failed("wrong-redis-type", "the key holds no string");
    else if (write.kind === "failed") one.reconciliation = failed("redis-error", write.detail);
    else one.reconciliation = { kind: write.kind, ...(write.kind === "copied" ? { blindly: true } : {}) };
  }
}

function failed(reason: FailureReason, detail: string): Reconciliation {
  return { kind: "failed", reason, detail };
}
