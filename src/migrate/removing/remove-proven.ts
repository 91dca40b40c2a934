import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Ledger } from "../../model/ledger.js";
import type { SessionOutcome } from "../../model/outcome.js";
import type { ScanTally, SessionFile } from "../../model/session-file.js";
import { showablePath } from "../../model/showable.js";
import type { Warn } from "../../model/warn.js";
import { pathOf } from "../../source/recent-files.js";
import type { OpenFiles } from "../../source/removal/open-files.js";
import { denialReason, explainDenial, type RemovalDenial } from "../../source/removal/removal-denial.js";
import type { Removal } from "../../source/removal/remove-session-file.js";
import { type BatchWork, forEachBatch } from "../for-each-batch.js";
import { failed, inDoubtDetail, located } from "../prepare-session.js";
import { type Proof, type ProvenFile, youngMs } from "./prove.js";
import type { RemovalGate } from "./removal-gate.js";

/** Proves files. Throws what `SessionStore` throws. */
export interface Prover {
  readonly prove: (batch: readonly SessionFile[]) => Promise<readonly Proof[]>;
  /** Proves files again just before they are removed. */
  readonly proveAgain: (proven: readonly ProvenFile[]) => Promise<readonly Proof[]>;
}

/** Asks Redis whether the proof still counts. */
export type Gate = Pick<RemovalGate, "open" | "confirmBeforeBatch" | "checkRedisIntact">;

/** What a purge works with. */
export interface Purge extends Omit<BatchWork, "work" | "skip"> {
  readonly prover: Prover;
  readonly gate: Gate;
  readonly files: Pick<OpenFiles, "remove" | "denialOf" | "isInUse">;
  /** If part of a session directory could not be read, nothing more is removed in it. */
  readonly tally: Pick<ScanTally, "unreadable">;
  /** Whether files are removed that a server still uses. */
  readonly inUse: boolean;
  /** Whether nothing is removed: what would be is counted as removed. */
  readonly dryRun: boolean;
  readonly ledger: Ledger;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  readonly warn: Warn;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Told when it begins to prove a block of files, and when it begins to remove them. */
  readonly onStep: (step: PurgeStep) => void;
}

/** A purge goes through the files in blocks, and takes two steps with each. */
export interface PurgeStep {
  readonly name: "proving" | "removing";
  /** From 1. */
  readonly block: number;
  /** Files in the blocks before it. */
  readonly before: number;
  /** Files of this block that were compared so far. */
  readonly proved: () => number;
}

/** The result of a purge, besides what the ledger counts. */
export interface PurgeResult {
  /** Session files left that were to be removed. */
  readonly left: number;
  /** Files removed although Redis held nothing equal or newer. */
  readonly notStored: number;
  /** Whether files were left because a server still uses the directory. */
  readonly foundInUse: boolean;
  /** Whether the proof counted to the end. */
  readonly confirmed: boolean;
}

/** Files proven before the first of them is removed: a block. */
export const maxProven = 100_000;
/** Files proven again and then removed. */
const removedAtATime = 100;
const removalsBetweenConfirmations = 10 * removedAtATime;

/**
 * Removes session files: prove all (up to 100,000 at a time) → confirm → for each hundred: prove
 * again, check Redis, remove. Nothing is removed before all are proven and confirmed, so a Redis
 * that fails before then loses nothing. After an error in a session directory, nothing more is
 * removed from it. Throws what the prover and the gate throw.
 */
export async function purgeSessions(purge: Purge): Promise<PurgeResult> {
  const state = new PurgeState(purge);
  const batches = purge.batches[Symbol.iterator]();
  try {
    let whole = false;
    for (let block = 1, before = 0; !whole && !purge.stop.aborted; block++) {
      const proven: ProvenFile[] = [];
      let compared = 0;
      const step = { block, before, proved: () => compared };
      purge.onStep({ name: "proving", ...step });
      const onProved = (count: number) => {
        compared += count;
      };
      try {
        whole = await proveSome(batches, { ...purge, onProved }, state, proven);
      } catch (error) {
        purge.ledger.recordUnvisited(proven.length);
        throw error;
      }
      purge.onStep({ name: "removing", ...step });
      await removeProven(proven, purge, state);
      before += compared;
    }
    if (!purge.stop.aborted) await state.conclude();
  } finally {
    // A scan that ends early has a directory open.
    batches.return?.();
  }
  return state.result;
}

