import type { ConversionOptions } from "../../convert/convert-session.js";
import { activityWindowMs } from "../../convert/missing-key.js";
import type { Inspection } from "../../model/inspection.js";
import type { FileStamp, SessionFile } from "../../model/session-file.js";
import { fileTimeSlackMs } from "../../model/session-file.js";
import { OtherLocations } from "../../source/other-locations.js";
import { type ReadAhead, readAhead } from "../../source/read-ahead.js";
import type { Reading } from "../../source/read-session-file.js";
import { isModifiedSince, pathOf } from "../../source/recent-files.js";
import { StatReader } from "../../source/stat-reader.js";
import { SeenDirectories } from "../earlier-runs/learn.js";
import { BatchInspector } from "../inspect/batch-inspector.js";
import { type Finished, type Prepared, prepareSession } from "../prepare-session.js";
import type { ConvertedBatch, RecentFile } from "./converted-batch.js";
import { EncodedSessions, maxCommandBytes } from "./encoded-sessions.js";

/** What a reader needs to know, as plain data. */
export interface ReaderOptions {
  readonly directories: readonly string[];
  /** Bytes that a session file may have. */
  readonly maxFileSize: number;
  readonly conversion: ConversionOptions;
  /** When the run began, milliseconds since the epoch. */
  readonly runStartedMs: number;
  /** When its main pass began. */
  readonly passStartedMs: number;
  /** Whether the SHA-1 of each value is needed: a copy keeps it, and deletes a key only by it. */
  readonly hashes: boolean;
}

/** How a session file stands now; `undefined` if it is gone or cannot be looked at. */
export interface ChangedFile {
  readonly place: number;
  readonly stamp: FileStamp | undefined;
}

/** Files read ahead at a time. */
const prefetchCount = 64;
/** A session that expires within this time is not encoded: sending it may take as long. */
const minLifeMs = 60_000;

/**
 * Reads and converts batches of session files. It knows nothing of Redis and remembers no session,
 * so any reader may take any batch. It runs on a thread of its own or on the main thread, and
 * serves one attempt at a run.
 */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #stats = new StatReader();
  readonly #files: ReadAhead;
  readonly #locations: OtherLocations;
  #leadMs = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#files = readAhead(options.maxFileSize);
    this.#locations = new OtherLocations(options.directories, this.#stats);
  }

  /**
   * Reads and converts as many of these files as fit into one batch. `room`: a buffer to be used
   * for it.
   */
  async convert(files: readonly SessionFile[], room: ArrayBuffer): Promise<ConvertedBatch> {
    const sessions = EncodedSessions.empty(room, files.length, this.#options.hashes);
    const prepared: Prepared[] = [];
    const finished: Finished[] = [];
    const unread: number[] = [];
    const recent: RecentFile[] = [];
    const seen = new SeenDirectories();
    let inUse = false;
    let bytes = 0;
    let taken = 0;
    let next = this.#prefetch(files.slice(0, prefetchCount));
    for (; taken < files.length && bytes < maxCommandBytes; taken++) {
      if (taken % prefetchCount === 0) {
        await next;
        // Those after them are opened while these are converted.
        next = this.#prefetch(files.slice(taken + prefetchCount, taken + 2 * prefetchCount));
      }
      const file = files[taken];
      if (file === undefined) break;
      const reading = this.#files.read(file);
      if (reading.kind !== "read") {
        unread.push(taken);
        continue;
      }
      const { stamp } = reading;
      if (this.#isRecent(stamp)) recent.push({ place: taken, stamp: plainStamp(stamp) });
      if (stamp.mtimeMs <= reading.read.openedAtMs + activityWindowMs) {
        seen.addModification(file.directory, stamp.mtimeMs);
      }
      inUse ||= isModifiedSince(stamp, this.#options.runStartedMs);
      const one = this.prepare(file, reading);
      if (!("candidate" in one)) finished.push(one);
      else {
        bytes += one.outcome.bytesWritten;
        if (isOrdinary(one)) sessions.add(taken, one, this.#options.conversion.clockLeadMs);
        else prepared.push(one);
      }
    }
    await next;
    return { taken, sessions, prepared, finished, unread, recent, seen: seen.take(), leadMs: this.#leadMs, inUse };
  }

  /** Reads these files and counts what is in them. */
  async inspect(files: readonly SessionFile[]): Promise<Inspection> {
    const { conversion, runStartedMs } = this.#options;
    const inspector = new BatchInspector(this.#files, this.#locations, conversion, runStartedMs);
    let next = this.#prefetch(files.slice(0, prefetchCount));
    for (const [place, file] of files.entries()) {
      if (place % prefetchCount === 0) {
        await next;
        next = this.#prefetch(files.slice(place + prefetchCount, place + 2 * prefetchCount));
      }
      inspector.inspect(file);
    }
    await next;
    return inspector.inspection;
  }

  /** Of these files, those with a time after an instant, and those of which nothing is known. */
  async changedSince(files: readonly SessionFile[], sinceMs: number): Promise<ChangedFile[]> {
    const changed: ChangedFile[] = [];
    for (const [place, stamp] of (await this.#stats.statAll(files.map(pathOf))).entries()) {
      if (stamp === undefined) changed.push({ place, stamp });
      else if (latest(stamp) > sinceMs) changed.push({ place, stamp: plainStamp(stamp) });
    }
    return changed;
  }

  /** The turn of these files comes next. */
  async #prefetch(files: readonly SessionFile[]): Promise<void> {
    await Promise.all([this.#files.prefetch(files), this.#locations.begin(files)]);
  }

  /** A session file's content as it is now. */
  read(file: SessionFile): Reading {
    return this.#files.readNow(file);
  }

  /** How a file stands now; `undefined` if it is gone or cannot be looked at. */
  stampOf(file: SessionFile): FileStamp | undefined {
    return this.#stats.stat(pathOf(file));
  }

  prepare(file: SessionFile, reading: Reading): Prepared | Finished {
    return prepareSession(file, reading, this.#locations, this.#options.conversion);
  }

  /**
   * Whether a later pass could take the file for changed. Notes how far its time is ahead of our
   * clock.
   */
  #isRecent(stamp: FileStamp): boolean {
    const latestMs = latest(stamp);
    const { passStartedMs } = this.#options;
    if (latestMs <= passStartedMs - fileTimeSlackMs - this.#leadMs) return false;
    this.#leadMs = Math.max(this.#leadMs, latestMs - Date.now());
    return true;
  }
}

/** Whether a session can be sent as it is, and counted as one of many. */
function isOrdinary({ candidate: { entry, mtimeMs, fullLifetimeMs }, outcome }: Prepared): boolean {
  return (
    outcome.warning === undefined &&
    outcome.facts?.hasOneKey === undefined &&
    // Not just modified: see `RecentWrites`.
    mtimeMs <= entry.expiresAtMs - fullLifetimeMs &&
    entry.expiresAtMs > Date.now() + minLifeMs &&
    entry.value.length < maxCommandBytes
  );
}

function latest({ mtimeMs, ctimeMs }: FileStamp): number {
  return Math.max(mtimeMs, ctimeMs);
}

/** Without the prototype of `Stats`, which does not cross threads. */
function plainStamp({ dev, ino, size, mtimeMs, ctimeMs }: FileStamp): FileStamp {
  return { dev, ino, size, mtimeMs, ctimeMs };
}
