import { type Dir, opendirSync } from "node:fs";
import { join } from "node:path";
import { SourceError } from "../model/errors.js";
import type { Layout, SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { errorCode } from "./error-code.js";
import { isScatterFolder, layouts } from "./session-name.js";

/** What a scan saw besides the session files that it gave out. */
export interface ScanTally {
  readonly layouts: Record<Layout, number>;
  /** Names that are no session file's: temporary files, uploads, strangers, symlinks, pipes, directories. */
  ignored: number;
  /** Scatter directories that could not be read: the scan goes on, and the run is not whole. */
  readonly unreadable: string[];
}

export function newScanTally(): ScanTally {
  return { layouts: { flat: 0, scattered: 0 }, ignored: 0, unreadable: [] };
}

/** Names read from a directory at a time: few enough to stay small, many enough that a system call is not felt. */
const namesAtATime = 1024;

/**
 * The session files of a session directory, in batches of at most `batchSize`. Names are streamed, never held whole; nothing is opened
 * but directories, and no symlink is followed. Throws `SourceError` where the session directory cannot be read.
 */
export function* scanSessions(
  directory: string,
  batchSize: number,
  tally: ScanTally,
): Generator<SessionFile[]> {
  let batch: SessionFile[] = [];
  for (const file of filesOf(directory, tally)) {
    batch.push(file);
    if (batch.length === batchSize) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function* filesOf(directory: string, tally: ScanTally): Generator<SessionFile> {
  for (const entry of entriesOf(directory)) {
    if (entry.isDirectory() && isScatterFolder(entry.name)) {
      yield* scatteredFiles(directory, entry.name, tally);
      continue;
    }
    const sid = entry.isFile() ? layouts.flat.sidOf("", entry.name) : undefined;
    if (sid === undefined) {
      tally.ignored++;
      continue;
    }
    tally.layouts.flat++;
    yield { directory, name: entry.name, layout: "flat", sid };
  }
}

function* scatteredFiles(directory: string, folder: string, tally: ScanTally): Generator<SessionFile> {
  try {
    yield* filesOfFolder(directory, folder, tally);
  } catch (error) {
    if (!(error instanceof UnreadableDirectory)) throw error;
    // A folder that went away since it was listed took its sessions with it.
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") tally.unreadable.push(error.message);
  }
}

function* filesOfFolder(directory: string, folder: string, tally: ScanTally): Generator<SessionFile> {
  for (const entry of entriesOf(join(directory, folder))) {
    const sid = entry.isFile() ? layouts.scattered.sidOf(folder, entry.name) : undefined;
    if (sid === undefined) {
      tally.ignored++;
      continue;
    }
    tally.layouts.scattered++;
    yield { directory, name: `${folder}/${entry.name}`, layout: "scattered", sid };
  }
}

function* entriesOf(path: string): Generator<NonNullable<ReturnType<Dir["readSync"]>>> {
  const opened = orSourceError(path, () => opendirSync(path, { bufferSize: namesAtATime }));
  try {
    for (;;) {
      const entry = orSourceError(path, () => opened.readSync());
      if (entry === null) return;
      yield entry;
    }
  } finally {
    opened.closeSync();
  }
}

function orSourceError<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UnreadableDirectory(path, errorCode(error));
  }
}

class UnreadableDirectory extends SourceError {
  readonly code: string;

  constructor(path: string, code: string) {
    super(`the directory ${showablePath(path)} cannot be read (${code})`);
    this.code = code;
  }
}
