import {
  type Difference,
  type Failure,
  type FailureReason,
  type OutcomeKind,
  outcomeKinds,
  type SessionFormat,
  type SessionOutcome,
} from "./outcome.js";

/** Failures that are kept; a sink gets every one. */
const mostFailuresKept = 100;

/** What became of every session file so far. */
export interface LedgerCounts {
  readonly outcomes: Readonly<Record<OutcomeKind, number>>;
  /** The sum of the outcomes, always. */
  readonly found: number;
  readonly formats: Readonly<Record<SessionFormat, number>>;
  readonly reasons: ReadonlyMap<FailureReason, number>;
  readonly empty: number;
  /** Files that were no regular files any more when they were opened. */
  readonly ignored: number;
  readonly authenticated: number;
  readonly anonymous: number;
  readonly lossy: number;
  /** Sessions of which nothing tells if the file's value or Redis's is newer. */
  readonly inDoubt: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** What a ledger holds, as plain data. */
export interface LedgerPage extends LedgerCounts {
  readonly warnings: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  readonly differences: readonly Difference[];
}

/** Counts outcomes. It holds no session, and no more failures than it is told to keep. */
export class Ledger {
  readonly #outcomes = Object.fromEntries(outcomeKinds.map((kind) => [kind, 0])) as Record<
    OutcomeKind,
    number
  >;
  readonly #formats: Record<SessionFormat, number> = { pickle: 0, json: 0 };
  readonly #reasons = new Map<FailureReason, number>();
  readonly #warnings = new Map<string, number>();
  readonly #failures: Failure[] = [];
  readonly #differences: Difference[] = [];
  readonly #onDifference: (difference: Difference) => void;
  readonly #onFailure: (failure: Failure) => void;
  readonly #mostFailures: number;
  #found = 0;
  #empty = 0;
  #ignored = 0;
  #authenticated = 0;
  #anonymous = 0;
  #lossy = 0;
  #inDoubt = 0;
  #bytesRead = 0;
  #bytesWritten = 0;
  #unvisited = 0;

  /** `onFailure` and `onDifference` are told of each as it is recorded; the first `mostFailures` of either are kept. */
  constructor(
    onFailure: (failure: Failure) => void,
    mostFailures = mostFailuresKept,
    onDifference: (difference: Difference) => void = () => undefined,
  ) {
    this.#onFailure = onFailure;
    this.#onDifference = onDifference;
    this.#mostFailures = mostFailures;
  }

  record(outcome: SessionOutcome): void {
    this.#bytesRead += outcome.bytesRead;
    this.#bytesWritten += outcome.bytesWritten;
    if (outcome.kind === "empty") this.#empty++;
    else if (outcome.kind === "ignored") this.#ignored++;
    else {
      this.#outcomes[outcome.kind]++;
      this.#found++;
    }
    if (outcome.format !== undefined) this.#formats[outcome.format]++;
    if (outcome.facts !== undefined) {
      if (outcome.facts.authenticated) this.#authenticated++;
      else this.#anonymous++;
      if (outcome.facts.lossy) this.#lossy++;
    }
    if (outcome.inDoubt === true) this.#inDoubt++;
    if (outcome.warning !== undefined) addTo(this.#warnings, outcome.warning, 1);
    if (outcome.failure !== undefined) {
      addTo(this.#reasons, outcome.failure.reason, 1);
      this.#keepFailure(outcome.failure);
    }
    if (outcome.difference !== undefined) this.#keepDifference(outcome.difference);
  }

  /** Adds what another ledger counted; that one was to keep every failure. */
  add(page: LedgerPage): void {
    for (const kind of outcomeKinds) this.#outcomes[kind] += page.outcomes[kind];
    this.#formats.pickle += page.formats.pickle;
    this.#formats.json += page.formats.json;
    for (const [reason, count] of page.reasons) addTo(this.#reasons, reason, count);
    for (const [warning, count] of page.warnings) addTo(this.#warnings, warning, count);
    this.#found += page.found;
    this.#empty += page.empty;
    this.#ignored += page.ignored;
    this.#authenticated += page.authenticated;
    this.#anonymous += page.anonymous;
    this.#lossy += page.lossy;
    this.#inDoubt += page.inDoubt;
    this.#bytesRead += page.bytesRead;
    this.#bytesWritten += page.bytesWritten;
    for (const failure of page.failures) this.#keepFailure(failure);
    for (const difference of page.differences) this.#keepDifference(difference);
  }

  /** Sessions that were counted as copied, with so many bytes in all, ended behind their write, and their keys were taken back. */
  recordRetracted(count: number, bytesWritten: number): void {
    this.#outcomes.copied -= count;
    this.#outcomes.vanished += count;
    this.#bytesWritten -= bytesWritten;
  }

  /** Session files that were listed and never reached: outside the sum. */
  recordUnvisited(count: number): void {
    this.#unvisited += count;
  }

  get counts(): LedgerCounts {
    return {
      outcomes: { ...this.#outcomes },
      found: this.#found,
      formats: { ...this.#formats },
      reasons: this.#reasons,
      empty: this.#empty,
      ignored: this.#ignored,
      authenticated: this.#authenticated,
      anonymous: this.#anonymous,
      lossy: this.#lossy,
      inDoubt: this.#inDoubt,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
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

  /** The first of them, 100 unless told otherwise. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** Warnings about sessions, each with the number of sessions that it concerns. */
  get warnings(): ReadonlyMap<string, number> {
    return this.#warnings;
  }

  #keepDifference(difference: Difference): void {
    if (this.#differences.length < this.#mostFailures) this.#differences.push(difference);
    this.#onDifference(difference);
  }

  #keepFailure(failure: Failure): void {
    if (this.#failures.length < this.#mostFailures) this.#failures.push(failure);
    this.#onFailure(failure);
  }
}

function addTo<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
