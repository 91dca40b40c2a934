import { type ConflictRules, compareStored, conflictRules, isRightLifetime } from "../convert/decide-conflict.js";
import { explainMissing, isCoveredByMark, isUnmodifiedSinceMark } from "../convert/missing-key.js";
import type { Survey } from "../model/mark.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { RunOptions } from "../model/run-options.js";
import type { SessionFile } from "../model/session-file.js";
import type { StoredText, StoredValue } from "../model/stored-value.js";
import type { SessionStore } from "../redis/session-store.js";
import { pathOf } from "../source/recent-files.js";
import { type BatchResult, BatchTally } from "./batch-result.js";
import { FactsBySession } from "./earlier-runs/facts-by-session.js";
import { SeenDirectories } from "./earlier-runs/learn.js";
import { failed, inDoubtDetail, located, type Prepared } from "./prepare-session.js";
import { fileAt } from "./readers/converted-batch.js";
import type { EncodedSessions } from "./readers/encoded-sessions.js";
import type { ReaderOptions } from "./readers/reader.js";
import type { ReaderPool } from "./readers/reader-pool.js";
import type { BatchWorker } from "./run-pass.js";

/** How a verification compares. */
export interface VerifierOptions extends Pick<ReaderOptions, "conversion">, Pick<RunOptions, "conflicts"> {
  /** Whether somebody wants to be told of each outcome. */
  readonly collectsOutcomes: boolean;
}

/** What a verification compares with. */
export interface VerifierContext {
  readonly store: Pick<SessionStore, "keyOf" | "read">;
  readonly readers: ReaderPool;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** A live server's save is complete within this time. */
const saveMs = 250;
/**
 * If very much differs, it is no passing change, and waiting again and again would take for ever.
 */
const maxWaits = 20;
/**
 * The file or the key may have changed between the reading of both, so these are compared twice.
 */
const comparedTwice: ReadonlySet<string> = new Set(["missing", "different", "wrong-lifetime"]);
const details = {
  missing: "Redis has no key for it",
  different: "Redis holds another, older value",
  "wrong-lifetime": "its key has no lifetime, or not the one that a copy gives",
};

/** A session file that was compared. */
interface Verified {
  readonly file: SessionFile;
  /** Absent if the file holds no session that could be compared. */
  readonly stamp?: Prepared["stamp"];
  /** Absent if it shows only once the whole directory was seen. */
  readonly outcome: SessionOutcome | undefined;
}

/** Compares session files with Redis, batch by batch. It only reads. */
export class Verifier implements BatchWorker {
  readonly #options: VerifierOptions;
  readonly #context: VerifierContext;
  readonly #seen = new SeenDirectories();
  #rules: ConflictRules;
  #facts = new FactsBySession([]);
  #waits = 0;

  constructor(options: VerifierOptions, survey: Survey, context: VerifierContext) {
    this.#options = options;
    this.#context = context;
    this.#rules = conflictRules(options, survey);
    this.learn(survey);
  }

  /** Takes what the run knows by now. */
  learn(survey: Survey): void {
    this.#rules = conflictRules(this.#options, survey);
    this.#facts = new FactsBySession(survey.directories);
  }

