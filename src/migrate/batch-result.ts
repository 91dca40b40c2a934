import { Ledger, type LedgerPage } from "../model/ledger.js";
import type { DirectorySeen } from "../model/mark.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { SessionFile } from "../model/session-file.js";

/** What became of a batch of session files. */
export interface BatchResult {
  readonly page: LedgerPage;
  /** Session files of the batch that were not reached. */
  readonly unvisited: number;
  /** The outcomes one by one, if somebody wants to be told. */
  readonly outcomes: readonly SessionOutcome[];
  /** Session files whose outcome waits until the whole directory was seen. */
  readonly deferred: readonly SessionFile[];
  /** What the batch adds to what is known about each session directory. */
  readonly seen: readonly DirectorySeen[];
  /** What ends the run; absent if nothing does. */
  readonly error?: unknown;
}

/** Collects what becomes of a batch of session files. */
export class BatchTally {
  readonly #size: number;
  readonly #collectsOutcomes: boolean;
  readonly #ledger = new Ledger({}, Number.POSITIVE_INFINITY);
  readonly #outcomes: SessionOutcome[] = [];
  readonly #deferred: SessionFile[] = [];
  #recorded = 0;

  /** `collectsOutcomes`: whether somebody wants to be told of each outcome. */
  constructor(size: number, collectsOutcomes: boolean) {
    this.#size = size;
    this.#collectsOutcomes = collectsOutcomes;
  }

  record(outcome: SessionOutcome, { directory }: SessionFile): void {
    this.#ledger.record(outcome, directory);
    if (this.#collectsOutcomes) this.#outcomes.push(outcome);
    this.#recorded++;
  }

  defer(file: SessionFile): void {
    this.#deferred.push(file);
  }

  /** The result; `end` holds the error that ended the batch early. */
  result(seen: readonly DirectorySeen[], end: { readonly error?: unknown } = {}): BatchResult {
    return {
      page: this.#ledger.page,
      unvisited: this.#size - this.#recorded - this.#deferred.length,
      outcomes: this.#outcomes,
      deferred: this.#deferred,
      seen,
      ...end,
    };
  }
}
