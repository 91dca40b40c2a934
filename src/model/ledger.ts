import type { Written } from "./entry.js";
import {
  type Difference,
  type Failure,
  type FailureReason,
  type OutcomeKind,
  outcomeKinds,
  type SessionFormat,
  type SessionOutcome,
} from "./outcome.js";

/** Failures and differences that a ledger keeps of each; its listeners hear of every one. */
const maxKept = 100;

/** What became of every session file so far. */
export interface LedgerCounts extends Readonly<Record<TotalName, number>> {
  readonly outcomes: Readonly<Record<OutcomeKind, number>>;
  readonly formats: Readonly<Record<SessionFormat, number>>;
  readonly reasons: ReadonlyMap<FailureReason, number>;
}

/**
 * `found` is always the sum of the outcomes. `ignored` files were not regular files any more when
 * they were opened. `inDoubt`: nothing tells whether the file's value or Redis's is newer.
 */
const totalNames = [
  "found",
  "empty",
  "ignored",
  "authenticated",
  "anonymous",
  "lossy",
  "inDoubt",
  "bytesRead",
  "bytesWritten",
] as const;
type TotalName = (typeof totalNames)[number];

/** What a ledger holds, as plain data. */
export interface LedgerPage extends LedgerCounts {
  readonly warnings: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  readonly differences: readonly Difference[];
}

/** Called for each failure and each difference as it is recorded. */
export interface FindingListeners {
  readonly onFailure?: (failure: Failure) => void;
  readonly onDifference?: (difference: Difference) => void;
}

/** Counts outcomes. It holds no session, and only the first failures and differences. */
export class Ledger {
  readonly #totals = zeros(totalNames);
  readonly #outcomes = zeros(outcomeKinds);
  readonly #formats = zeros(["pickle", "json"]);
  readonly #reasons = new Map<FailureReason, number>();
  readonly #warnings = new Map<string, number>();
  /** The suspicious ones first. */
  readonly #failures: Failure[] = [];
  readonly #differences: Difference[] = [];
  readonly #listeners: FindingListeners;
  readonly #maxKept: number;
  #suspiciousKept = 0;
  #unvisited = 0;

  constructor(listeners: FindingListeners = {}, keep = maxKept) {
    this.#listeners = listeners;
    this.#maxKept = keep;
  }

  record(outcome: SessionOutcome): void {
    const { kind, format, facts, warning, failure, difference } = outcome;
    const totals = this.#totals;
    totals.bytesRead += outcome.bytesRead;
    totals.bytesWritten += outcome.bytesWritten;
    if (kind === "empty" || kind === "ignored") totals[kind]++;
    else {
      this.#outcomes[kind]++;
      totals.found++;
    }
    if (format !== undefined) this.#formats[format]++;
    if (facts !== undefined) {
      totals[facts.authenticated ? "authenticated" : "anonymous"]++;
      if (facts.lossy) totals.lossy++;
    }
    if (outcome.inDoubt === true) totals.inDoubt++;
    if (warning !== undefined) increase(this.#warnings, warning, 1);
    if (failure !== undefined) {
      increase(this.#reasons, failure.reason, 1);
      this.#keepFailure(failure);
    }
    if (difference !== undefined) this.#keepDifference(difference);
  }

  /** Adds what another ledger counted, which must have kept every failure and difference. */
  add(page: LedgerPage): void {
    for (const name of totalNames) this.#totals[name] += page[name];
    for (const kind of outcomeKinds) this.#outcomes[kind] += page.outcomes[kind];
    this.#formats.pickle += page.formats.pickle;
    this.#formats.json += page.formats.json;
    for (const [reason, count] of page.reasons) increase(this.#reasons, reason, count);
    for (const [warning, count] of page.warnings) increase(this.#warnings, warning, count);
    for (const failure of page.failures) this.#keepFailure(failure);
    for (const difference of page.differences) this.#keepDifference(difference);
  }

  /**
   * Turns a session that ended later, and whose key was deleted, into a vanished one. It was copied,
   * or identical if its lifetime was `renewed`.
   */
  recordRetracted({ renewed, bytes }: Pick<Written, "renewed" | "bytes">): void {
    this.#outcomes[renewed ? "identical" : "copied"]--;
    this.#outcomes.vanished++;
    if (!renewed) this.#totals.bytesWritten -= bytes;
  }

  /** Counts session files that were listed but never reached. They are not part of `found`. */
  recordUnvisited(count: number): void {
    this.#unvisited += count;
  }

  get counts(): LedgerCounts {
    return {
      ...this.#totals,
      outcomes: { ...this.#outcomes },
      formats: this.#formats,
      reasons: this.#reasons,
    };
  }

  get page(): LedgerPage {
    return {
      ...this.counts,
      warnings: this.#warnings,
      failures: this.#failures,
      differences: this.#differences,
    };
  }

  get unvisited(): number {
    return this.#unvisited;
  }

  /**
   * The first failures: 100, unless the constructor was told otherwise. Suspicious ones come before
   * all others, and take their places.
   */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** Each warning about sessions, with the number of sessions it concerns. */
  get warnings(): ReadonlyMap<string, number> {
    return this.#warnings;
  }

  #keepFailure(failure: Failure): void {
    const failures = this.#failures;
    if (failure.suspicious === true) {
      failures.splice(this.#suspiciousKept++, 0, failure);
      if (failures.length > this.#maxKept) failures.pop();
    } else if (failures.length < this.#maxKept) failures.push(failure);
    this.#listeners.onFailure?.(failure);
  }

  #keepDifference(difference: Difference): void {
    if (this.#differences.length < this.#maxKept) this.#differences.push(difference);
    this.#listeners.onDifference?.(difference);
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

function increase<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
