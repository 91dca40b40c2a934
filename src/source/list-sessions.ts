import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { newScanTally, type ScanTally, type SessionFile } from "../model/session-file.js";
import { isInSample, type Shard } from "../model/shard.js";
import { scanSessions } from "./scan-sessions.js";

/** The names of session files, as they stood before a run. Later ones are not in it. */
export interface Listing {
  readonly directories: readonly DirectoryListing[];
  /** Session files in all directories that the run takes. */
  readonly count: number;
  /** With those of other shards. */
  readonly ofAllShards: number;
  /** Of `count`, the ones that `--sample` picks. */
  readonly selected: number;
  /** Whether every directory was listed to its end: not if the run was stopped before. */
  readonly isComplete: boolean;
}

/** A session directory in a listing. */
export interface DirectoryListing {
  readonly directory: string;
  /** Session files that the run takes. */
  readonly count: number;
  /** With those of other shards. */
  readonly ofAllShards: number;
  /**
   * Some of the session files of all shards, each with the same probability; all of them if they
   * are few.
   */
  readonly sample: readonly SessionFile[];
  /** The folders that hold session files that the run takes, the directory itself included; absolute. */
  readonly folders: readonly string[];
  /** What else the listing saw. */
  readonly tally: ScanTally;
}

/** Session files kept of a directory. */
export const maxSampled = 2000;
const namesAtATime = 1024;
const batchesBetweenTurns = 16;

/** Which session files a run takes. */
export interface Selection {
  /** Null: those of every shard. */
  readonly shard: Shard | null;
  /** Percent of them; null: all. */
  readonly sample: number | null;
}

/**
 * Lists the session files of all directories.
 * `onCount` hears from time to time how many it has listed. Throws `SourceError` if it cannot read a
 * session directory.
 */
export async function listSessions(
  directories: readonly string[],
  { shard, sample: percent }: Selection,
  stop: AbortSignal,
  onCount: (count: number) => void = () => undefined,
): Promise<Listing> {
  const listed: DirectoryListing[] = [];
  let selected = 0;
  let batches = 0;
  let count = 0;
  let ofAllShards = 0;
  for (const directory of directories) {
    const sample = new Sample();
    const tally = newScanTally();
    const scattered = new Set<string>();
    let own = 0;
    const onOther = (file: SessionFile) => sample.add(file);
    for (const batch of scanSessions(directory, namesAtATime, tally, { shard, onOther })) {
      for (const file of batch) {
        sample.add(file);
        if (file.layout === "scattered") scattered.add(dirname(file.name));
        if (percent === null || isInSample(file.sid, percent)) selected++;
      }
      own += batch.length;
      batches++;
      if (batches % batchesBetweenTurns === 0) {
        onCount(count + own);
        await nextTurn();
      }
      if (stop.aborted) break;
    }
    const folders = [...scattered].map((folder) => join(directory, folder));
    if (tally.layouts.flat > 0 || tally.setAside.length > 0) folders.unshift(directory);
    count += own;
    ofAllShards += sample.seen;
    const { files, seen } = sample;
    listed.push({ directory, count: own, ofAllShards: seen, sample: files, folders, tally });
  }
  onCount(count);
  return { directories: listed, count, ofAllShards, selected, isComplete: !stop.aborted };
}

/** At most `count` of these, spread evenly over them. */
export function spreadOver<T>(all: readonly T[], count: number): readonly T[] {
  const placeOf = (index: number) => Math.floor((index * count) / all.length);
  return all.length <= count ? all : all.filter((_, index) => placeOf(index) > placeOf(index - 1));
}

/** Keeps some of many files, each with the same probability. A fixed seed makes it repeatable. */
class Sample {
  readonly files: SessionFile[] = [];
  seen = 0;
  #seed = 1;

  add(file: SessionFile): void {
    this.seen++;
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    const place = this.seen <= maxSampled ? this.seen - 1 : Math.floor((this.#seed / 2 ** 32) * this.seen);
    if (place < maxSampled) this.files[place] = file;
  }
}
