import { type Dir, type Dirent, lstatSync, opendirSync } from "node:fs";
import { basename, join } from "node:path";
import { errorCode } from "../model/error-code.js";
import { SourceError } from "../model/errors.js";
import type { ScanTally, SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { explainUnread } from "./directories/explain-unread.js";
import { identityAt } from "./file-identity.js";
import { isScatterFolder, layouts } from "./layouts.js";
import { tellsTypes } from "./local-file-system.js";
import { parseSetAsideName } from "./removal/set-aside-name.js";
import { retryWhileShort } from "./retry-while-short.js";

/** A crash leaves one such file for each process that removed; more than this wait for the next run. */
const maxSetAside = 10_000;

/** From here on a sid is longer than the 40 characters that every session_redis reads. */
const longSid = 84;

/** Names read from a directory at a time: few enough to stay small, many enough that a system call is not felt. */
const manyNames = 1024;

/** What a folder answers to its opening that is gone, or no directory any more. */
const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** A session directory that is scanned. */
interface Scanned {
  readonly directory: string;
  /** What told the directory from another as the scan began; `undefined` where it could not be looked at. */
  readonly identity: string | undefined;
  /**
   * Names read at a time. Where the system may not tell what stands under a name (NFS; XFS without ftype), Node looks at all that it read
   * at a time, and one that went away meanwhile costs those behind it: there each is read alone.
   */
  readonly namesAtATime: number;
  readonly tally: ScanTally;
}

/** What stands under a name, as far as it is known. */
type Entry = Pick<Dirent, "name" | "isFile" | "isDirectory">;

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
  const scanned: Scanned = {
    directory,
    identity: identityAt(directory),
    namesAtATime: tellsTypes(directory) ? manyNames : 1,
    tally,
  };
  for (const entry of entriesOf(directory, scanned.namesAtATime)) {
    if (entry.isDirectory() && isScatterFolder(entry.name)) {
      yield* scatteredFiles(scanned, entry);
      continue;
    }
    const file = entry.isFile() ? sessionFileOf(directory, "", entry.name) : undefined;
    if (file !== undefined) {
      tally.layouts.flat++;
      yield file;
    } else if (!noteSetAside(directory, "", entry.name, tally)) tally.ignored++;
  }
}

function* scatteredFiles(scanned: Scanned, folder: Entry): Generator<SessionFile> {
  try {
    if (folder instanceof UnseenEntry) throw new UnopenedDirectory(folder.path, folder.code);
    yield* filesOfFolder(scanned, folder.name);
  } catch (error) {
    if (!(error instanceof UnreadableDirectory)) throw error;
    // A folder that went away since it was listed took its sessions with it.
    const isExcused =
      error instanceof UnopenedDirectory && goneCodes.has(error.code) && isGone(scanned, folder.name);
    if (isExcused) return;
    const { directory, tally } = scanned;
    tally.unreadable.push({ directory, message: error.message });
  }
}

function* filesOfFolder(scanned: Scanned, folder: string): Generator<SessionFile> {
  const { directory, tally } = scanned;
  for (const entry of entriesOf(join(directory, folder), scanned.namesAtATime)) {
    const file = entry.isFile() ? sessionFileOf(directory, folder, entry.name) : undefined;
    if (file !== undefined) {
      tally.layouts.scattered++;
      if (file.sid.length >= longSid) tally.longSids++;
      yield file;
    } else if (!noteSetAside(directory, folder, entry.name, tally)) tally.ignored++;
  }
}

/**
 * Whether a folder is gone from a session directory that is still the one that was opened. One that is there (again) is not: the whole
 * session directory may have been away for a moment. The directory comes first, so that it has to go away twice to deceive.
 */
function isGone({ directory, identity }: Scanned, folder: string): boolean {
  if (identity === undefined || identityAt(directory) !== identity) return false;
  try {
    return !lstatSync(join(directory, folder), { throwIfNoEntry: false })?.isDirectory();
  } catch (error) {
    // What cannot be looked at is not known to be gone.
    errorCode(error);
    return false;
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
  if (parsed === undefined || file === undefined || tally.setAside.length === maxSetAside) return false;
  tally.setAside.push({ file, asideName: name, pid: parsed.pid });
  return true;
}

function* entriesOf(path: string, namesAtATime: number): Generator<Entry> {
  const opened = openedAt(path, namesAtATime);
  try {
    for (;;) {
      const entry = nextEntry(opened, path, namesAtATime === 1);
      if (entry === null) return;
      yield entry;
    }
  } finally {
    opened.closeSync();
  }
}

function openedAt(path: string, bufferSize: number): Dir {
  try {
    return retryWhileShort(() => opendirSync(path, { bufferSize }));
  } catch (error) {
    throw new UnopenedDirectory(path, errorCode(error));
  }
}

/** `null` behind the last one. A name that cannot be looked at is an entry where names are read alone; elsewhere others are lost with it. */
function nextEntry(opened: Dir, path: string, isAlone: boolean): Entry | null {
  try {
    return opened.readSync();
  } catch (error) {
    const code = errorCode(error);
    const unseen = isAlone ? pathOfFailedLook(error) : undefined;
    if (unseen === undefined) throw new UnreadableDirectory(path, code);
    return new UnseenEntry(unseen, code);
  }
}

/** The path that was listed and then could not be looked at; `undefined` where it was the listing that failed. */
function pathOfFailedLook(error: unknown): string | undefined {
  if (!(error instanceof Error && "syscall" in error && "path" in error)) return undefined;
  return error.syscall === "lstat" && typeof error.path === "string" ? error.path : undefined;
}

/**
 * A name that was listed without a type and could not be looked at, most often because it went away. It counts as what its name says:
 * whoever reads the file learns what became of it, as of one that goes away behind the scan.
 */
class UnseenEntry {
  readonly path: string;
  readonly name: string;
  /** What the look came to. */
  readonly code: string;

  constructor(path: string, code: string) {
    this.path = path;
    this.name = basename(path);
    this.code = code;
  }

  isFile(): boolean {
    return !this.isDirectory();
  }

  isDirectory(): boolean {
    return isScatterFolder(this.name);
  }
}

class UnreadableDirectory extends SourceError {
  readonly code: string;

  constructor(path: string, code: string) {
    super(`the directory ${showablePath(path)} cannot be read (${explainUnread(path, code)})`);
    this.code = code;
  }
}

/** One of which no name was read. */
class UnopenedDirectory extends UnreadableDirectory {}
