import {
  type Failure,
  type FailureReason,
  type OutcomeKind,
  outcomeKinds,
  type SessionFormat,
  type SessionOutcome,
} from "../model/outcome.js";

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
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Counts outcomes. It holds no session, and no more than 100 failures. */
export class Ledger {
  readonly #outcomes = Object.fromEntries(outcomeKinds.map((kind) => [kind, 0])) as Record<
    OutcomeKind,
    number
  >;
  readonly #formats: Record<SessionFormat, number> = { pickle: 0, json: 0 };
  readonly #reasons = new Map<FailureReason, number>();
  readonly #warnings = new Map<string, number>();
  readonly #failures: Failure[] = [];
  readonly #onFailure: (failure: Failure) => void;
  #found = 0;
  #empty = 0;
  #ignored = 0;
  #authenticated = 0;
  #anonymous = 0;
  #lossy = 0;
  #bytesRead = 0;
  #bytesWritten = 0;
  #unvisited = 0;

  /** `onFailure` is told of every failure as it is recorded. */
  constructor(onFailure: (failure: Failure) => void) {
    this.#onFailure = onFailure;
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
    if (outcome.warning !== undefined) {
      this.#warnings.set(outcome.warning, (this.#warnings.get(outcome.warning) ?? 0) + 1);
    }
    if (outcome.failure !== undefined) this.#recordFailure(outcome.failure);
  }

  /** A session that was counted as copied, with so many bytes, ended behind its write, and its key was taken back. */
  recordTakenBack(bytesWritten: number): void {
    this.#outcomes.copied--;
    this.#outcomes.vanished++;
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
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
    };
  }

  get unvisited(): number {
    return this.#unvisited;
  }

  /** The first 100. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** Warnings about sessions, each with the number of sessions that it concerns. */
  get warnings(): ReadonlyMap<string, number> {
    return this.#warnings;
  }

  #recordFailure(failure: Failure): void {
    this.#reasons.set(failure.reason, (this.#reasons.get(failure.reason) ?? 0) + 1);
    if (this.#failures.length < mostFailuresKept) this.#failures.push(failure);
    this.#onFailure(failure);
  }
}
