import { type Dir, type Dirent, lstatSync, opendirSync } from "node:fs";
import { basename, join } from "node:path";
import { errorCode, orElse, SourceError } from "../model/errors.js";
import type { ScanTally, SessionFile, SetAsideFile } from "../model/session-file.js";
import { isInShard, type Shard } from "../model/shard.js";
import { showablePath } from "../model/showable.js";
import { explainUnread, foreignOwnerOf } from "./directories/explain-unread.js";
import { identityAt } from "./file-identity.js";
import { isScatterFolder, layouts } from "./layouts.js";
import { tellsTypes } from "./local-file-system.js";
import { parseSetAsideName } from "./removal/set-aside-name.js";
import { retryWhileShort } from "./retry-while-short.js";

/** A crash leaves one such file per removing process. The next run handles any above this. */
const maxSetAside = 10_000;

/** A sid of this length is longer than the 40 characters that every session_redis reads. */
const longSid = 84;

/** Names read from a directory per call: little memory, and few system calls. */
const manyNames = 256;

/** Error codes of opening a folder that is gone or no longer a directory. */
const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/**
 * Names looked at for a batch, as a multiple of its size. A batch of a small shard is shorter, so
 * that the event loop has its turn.
 */
const namesPerFile = 32;

/** What a scan takes, and whom it tells of the rest. */
export interface ScanOptions {
  /** The names to take and to count; null takes all. A session file goes by its sid. */
  readonly shard: Shard | null;
  /** Told of the session files of other shards. */
  readonly onOther?: (file: SessionFile) => void;
  /** Told of the path of each folder just before it is listed. */
  readonly onFolder?: (path: string) => void;
}

/** A session directory during its scan. */
interface Scanned extends ScanOptions {
  readonly directory: string;
  /** The directory's identity when the scan began; `undefined` if it could not be statted. */
  readonly identity: string | undefined;
  /**
   * Names read per call. If the system may not list types (NFS; XFS without ftype), Node stats
   * every name of a call, and one that is gone by then loses those after it. So each is read alone
   * there.
   */
  readonly namesAtATime: number;
  readonly tally: ScanTally;
}

/** A name in a directory, with its type as far as it is known. */
interface Entry extends Pick<Dirent, "name" | "isFile" | "isDirectory"> {
  /** The error code of a name that was listed without a type and could not be statted. */
  readonly statError?: string;
}

/**
 * The session files of a session directory, in batches of at most `batchSize`. Streams the names,
 * opens only directories, and follows no symlink. A batch may be empty. Throws `SourceError` if it
 * cannot read the session directory.
 */
