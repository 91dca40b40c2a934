import { setImmediate as nextTurn } from "node:timers/promises";
import type { Ledger } from "../../model/ledger.js";
import type { SessionOutcome } from "../../model/outcome.js";
import type { SessionFile } from "../../model/session-file.js";
import { pathOf } from "../../source/recent-files.js";
import type { Removal } from "../../source/removal/remove-session-file.js";
import { type BatchWork, forEachBatch } from "../for-each-batch.js";
import { failed, inDoubtDetail, located } from "../prepare-session.js";
import { type Proof, type ProvenFile, youngMs } from "./prove.js";

/** What a purge works with. */
export interface Purge extends Omit<BatchWork, "work" | "skip"> {
  readonly prove: (batch: readonly SessionFile[]) => Promise<readonly Proof[]>;
  /** Proves some again just before they go. */
  readonly proveAgain: (proven: readonly ProvenFile[]) => Promise<readonly Proof[]>;
  /**
   * Asks Redis whether what the proof saw still counts: nothing evicted, replicas in step, nobody else copying. Throws where the run must
   * end or begin again.
   */
  readonly confirm: () => Promise<boolean>;
  /** Asks whether what was just proven again counts, and behind the last removal; the same, but for who else copies and for replicas. */
  readonly conclude: () => Promise<boolean>;
  readonly remove: (proven: ProvenFile) => Removal;
  /** Whether this process may not remove a file. Says why, once for each folder. */
  readonly isDenied: (file: SessionFile) => boolean;
  /** Whether a file was read that was modified since the run began: a server still uses the directory. */
  readonly isInUse: () => boolean;
  /** Whether part of a session directory could not be read: nothing more is removed in it. */
  readonly isBroken: (directory: string) => boolean;
  /** Whether files go that a server still uses. */
  readonly inUse: boolean;
  /** Whether nothing is touched: what would be removed is counted as removed. */
  readonly dryRun: boolean;
  readonly ledger: Ledger;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** What a purge came to, besides what the ledger counts. */
export interface PurgeResult {
  /** Session files left that were to be removed. */
  readonly left: number;
  /** Removed files that Redis held nothing equal or newer of. */
  readonly unheld: number;
  /** Whether files were left because a server still uses the directory. */
  readonly foundInUse: boolean;
  /** Whether Redis stood by the proof to the end. */
  readonly confirmed: boolean;
}

/** Files that are proven before the first of them is removed. */
const mostProven = 100_000;
/** Files that are proven again and then removed: Redis was asked for the last of them a moment ago. */
const removedAtATime = 100;
const removalsBetweenConfirmations = 10 * removedAtATime;

/**
 * Removes session files in two steps: first all of them, up to a hundred thousand at a time, are proven, while nothing is touched; then
 * Redis is asked whether the proof still counts, and only then are they removed, each hundred of them proven once more. A Redis that fails or
 * forgets before that loses nothing. An error while files are read or removed ends removal in that directory.
 */
export async function purgeSessions(purge: Purge): Promise<PurgeResult> {
  const course = new PurgeCourse(purge);
  const batches = purge.batches[Symbol.iterator]();
  try {
    for (let whole = false; !whole && !purge.stop.aborted; ) {
      const proven: ProvenFile[] = [];
      try {
        whole = await proveSome(batches, purge, course, proven);
      } catch (error) {
        purge.ledger.recordUnvisited(proven.length);
        throw error;
      }
      await removeProven(proven, purge, course);
    }
    if (!purge.stop.aborted) await course.conclude();
  } finally {
    // A scan that ends early has a directory open.
    batches.return?.();
  }
  return course.result;
}

/** Proves batches until enough are proven; tells whether all are. */
async function proveSome(
  batches: Iterator<readonly SessionFile[]>,
  purge: Purge,
  course: PurgeCourse,
  proven: ProvenFile[],
): Promise<boolean> {
  let whole = false;
  function* some(): Generator<readonly SessionFile[]> {
    while (proven.length < mostProven) {
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
      const proofs = await purge.prove(batch).catch((error: unknown) => {
        purge.ledger.recordUnvisited(batch.length);
        throw error;
      });
      for (const proof of proofs) {
        if ("proven" in proof) proven.push(proof.proven);
        else course.settle(proof.file, proof.outcome, proof.leaves);
      }
    },
  });
  return whole;
}