/** Proves batches until enough are proven. Returns whether all are. */
async function proveSome(
  batches: Iterator<readonly SessionFile[]>,
  purge: Purge & { readonly onProved: (count: number) => void },
  state: PurgeState,
  proven: ProvenFile[],
): Promise<boolean> {
  let whole = false;
  function* some(): Generator<readonly SessionFile[]> {
    while (proven.length < maxProven) {
      const next = batches.next();
      if (next.done === true) {
        whole = true;
        return;
      }
      yield next.value;
    }
  }
  await forEachBatch({
    ...purge,
    batches: some(),
    skip: (batch) => purge.ledger.recordUnvisited(batch.length),
    work: async (batch) => {
      const proofs = await purge.prover.prove(batch).catch((error: unknown) => {
        purge.ledger.recordUnvisited(batch.length);
        throw error;
      });
      for (const proof of proofs) {
        if ("proven" in proof) proven.push(proof.proven);
        else state.settle(proof.file, proof.outcome, proof.leaves);
      }
      purge.onProved(batch.length);
    },
  });
  return whole;
}

async function removeProven(all: readonly ProvenFile[], purge: Purge, state: PurgeState): Promise<void> {
  const proven = all.filter((one) => !state.settleDenied(one));
  let done = 0;
  try {
    if (proven.length > 0 && !purge.dryRun) await waitUntilGrown(proven, purge);
    for (let from = 0; from < proven.length; from += removedAtATime) {
      if (purge.stop.aborted) break;
      if (!purge.dryRun && from % removalsBetweenConfirmations === 0) await state.confirm();
      else await nextTurn();
      const some = proven.slice(from, from + removedAtATime);
      for (const proof of await state.proveAgain(some)) {
        if (purge.stop.aborted) break;
        state.take(proof);
        done++;
      }
    }
  } finally {
    purge.ledger.recordUnvisited(proven.length - done);
  }
}

/** Waits until the youngest file is so old that its times show every change. */
async function waitUntilGrown(proven: readonly ProvenFile[], { wait, stop }: Purge): Promise<void> {
  const youngestMs = proven.reduce((latest, { changedMs }) => Math.max(latest, changedMs), 0);
  const giveUpAtMs = Math.min(youngestMs, Date.now()) + youngMs + 1;
  // A timer may end a little early.
  while (Date.now() < giveUpAtMs && !stop.aborted) await wait(giveUpAtMs - Date.now());
}

/** What a person is told of a file that a purge left. */
function withDifference(outcome: SessionOutcome, file: SessionFile): SessionOutcome {
  const { sid, kind, inDoubt, detail } = outcome;
  if (kind !== "absent" && kind !== "kept" && kind !== "denied") return outcome;
  const why = detail ?? (inDoubt === true ? inDoubtDetail : details[kind]);
  return { ...outcome, difference: { sid, path: pathOf(file), kind, detail: why } };
}

const details = {
  absent: "Redis has no key for it",
  kept: "Redis holds another, older value",
  denied: "not permitted",
};

/** How far a purge has come: what was settled, and whether files may still be removed. */
class PurgeState {
  readonly #purge: Purge;
  /** Directories in which nothing is removed any more. */
  readonly #closed = new Set<string>();
  /** Whether there was any file at all. */
  #settled = false;
  /** Once it is not `confirmed`, nothing more is removed. */
  readonly result = { left: 0, notStored: 0, foundInUse: false, confirmed: true };
  /** Kinds of denials that were warned of. */
  readonly #toldDenials = new Set<string>();

  constructor(purge: Purge) {
    this.#purge = purge;
  }

