import { ageBuckets, hourMs, increase, placeBelow, zeros } from "./counts.js";
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
/** Where each of `ageBuckets` ends, in milliseconds. */
const ageLimits = ageBuckets.map((hours) => hours * hourMs);

/** What became of every session file so far. */
export interface LedgerCounts extends Readonly<Record<TotalName, number>> {
  readonly outcomes: Readonly<Record<OutcomeKind, number>>;
  readonly formats: Readonly<Record<SessionFormat, number>>;
  readonly reasons: ReadonlyMap<FailureReason, number>;
  /** By session directory. */
  readonly directories: ReadonlyMap<string, Readonly<FileCounts>>;
  /** Decoded sessions by the age of their files: one for each of `ageBuckets`. */
  readonly ages: readonly Readonly<Record<"authenticated" | "anonymous", number>>[];
  /** Lifetimes written, by the hour in which they end, in hours since the epoch. */
  readonly lifetimes: ReadonlyMap<number, number>;
}

/** What became of the files of one session directory. */
type FileCounts = Record<"found" | "failed", number>;

/** Hours ahead that lifetimes are told apart; a later end counts as in the last of them. */
export const maxLifetimeHours = 1440;

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
  readonly #directories = new Map<string, FileCounts>();
  readonly #ages = ageBuckets.map(() => zeros(["authenticated", "anonymous"]));
  readonly #lifetimes = new Map<number, number>();
  readonly #nowMs = Date.now();
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

  /** `directory`: the session directory that the file lies in. */
  record(outcome: SessionOutcome, directory: string): void {
    const { kind, format, facts, mtimeMs, expiresAtMs, warning, failure, difference } = outcome;
    const totals = this.#totals;
    totals.bytesRead += outcome.bytesRead;
    totals.bytesWritten += outcome.bytesWritten;
    if (kind === "empty" || kind === "ignored") totals[kind]++;
    else {
      this.#outcomes[kind]++;
      totals.found++;
      this.#countIn(directory, 1, kind === "failed" ? 1 : 0);
    }
    if (format !== undefined) this.#formats[format]++;
    if (facts !== undefined) {
      const user = facts.authenticated ? "authenticated" : "anonymous";
      totals[user]++;
      if (facts.lossy) totals.lossy++;
      const ages = mtimeMs === undefined ? undefined : this.#ages[placeBelow(ageLimits, this.#nowMs - mtimeMs)];
      if (ages !== undefined) ages[user]++;
    }
    if (expiresAtMs !== undefined && (kind === "copied" || kind === "identical")) {
      increase(this.#lifetimes, this.#hourOf(expiresAtMs));
    }
    if (outcome.inDoubt === true) totals.inDoubt++;
    if (warning !== undefined) increase(this.#warnings, warning);
    if (failure !== undefined) {
      increase(this.#reasons, failure.reason);
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
    for (const [directory, { found, failed }] of page.directories) this.#countIn(directory, found, failed);
    for (const [index, ages] of this.#ages.entries()) {
      ages.authenticated += page.ages[index]?.authenticated ?? 0;
      ages.anonymous += page.ages[index]?.anonymous ?? 0;
    }
    for (const [hour, count] of page.lifetimes) increase(this.#lifetimes, hour, count);
    for (const [warning, count] of page.warnings) increase(this.#warnings, warning, count);
    for (const failure of page.failures) this.#keepFailure(failure);
    for (const difference of page.differences) this.#keepDifference(difference);
  }

  /**
   * Turns a session that ended later, and whose key or file was removed, into a vanished one. It was
   * copied or exported, or identical if its lifetime was `renewed`.
   */
  recordRetracted(
    { renewed, bytes, expiresAtMs }: Pick<Written, "renewed" | "bytes" | "expiresAtMs">,
    kind: "copied" | "exported" = "copied",
  ): void {
    this.#outcomes[renewed ? "identical" : kind]--;
    this.#outcomes.vanished++;
    if (!renewed) this.#totals.bytesWritten -= bytes;
    if (kind === "copied") increase(this.#lifetimes, this.#hourOf(expiresAtMs), -1);
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
      directories: this.#directories,
      ages: this.#ages,
      lifetimes: this.#lifetimes,
    };
  }

  get page(): LedgerPage {
    return { ...this.counts, warnings: this.#warnings, failures: this.#failures, differences: this.#differences };
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

  #countIn(directory: string, found: number, failed: number): void {
    const counts = this.#directories.get(directory);
    if (counts === undefined) this.#directories.set(directory, { found, failed });
    else {
      counts.found += found;
      counts.failed += failed;
    }
  }

  #hourOf(instantMs: number): number {
    return Math.floor(Math.min(instantMs, this.#nowMs + maxLifetimeHours * hourMs) / hourMs);
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