async function removeProven(all: readonly ProvenFile[], purge: Purge, course: PurgeCourse): Promise<void> {
  const proven = all.filter((one) => {
    const isDenied = purge.isDenied(one.file);
    if (isDenied) course.deny(one);
    return !isDenied;
  });
  let done = 0;
  try {
    if (proven.length > 0 && !purge.dryRun) await waitUntilGrown(proven, purge);
    for (let from = 0; from < proven.length; from += removedAtATime) {
      if (purge.stop.aborted) break;
      if (!purge.dryRun && from % removalsBetweenConfirmations === 0) await course.confirm();
      else await nextTurn();
      const some = proven.slice(from, from + removedAtATime);
      for (const proof of await course.proveAgain(some)) {
        if (purge.stop.aborted) break;
        course.take(proof);
        done++;
      }
    }
  } finally {
    purge.ledger.recordUnvisited(proven.length - done);
  }
}

/** Waits until the youngest file is old enough for its time to tell of every change. */
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
  denied: "it may not be removed",
};

/** How far a purge has come. */
class PurgeCourse {
  readonly #purge: Purge;
  /** Directories in which nothing is removed any more. */
  readonly #closed = new Set<string>();
  #left = 0;
  #unheld = 0;
  #foundInUse = false;
  #removed = false;
  /** Whether Redis still stands by the proof; once it does not, nothing more goes. */
  #confirmed = true;

  constructor(purge: Purge) {
    this.#purge = purge;
  }

  get result(): PurgeResult {
    return {
      left: this.#left,
      unheld: this.#unheld,
      foundInUse: this.#foundInUse,
      confirmed: this.#confirmed,
    };
  }

  settle(file: SessionFile, outcome: SessionOutcome, leaves: boolean): void {
    if (outcome.failure?.reason === "unreadable") this.#closed.add(file.directory);
    if (leaves) this.#left++;
    const told = located(leaves ? withDifference(outcome, file) : outcome, file);
    this.#purge.ledger.record(told);
    this.#purge.onOutcome(told);
  }

  async confirm(): Promise<void> {
    if (this.#confirmed) this.#confirmed = await this.#purge.confirm();
  }

  /** A Redis that is lost behind the last confirmation is found out too. */
  async conclude(): Promise<void> {
    if (this.#removed && this.#confirmed) this.#confirmed = await this.#purge.conclude();
  }

  /** A dry run, and a run that removes nothing more, need no newer proof. What Redis lacks by now ended there, or Redis lost it: that shows behind the proof. */
  async proveAgain(proven: readonly ProvenFile[]): Promise<readonly Proof[]> {
    if (this.#purge.dryRun || !this.#confirmed) return proven.map((one) => ({ proven: one }));
    const proofs = await this.#purge.proveAgain(proven);
    this.#confirmed = await this.#purge.conclude();
    return proofs;
  }

  /** Removes a file that is proven still. */
  take(proof: Proof): void {
    if ("proven" in proof) this.remove(proof.proven);
    else this.settle(proof.file, proof.outcome, proof.leaves);
  }

  leave({ file, outcome }: ProvenFile, detail: string): void {
    this.settle(file, { ...outcome, kind: "kept", detail }, true);
  }

  deny({ file, outcome }: ProvenFile): void {
    this.settle(file, { ...outcome, kind: "denied" }, true);
  }

  remove(proven: ProvenFile): void {
    const { file, outcome, held } = proven;
    const obstacle = this.#confirmed ? this.#obstacleTo(proven) : "Redis may have lost keys meanwhile";
    if (obstacle !== undefined) this.leave(proven, obstacle);
    else {
      const removal: Removal = this.#purge.dryRun ? { kind: "removed" } : this.#purge.remove(proven);
      this.#removed ||= removal.kind === "removed" && !this.#purge.dryRun;
      if (removal.kind === "removed" && !held) this.#unheld++;
      if (removal.kind === "changed") this.leave(proven, "it changed after it was compared");
      else if (removal.kind === "denied") this.deny(proven);
      else if (removal.kind === "failed") {
        this.settle(file, failed(outcome, "unreadable", `not removed: ${removal.code}`), true);
      } else this.settle(file, { ...outcome, kind: removal.kind }, false);
    }
  }

  /** Why a file that is proven stays; `undefined` if it may go. */
  #obstacleTo({ file: { directory }, mtimeMs, settled }: ProvenFile): string | undefined {
    const { inUse, dryRun, isInUse, isBroken } = this.#purge;
    if (this.#closed.has(directory) || isBroken(directory)) return "an error in its directory";
    if (!inUse && isInUse()) {
      this.#foundInUse = true;
      return "a server still uses the directory";
    }
    const isYoung = !settled || mtimeMs > Date.now() - youngMs;
    return isYoung && !dryRun ? "modified less than 2 s ago, or in the future" : undefined;
  }
}