  settle(file: SessionFile, outcome: SessionOutcome, leaves: boolean): void {
    this.#settled = true;
    if (outcome.failure?.reason === "unreadable") this.#closed.add(file.directory);
    if (leaves) this.result.left++;
    const told = located(leaves ? withDifference(outcome, file) : outcome, file);
    this.#purge.ledger.record(told, file.directory);
    this.#purge.onOutcome(told);
  }

  async confirm(): Promise<void> {
    if (this.result.confirmed) this.result.confirmed = await this.#purge.gate.confirmBeforeBatch();
  }

  /**
   * Notices a Redis that lost data after the last confirmation, or before there was any: keys that
   * a purge found missing were then lost, and nobody logged out.
   */
  async conclude(): Promise<void> {
    if (this.#settled && this.result.confirmed && !this.#purge.dryRun)
      this.result.confirmed = await this.#purge.gate.checkRedisIntact();
  }

  /**
   * Skipped in a dry run, and once removal has stopped. A key missing by now was either logged out
   * or lost; the check after this one tells which.
   */
  async proveAgain(proven: readonly ProvenFile[]): Promise<readonly Proof[]> {
    if (this.#purge.dryRun || !this.result.confirmed) return proven.map((one) => ({ proven: one }));
    const proofs = await this.#purge.prover.proveAgain(proven);
    this.result.confirmed = await this.#purge.gate.checkRedisIntact();
    return proofs;
  }

  /** Removes a file that is still proven. */
  take(proof: Proof): void {
    if ("proven" in proof) this.remove(proof.proven);
    else this.settle(proof.file, proof.outcome, proof.leaves);
  }

  leave({ file, outcome }: ProvenFile, detail: string): void {
    this.settle(file, { ...outcome, kind: "kept", detail }, true);
  }

  /** Settles a file that this process may not remove. Returns whether it is one. */
  settleDenied(proven: ProvenFile): boolean {
    const denial = this.#purge.files.denialOf(proven.file);
    if (denial !== undefined) this.#deny(proven, denial.why, denial.folder);
    return denial !== undefined;
  }

  remove(proven: ProvenFile): void {
    const { file, exact, outcome, stored } = proven;
    const obstacle = this.result.confirmed ? this.#obstacleTo(proven) : "Redis may have lost keys meanwhile";
    if (obstacle !== undefined) this.leave(proven, obstacle);
    else {
      const removal: Removal = this.#purge.dryRun ? { kind: "removed" } : this.#purge.files.remove(file, exact);
      if (removal.kind === "removed" && !stored) this.result.notStored++;
      if (removal.kind === "changed") this.leave(proven, "it changed after it was compared");
      else if (removal.kind === "denied") this.#deny(proven, removal, dirname(pathOf(file)));
      else if (removal.kind === "failed") {
        this.settle(file, failed(outcome, "unreadable", `not removed: ${removal.code}`), true);
      } else this.settle(file, { ...outcome, kind: removal.kind }, false);
    }
  }

  #deny({ file, outcome }: ProvenFile, why: RemovalDenial, folder: string): void {
    const key = `${why.code} ${why.owner}`;
    if (!this.#toldDenials.has(key)) {
      const { found, remedy } = explainDenial(why, showablePath(folder));
      this.#purge.warn(`${found}. ${remedy}`, { evenIfQuiet: true });
    }
    this.#toldDenials.add(key);
    this.settle(file, { ...outcome, kind: "denied", detail: denialReason(why) }, true);
  }

  /** Why a proven file stays; `undefined` if it may be removed. */
  #obstacleTo({ file: { directory }, mtimeMs, settled }: ProvenFile): string | undefined {
    const { inUse, dryRun, files, tally } = this.#purge;
    const isBroken = tally.unreadable.some((one) => one.directory === directory);
    if (isBroken || this.#closed.has(directory)) return "an error in its directory";
    if (!inUse && files.isInUse()) {
      this.result.foundInUse = true;
      return "a server is still using the directory";
    }
    const isYoung = !settled || mtimeMs > Date.now() - youngMs;
    return isYoung && !dryRun ? "modified less than 2 s ago, or in the future" : undefined;
  }
}