  /** Compares a batch. Throws what `SessionStore` throws. */
  async workOn(files: readonly SessionFile[]): Promise<BatchResult> {
    const tally = new BatchTally(files.length, this.#options.collectsOutcomes);
    const first = await this.#compareAll(files);
    const doubtful = first.filter(({ outcome }) => outcome === undefined || comparedTwice.has(outcome.kind));
    if (doubtful.length > 0 && ++this.#waits <= maxWaits) await this.#context.wait(saveMs);
    const second = await this.#compareAll(doubtful.map(({ file }) => file));
    const again = new Set(doubtful);
    for (const one of [...first.filter((each) => !again.has(each)), ...second]) this.#settle(one, tally);
    return tally.result(this.#seen.take());
  }

  async #compareAll(files: readonly SessionFile[]): Promise<Verified[]> {
    const { readers } = this.#context;
    const verified: Verified[] = [];
    for (let rest = files; rest.length > 0; ) {
      const batch = await readers.convert(rest);
      for (const one of batch.seen) this.#seen.add(one);
      const prepared: Prepared[] = [...batch.prepared];
      verified.push(...(await this.#compareEncoded(rest, batch.sessions)));
      for (const place of batch.unread) {
        const file = fileAt(rest, place);
        const one = readers.inline.prepare(file, readers.inline.read(file));
        if ("candidate" in one) prepared.push(one);
        else verified.push(one);
      }
      readers.giveBack(batch);
      verified.push(...batch.finished, ...(await this.#compare(prepared)));
      rest = rest.slice(batch.taken);
    }
    return verified;
  }

  /** Compares sessions as they lie in the buffer. Only what differs becomes an object. */
  async #compareEncoded(files: readonly SessionFile[], sessions: EncodedSessions): Promise<Verified[]> {
    if (sessions.count === 0) return [];
    const { store } = this.#context;
    const placed = Array.from({ length: sessions.count }, (_, row) => fileAt(files, sessions.place(row)));
    const stored = await store.read(placed.map(({ sid }) => store.keyOf(sid)));
    return placed.map((file, row): Verified => {
      const one = stored[row];
      const stamp = sessions.stampAt(row);
      if (one?.kind === "text" && this.#isAsWritten(sessions, row, one)) {
        return { file, stamp, outcome: sessions.outcomeAt(row, file.sid, "equal") };
      }
      const prepared = sessions.preparedAt(row, file, store.keyOf(file.sid));
      return { file, stamp, outcome: this.#judge(prepared, one) };
    });
  }

  #isAsWritten(sessions: EncodedSessions, row: number, stored: StoredText): boolean {
    const expected = { expiresAtMs: sessions.expiresAtMs(row), fullLifetimeMs: sessions.fullLifetimeMs(row) };
    return sessions.holds(row, stored.value) && isRightLifetime(expected, stored, this.#rules, Date.now());
  }

  async #compare(all: readonly Prepared[]): Promise<Verified[]> {
    if (all.length === 0) return [];
    const stored = await this.#context.store.read(all.map(({ candidate }) => candidate.entry.key));
    return all.map((prepared, index) => {
      const { file, stamp } = prepared;
      return { file, stamp, outcome: this.#judge(prepared, stored[index]) };
    });
  }

  /** `undefined` if it shows only once the whole directory was seen. */
  #judge(prepared: Prepared, stored: StoredValue | undefined): SessionOutcome | undefined {
    const outcome = { ...prepared.outcome, bytesWritten: 0 };
    switch (stored?.kind) {
      case "text":
        return { ...outcome, ...this.#judgeText(prepared, stored) };
      case "nothing": {
        const kind = this.#explainMissing(prepared);
        return kind === "unknown" ? undefined : { ...outcome, kind };
      }
      case "other-type":
        return failed(outcome, "wrong-redis-type", "the key holds no string");
      case "unreadable":
        return failed(outcome, "redis-error", stored.detail);
      default:
        return failed(outcome, "redis-error", "no reply");
    }
  }

  #judgeText({ file, stamp, candidate }: Prepared, stored: StoredText): Pick<SessionOutcome, "kind" | "inDoubt"> {
    const isUnmodified = isUnmodifiedSinceMark(stamp, this.#facts.of(file));
    const known = isUnmodified ? { ...candidate, unmodifiedSinceMark: true as const } : candidate;
    const comparison = compareStored(known, stored, this.#rules, Date.now());
    switch (comparison.kind) {
      case "equal":
        return { kind: comparison.lifetimeIsRight ? "equal" : "wrong-lifetime" };
      case "newer":
        // A save sets the lifetime a moment after the value. The second comparison comes after
        // that.
        return { kind: stored.expiresAtMs === null ? "wrong-lifetime" : "newer" };
      case "different": {
        const { inDoubt } = comparison;
        return { kind: "different", ...(inDoubt === undefined ? {} : { inDoubt }) };
      }
    }
  }

  /** What a missing key means. */
  #explainMissing({ file, stamp, candidate, lifetimeOrigin }: Prepared): "missing" | "expired" | "ended" | "unknown" {
    const { conversion } = this.#options;
    const { fullLifetimeMs } = candidate;
    const nowMs = Date.now();
    if (conversion.ttl === "remaining" && stamp.mtimeMs + fullLifetimeMs <= nowMs) return "expired";
    const facts = this.#facts.of(file);
    const meaning = explainMissing({ stamp, fullLifetimeMs, lifetimeOrigin }, facts, conversion, nowMs);
    return meaning === "write" ? "missing" : meaning;
  }

  #settle({ file, stamp, outcome }: Verified, tally: BatchTally): void {
    if (outcome === undefined) {
      tally.defer(file);
      return;
    }
    tally.record(located(withDifference(outcome, file), file), file);
    if (stamp !== undefined && isCoveredByMark(stamp, this.#facts.of(file))) {
      this.#seen.addCovered(file.directory, outcome.kind === "ended");
    }
  }
}

/** What a person is told of a session that is not as it should be. */
function withDifference(outcome: SessionOutcome, file: SessionFile): SessionOutcome {
  const { sid, kind, inDoubt } = outcome;
  if (kind !== "missing" && kind !== "different" && kind !== "wrong-lifetime") return outcome;
  const detail = inDoubt === true ? inDoubtDetail : details[kind];
  return { ...outcome, difference: { sid, path: pathOf(file), kind, detail } };
}
