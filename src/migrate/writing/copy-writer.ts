import { conflictRules, decideConflict, lifetimeToleranceMs } from "../../convert/decide-conflict.js";
import { activityWindowMs, explainMissing, isCoveredByMark, isUnmodifiedSinceMark } from "../../convert/missing-key.js";
import type { Candidate, Entry, Written } from "../../model/entry.js";
import type { Survey } from "../../model/mark.js";
import type { SessionOutcome } from "../../model/outcome.js";
import type { RunOptions } from "../../model/run-options.js";
import type { FileStamp, SessionFile } from "../../model/session-file.js";
import { pause } from "../../redis/pause.js";
import type { SessionStore } from "../../redis/session-store.js";
import { digestOf } from "../../redis/sha1.js";
import type { Reading } from "../../source/read-session-file.js";
import { type ChangeTest, isModifiedSince, RecentFiles } from "../../source/recent-files.js";
import { SessionFolders } from "../../source/session-folders.js";
import { type BatchResult, BatchTally } from "../batch-result.js";
import { FactsBySession } from "../earlier-runs/facts-by-session.js";
import { SeenDirectories } from "../earlier-runs/learn.js";
import { seeCopyWritten } from "../earlier-runs/retract.js";
import { type Finished, failed, located, type Prepared } from "../prepare-session.js";
import { type ConvertedBatch, fileAt } from "../readers/converted-batch.js";
import { type EncodedSessions, maxCommandBytes } from "../readers/encoded-sessions.js";
import type { ReaderOptions } from "../readers/reader.js";
import type { ReaderPool } from "../readers/reader-pool.js";
import type { BatchWorker } from "../run-pass.js";
import { RecentWrites } from "./recent-writes.js";
import { type Reconciliation, reconcile, type Unreconciled } from "./reconcile.js";
import { type LogContext, type LogOptions, WrittenLog } from "./written-log.js";

/** What a copy writes with. */
export interface WriterContext extends Pick<LogContext, "servers" | "warn" | "stop"> {
  readonly store: SessionStore;
  readonly readers: ReaderPool;
}

/** How a copy writes. */
export interface WriterOptions
  extends LogOptions,
    Pick<ReaderOptions, "conversion" | "runStartedMs" | "passStartedMs">,
    Pick<RunOptions, "conflicts"> {
  /** Whether somebody wants to be told of each outcome. */
  readonly collectsOutcomes: boolean;
}

const directoryAway = { kind: "failed", reason: "unreadable", detail: "its session directory was away" } as const;

/**
 * Writes session files to Redis, batch by batch: has them read and converted, creates their keys,
 * reconciles what exists, and deletes the keys of sessions that end meanwhile. It remembers what it
 * read and wrote, and serves one attempt at a copy.
 */
export class CopyWriter implements BatchWorker {
  /** What it has written so far. */
  readonly written: WrittenLog;
  readonly #options: WriterOptions;
  readonly #context: WriterContext;
  readonly #folders: SessionFolders;
  readonly #recentFiles: RecentFiles;
  readonly #recentWrites = new RecentWrites();
  readonly #seen = new SeenDirectories();
  #survey: Survey;
  #facts = new FactsBySession([]);
  #changed: ChangeTest;
  #pass = 0;
  #inUse = false;
  #readAll = true;

