import { type Dir, opendirSync } from "node:fs";
import { join } from "node:path";
import { SourceError } from "../model/errors.js";
import type { ScanTally, SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { errorCode } from "./error-code.js";
import { isScatterFolder, layouts } from "./session-name.js";
import { parseSetAsideName } from "./set-aside-name.js";

/** A crash leaves one such file for each process that removed; more than this wait for the next run. */
const mostSetAside = 10_000;

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
    const file = entry.isFile() ? sessionFileOf(directory, "", entry.name) : undefined;
    if (file !== undefined) {
      tally.layouts.flat++;
      yield file;
    } else if (!noteSetAside(directory, "", entry.name, tally)) tally.ignored++;
  }
}

function* scatteredFiles(directory: string, folder: string, tally: ScanTally): Generator<SessionFile> {
  try {
    yield* filesOfFolder(directory, folder, tally);
  } catch (error) {
    if (!(error instanceof UnreadableDirectory)) throw error;
    // A folder that went away since it was listed took its sessions with it.
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR")
      tally.unreadable.push({ directory, message: error.message });
  }
}

function* filesOfFolder(directory: string, folder: string, tally: ScanTally): Generator<SessionFile> {
  for (const entry of entriesOf(join(directory, folder))) {
    const file = entry.isFile() ? sessionFileOf(directory, folder, entry.name) : undefined;
    if (file !== undefined) {
      tally.layouts.scattered++;
      yield file;
    } else if (!noteSetAside(directory, folder, entry.name, tally)) tally.ignored++;
  }
}

/** The session file of that name in a folder, empty for the session directory itself; `undefined` for a stranger. */
function sessionFileOf(directory: string, folder: string, name: string): SessionFile | undefined {
  const layout = folder === "" ? "flat" : "scattered";
  const sid = layouts[layout].sidOf(folder, name);
  return sid === undefined
    ? undefined
    : { directory, name: folder === "" ? name : `${folder}/${name}`, layout, sid };
}

/** Takes note of what lies under a name of ours, whatever it is; tells whether the name is one. */
function noteSetAside(directory: string, folder: string, name: string, tally: ScanTally): boolean {
  const parsed = parseSetAsideName(name);
  const file = parsed && sessionFileOf(directory, folder, parsed.name);
  if (parsed === undefined || file === undefined || tally.setAside.length === mostSetAside) return false;
  tally.setAside.push({ file, asideName: name, pid: parsed.pid });
  return true;
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