export function* scanSessions(
  directory: string,
  batchSize: number,
  tally: ScanTally,
  options: ScanOptions,
): Generator<SessionFile[]> {
  const namesAtATime = tellsTypes(directory) ? manyNames : 1;
  const scanned = { directory, identity: identityAt(directory), namesAtATime, tally, ...options };
  let batch: SessionFile[] = [];
  let names = 0;
  for (const file of filesOf(scanned, "")) {
    if (file !== undefined) batch.push(file);
    if (batch.length === batchSize || ++names === namesPerFile * batchSize) {
      yield batch;
      batch = [];
      names = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * The files of a scatter folder; if `folder` is empty, of the session directory with them all.
 * `undefined` for each name of another shard.
 */
function* filesOf(scanned: Scanned, folder: string): Generator<SessionFile | undefined> {
  const { directory, namesAtATime, tally, shard } = scanned;
  const path = join(directory, folder);
  scanned.onFolder?.(path);
  for (const entry of entriesOf(path, namesAtATime)) {
    if (folder === "" && entry.isDirectory() && isScatterFolder(entry.name)) {
      yield* scatteredFiles(scanned, entry);
      continue;
    }
    const file = entry.isFile() ? sessionFileOf(directory, folder, entry.name) : undefined;
    const aside = file === undefined ? setAsideFileOf(directory, folder, entry.name) : undefined;
    if (shard !== null && !isInShard((file ?? aside?.file)?.sid ?? entry.name, shard)) {
      if (file !== undefined) scanned.onOther?.(file);
      yield undefined;
    } else if (file !== undefined) {
      tally.layouts[file.layout]++;
      if (file.sid.length >= longSid) tally.longSids++;
      yield file;
    } else if (aside !== undefined && tally.setAside.length < maxSetAside) tally.setAside.push(aside);
    else tally.ignored++;
  }
}

function* scatteredFiles(scanned: Scanned, { name, statError }: Entry): Generator<SessionFile | undefined> {
  const { directory, tally } = scanned;
  try {
    if (statError !== undefined) throw new UnopenedDirectory(join(directory, name), statError);
    yield* filesOf(scanned, name);
  } catch (error) {
    if (!(error instanceof UnreadableDirectory)) throw error;
    // A folder that is gone since it was listed took its sessions with it.
    const isExcused = error instanceof UnopenedDirectory && goneCodes.has(error.code) && isGone(scanned, name);
    if (!isExcused) tally.unreadable.push({ directory, message: error.message });
  }
}

/**
 * Whether a folder is gone from a session directory that is still the one the scan began with. A
 * folder that exists (again) is not gone: the whole session directory may have been away for a
 * moment. The directory is checked first, so that only one that disappears twice could deceive us.
 */
function isGone({ directory, identity }: Scanned, folder: string): boolean {
  if (identity === undefined || identityAt(directory) !== identity) return false;
  // A folder that cannot be statted is not known to be gone.
  return orElse(false, () => !lstatSync(join(directory, folder), { throwIfNoEntry: false })?.isDirectory());
}

/**
 * The session file of that name in a folder (empty: the session directory itself); `undefined` if
 * the name is not a session file's.
 */
function sessionFileOf(directory: string, folder: string, name: string): SessionFile | undefined {
  const layout = folder === "" ? "flat" : "scattered";
  const sid = layouts[layout].sidOf(folder, name);
  return sid === undefined ? undefined : { directory, name: folder === "" ? name : `${folder}/${name}`, layout, sid };
}

/** The file that a purge set aside under that name; `undefined` if the name is not such a file's. */
function setAsideFileOf(directory: string, folder: string, asideName: string): SetAsideFile | undefined {
  const parsed = parseSetAsideName(asideName);
  const file = parsed && sessionFileOf(directory, folder, parsed.name);
  return parsed === undefined || file === undefined ? undefined : { file, asideName, pid: parsed.pid };
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

/**
 * `null` after the last name. If names are read alone, one that cannot be statted is an entry too;
 * otherwise Node loses other names with it, so that this throws `UnreadableDirectory`.
 */
function nextEntry(opened: Dir, path: string, isAlone: boolean): Entry | null {
  try {
    return opened.readSync();
  } catch (error) {
    const code = errorCode(error);
    const unseen = isAlone ? pathOfFailedStat(error) : undefined;
    if (unseen === undefined) throw new UnreadableDirectory(path, code);
    return unseenEntry(basename(unseen), code);
  }
}

/** The path that was listed but could not be statted; `undefined` if the listing itself failed. */
function pathOfFailedStat(error: unknown): string | undefined {
  if (!(error instanceof Error && "syscall" in error && "path" in error)) return undefined;
  return error.syscall === "lstat" && typeof error.path === "string" ? error.path : undefined;
}

/**
 * A name that was listed without a type and could not be statted, mostly because it is gone. It
 * counts as what its name says; reading the file will show what became of it.
 */
function unseenEntry(name: string, statError: string): Entry {
  const isDirectory = () => isScatterFolder(name);
  return { name, isFile: () => !isDirectory(), isDirectory, statError };
}

class UnreadableDirectory extends SourceError {
  readonly code: string;

  constructor(path: string, code: string) {
    const owner = foreignOwnerOf(path, code);
    const remedy = owner === undefined ? "Check the mount, and who may read it" : `Run this as uid ${owner}`;
    super(`the directory ${showablePath(path)} cannot be read (${explainUnread(path, code)})`, {
      found: `uid ${process.geteuid?.()} cannot read the directory ${showablePath(path)} (${code})`,
      remedy,
    });
    this.code = code;
  }
}

/** A directory that could not be opened, so that no name was read. */
class UnopenedDirectory extends UnreadableDirectory {}