  constructor(options: WriterOptions, survey: Survey, context: WriterContext) {
    this.#options = options;
    this.#context = context;
    this.#folders = new SessionFolders(options.directories);
    this.#recentFiles = new RecentFiles(options.passStartedMs);
    this.#changed = this.#recentFiles.changedSincePass();
    this.#survey = survey;
    this.learn(survey);
    this.written = new WrittenLog(options, { ...context, folders: this.#folders });
  }

  /**
   * Whether a file was read that was modified since the run began: a server still uses the
   * directory.
   */
  get inUse(): boolean {
    return this.#inUse;
  }

  /** Whether every file so far was read at the first try. */
  get readAll(): boolean {
    return this.#readAll;
  }

  /** Takes what the run knows by now. */
  learn(survey: Survey): void {
    this.#survey = survey;
    this.#facts = new FactsBySession(survey.directories);
  }

  /** Begins a pass over what changed since the last one began. */
  beginPass(pass: number, startedMs: number): void {
    this.#changed = this.#recentFiles.changedSincePass();
    this.#recentFiles.beginPass(startedMs);
    this.#pass = pass;
  }

  /**
   * Of these files, those that changed since the last pass began and were not read as they are now,
   * and those whose state is unknown.
   */
  async changedOf(files: readonly SessionFile[]): Promise<SessionFile[]> {
    const { sinceMs, isChanged } = this.#changed;
    const changed = await this.#context.readers.changedSince(files, sinceMs);
    return changed.flatMap(({ place, stamp }) => {
      const file = fileAt(files, place);
      if (!isChanged(file, stamp)) return [];
      // A file that is gone had its outcome already.
      return stamp === undefined && this.#folders.hasVanished(file) ? [] : [file];
    });
  }

  /**
   * Does everything for a batch of session files. The result holds the error that ends the run, if
   * there is one.
   */
  async workOn(files: readonly SessionFile[]): Promise<BatchResult> {
    const tally = new BatchTally(files.length, this.#options.collectsOutcomes);
    try {
      for (const file of files) this.#folders.note(file);
      for (let rest = files; rest.length > 0; ) {
        const batch = await this.#context.readers.convert(rest);
        const { reconnects } = this.#context.servers;
        await this.#writeBatch(rest, batch, tally);
        // A lost connection may still hold the buffer.
        if (this.#context.servers.reconnects === reconnects) this.#context.readers.giveBack(batch);
        rest = rest.slice(batch.taken);
      }
      return tally.result(this.#seen.take());
    } catch (error) {
      return tally.result(this.#seen.take(), { error });
    }
  }

  close(): void {
    this.written.close();
  }

  async #writeBatch(files: readonly SessionFile[], batch: ConvertedBatch, tally: BatchTally): Promise<void> {
    // If a reply is lost, the entry may have been written before.
    const { reconnects } = this.#context.servers;
    this.#noteBatch(files, batch);
    const reread = this.#readAgain(files, batch);
    const finished = [...batch.finished, ...reread.filter((one) => "isOver" in one)];
    for (const { outcome, file } of finished) tally.record(outcome, file);
    const open = await this.#create(files, batch.sessions, reconnects, tally);
    const others = [...batch.prepared, ...reread.filter((one) => "candidate" in one)];
    const judged = [...open, ...others.map((one) => this.#judged(one, "unsent"))];
    await this.#reconcileAll(judged, reconnects, tally);
    const over = finished.filter(({ isOver }) => isOver).map(({ file }) => file.sid);
    // If no sign survives, nothing tells which keys a copy wrote.
    if (over.length === 0 || !this.#survey.signsCount || this.#options.dryRun) return;
    const { store } = this.#context;
    await store.retract(await seeCopyWritten(store, over, this.#options.conversion.clockLeadMs));
  }

  /** Notes what a reader saw. */
  #noteBatch(files: readonly SessionFile[], { recent, seen, leadMs, inUse, unread }: ConvertedBatch): void {
    this.#recentFiles.noteLead(leadMs);
    for (const { place, stamp } of recent) this.#recentFiles.note(fileAt(files, place), stamp);
    for (const one of seen) this.#seen.add(one);
    this.#inUse ||= inUse;
    this.#readAll &&= unread.length === 0;
  }

  /**
   * Stats the files that could not be read, and reads them again. If the server saves after the
   * stat, a later pass sees the change.
   */
  #readAgain(files: readonly SessionFile[], { unread }: ConvertedBatch): (Prepared | Finished)[] {
    const { inline } = this.#context.readers;
    return unread.map((place) => {
      const file = fileAt(files, place);
      const stamp = inline.stampOf(file);
      const reading = this.#readUnlessAway(file);
      if (reading.kind === "read") this.#noteRead(file, reading.stamp);
      else this.#recentFiles.noteUnread(file, stamp);
      return inline.prepare(file, reading);
    });
  }

  /**
   * Reads a file, retrying once if its session directory is missing. A missing directory tells
   * nothing about its files, and no later pass would notice them.
   */
  #readUnlessAway(file: SessionFile): Reading {
    for (let readings = 0; readings < 2; readings++) {
      const reading = this.#context.readers.inline.read(file);
      if (reading.kind !== "vanished" || this.#folders.hasVanished(file)) return reading;
    }
    return directoryAway;
  }

  #noteRead(file: SessionFile, stamp: FileStamp): void {
    this.#recentFiles.note(file, stamp);
    this.#inUse ||= isModifiedSince(stamp, this.#options.runStartedMs);
    if (stamp.mtimeMs <= Date.now() + activityWindowMs) this.#seen.addModification(file.directory, stamp.mtimeMs);
  }

  /**
   * Creates the keys of sessions that can be sent as they are. Returns the others, and those whose
   * key exists.
   */
  async #create(
    files: readonly SessionFile[],
    sessions: EncodedSessions,
    reconnects: number,
    tally: BatchTally,
  ): Promise<Judged[]> {
    if (sessions.count === 0) return [];
    const { store } = this.#context;
    const fileOf = (row: number) => fileAt(files, sessions.place(row));
    const preparedAt = (row: number) => {
      const file = fileOf(row);
      return sessions.preparedAt(row, file, store.keyOf(file.sid));
    };
    const rows = Array.from({ length: sessions.count }, (_, row) => row);
    // After an earlier copy most keys exist, and a missing one may have ended.
    if (files.some((file) => this.#facts.of(file)?.mark !== undefined)) {
      return rows.map((row) => this.#judged(preparedAt(row), "stored"));
    }
    const keys = () => rows.map((row) => store.keyOf(fileOf(row).sid));
    const replies = await store.createEncoded(sessions, keys);
    if (replies === undefined) return rows.map((row) => this.#judged(preparedAt(row), "sent"));
    const created = rows.filter((row) => replies[row] === "created");
    const written = created.map(
      (row): Written => ({
        file: fileOf(row),
        pass: this.#pass,
        reconnects,
        expiresAtMs: sessions.expiresAtMs(row),
        digest: sessions.digest(row),
        bytes: sessions.valueLength(row),
        renewed: false,
      }),
    );
    const gone = await this.written.note(written);
    for (const row of created) {
      const file = fileOf(row);
      const outcome = sessions.outcomeAt(row, file.sid);
      tally.record(gone.has(file) ? vanished(outcome) : outcome, file);
    }
    return rows.flatMap((row) => (replies[row] === "created" ? [] : [this.#judged(preparedAt(row), "stored")]));
  }

  /** A session with what earlier runs say about it. */
  #judged(prepared: Prepared, state: Unreconciled["state"]): Judged {
    const { file, stamp, candidate, lifetimeOrigin } = prepared;
    const facts = this.#facts.of(file);
    if (facts?.mark === undefined) return { prepared, candidate, state };
    const { conflicts, conversion } = this.#options;
    const session = { stamp, fullLifetimeMs: candidate.fullLifetimeMs, lifetimeOrigin };
    const ifMissing = conflicts.again ? "write" : explainMissing(session, facts, conversion, Date.now());
    return {
      prepared,
      state,
      candidate: {
        ...candidate,
        ...(ifMissing === "write" ? {} : { ifMissing }),
        ...(isCoveredByMark(stamp, facts) ? { covered: true } : {}),
        ...(isUnmodifiedSinceMark(stamp, facts) ? { unmodifiedSinceMark: true } : {}),
      },
    };
  }

  /** Reconciles sessions, about `maxCommandBytes` of values at a time. */
  async #reconcileAll(all: readonly Judged[], reconnects: number, tally: BatchTally): Promise<void> {
    let some: Judged[] = [];
    let bytes = 0;
    for (const one of all) {
      some.push(one);
      bytes += one.candidate.entry.value.length;
      if (bytes < maxCommandBytes) continue;
      await this.#reconcile(some, reconnects, tally);
      some = [];
      bytes = 0;
    }
    if (some.length > 0) await this.#reconcile(some, reconnects, tally);
  }

  async #reconcile(all: readonly Judged[], reconnects: number, tally: BatchTally): Promise<void> {
    const results = await this.#reconciliationsOf(all);
    const written = all.flatMap(({ prepared: { file }, candidate }, index): Written[] => {
      const entry = entryInRedis(candidate, results[index]);
      if (entry === undefined) return [];
      const { value, expiresAtMs } = entry;
      const facts = { file, pass: this.#pass, reconnects, expiresAtMs, digest: digestOf(value) };
      return [{ ...facts, bytes: value.length, renewed: results[index]?.kind === "identical" }];
    });
    const gone = await this.written.note(written);
    for (const [index, { prepared, candidate }] of all.entries()) {
      const { file, outcome } = prepared;
      const result = results[index];
      if (result?.kind === "deferred") {
        tally.defer(file);
        continue;
      }
      const reconciled = located(reconciledOutcome(outcome, result), file);
      if (result !== undefined && candidate.covered === true) {
        this.#seen.addCovered(file.directory, result.kind === "ended");
      }
      tally.record(gone.has(file) ? vanished(reconciled) : reconciled, file);
    }
  }

  #reconciliationsOf(all: readonly Judged[]): Promise<readonly Reconciliation[]> {
    const { store, stop } = this.#context;
    const { dryRun } = this.#options;
    const rules = conflictRules(this.#options, this.#survey);
    const { policy } = rules;
    this.#recentWrites.note(all.map(({ candidate }) => candidate));
    return reconcile(all, {
      store,
      overwrites: policy === "overwrite",
      decide: (candidate, stored) => {
        const decision = decideConflict(candidate, stored, rules, Date.now());
        const isOlder = policy === "newest" && this.#recentWrites.holdsNewer(candidate, stored.expiresAtMs);
        return decision.kind === "replace" && isOlder ? { kind: "kept" } : decision;
      },
      waitForLifetimes: async () => {
        if (!dryRun) await pause(lifetimeToleranceMs, stop);
      },
    });
  }
}

/** A session that was judged and is to be reconciled. */
interface Judged extends Unreconciled {
  readonly prepared: Prepared;
}

/**
 * What this run left in Redis and may delete again; `undefined` if it left nothing, or wrote over
 * something newer: the file may be gone because another run purged it on the strength of that.
 */
function entryInRedis({ entry }: Candidate, result: Reconciliation | undefined): Entry | undefined {
  if (result?.kind === "copied") return result.blindly === true ? undefined : entry;
  return result?.kind === "identical" ? result.renewed : undefined;
}

function vanished(outcome: SessionOutcome): SessionOutcome {
  return { ...outcome, kind: "vanished", bytesWritten: 0 };
}

function reconciledOutcome(
  outcome: SessionOutcome,
  result: Exclude<Reconciliation, { readonly kind: "deferred" }> | undefined,
): SessionOutcome {
  if (result === undefined) return failed(outcome, "redis-error", "no reply");
  if (result.kind === "failed") return failed(outcome, result.reason, result.detail);
  const { kind, warning, inDoubt } = result;
  if (kind === outcome.kind && warning === undefined) return outcome;
  const written = kind === "copied" ? outcome.bytesWritten : 0;
  const { expiresAtMs: _, ...rest } = outcome;
  const expiresAtMs = kind === "identical" ? result.renewed?.expiresAtMs : outcome.expiresAtMs;
  return {
    ...rest,
    kind,
    bytesWritten: written,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(warning === undefined ? {} : { warning }),
    ...(inDoubt === undefined ? {} : { inDoubt }),
  };
}
