import { lstatSync, type Stats } from "node:fs";
import { basename, join } from "node:path";
import { errorCode } from "../model/error-code.js";
import { SourceError } from "../model/errors.js";
import { fileTimeSlackMs, type SessionFile } from "../model/session-file.js";
import { folderAt } from "./folder-at.js";
import { isOnLocalFileSystem } from "./local-file-system.js";
import type { Looks } from "./looks.js";
import { directoryIdentity, OpenDirectory } from "./open-directory.js";
import { pathOf } from "./recent-files.js";
import { sessionPlaces } from "./session-places.js";

/** A session directory or scatter folder as it was before any of its files was read. */
interface KnownFolder {
  /** What tells it from another folder at its path. */
  readonly identity: string;
  /** Its times, where they tell whether a file was removed since; else `undefined`. */
  readonly times: Pick<Stats, "mtimeMs" | "ctimeMs"> | undefined;
}

/** The folders that session files are read from: what tells a session that was ended from a folder that went away. */
export class SessionFolders {
  readonly #directories: readonly string[];
  readonly #known = new Map<string, KnownFolder>();

  /** Takes note of the session directories: before their files are listed, for a file that was moved since is not looked for in its place. */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
    for (const directory of directories) this.#note(directory);
  }

  /** A file is about to be read: takes note of its scatter folder. */
  note(file: SessionFile): void {
    if (file.layout === "scattered") this.#note(folderOf(file));
  }

  #note(path: string): void {
    if (this.#known.has(path)) return;
    const folder = knownFolder(path);
    if (folder !== undefined) this.#known.set(path, folder);
  }

  /**
   * Of files that were read before, those that are gone from their place and lie at none of the others that they may be moved to, in any
   * session directory, for their sessions were ended. Where a session directory or a scatter folder went, or another is there, nothing is
   * known of what it holds, and nothing that may lie there is gone.
   */
  async goneOf<Read extends { readonly file: SessionFile }>(
    read: readonly Read[],
    looks: Looks,
  ): Promise<readonly Read[]> {
    const untouched = new Map<string, boolean>();
    const doubtful: Read[] = [];
    for (const one of read) {
      const path = folderOf(one.file);
      const isUntouched = untouched.get(path) ?? this.#isUntouched(path);
      untouched.set(path, isUntouched);
      if (!isUntouched) doubtful.push(one);
    }
    if (doubtful.length === 0) return doubtful;
    // Almost always they stand: the quickest look first.
    const stand = await looks.exist(doubtful.map(({ file }) => pathOf(file)));
    return doubtful.filter(({ file }, index) => stand[index] !== true && this.#isGone(file));
  }

  /**
   * Whether a file that was not found is gone, and not away with its session directory: it is missing from the very directory that was
   * noted. Where none was noted nothing tells the two apart, and it is gone.
   */
  hasVanished(file: SessionFile): boolean {
    const { sid, directory, layout } = file;
    const identity = this.#identityOf(directory);
    const places = layout === "flat" ? sessionPlaces(sid, [directory]) : [file];
    return identity === undefined || places.every((place) => isMissingFrom(place, identity, () => true));
  }

  /** Whether no session directory holds a file of a sid, in either layout, and each is still the one that was noted. */
  isNowhere(sid: string): boolean {
    const places = sessionPlaces(sid, this.#directories);
    return (
      places.every((place) => isMissing(pathOf(place))) &&
      places.every((place) => this.#isMissingElsewhere(place))
    );
  }

  /** Whether nothing can have been removed since from any folder that was noted. */
  areUntouched(): boolean {
    return [...this.#known.keys()].every((path) => this.#isUntouched(path));
  }

  /** Whether nothing can have been removed from a folder since it was noted. */
  #isUntouched(path: string): boolean {
    const known = this.#known.get(path);
    if (known?.times === undefined) return false;
    const stats = folderAt(path);
    return (
      stats !== undefined &&
      directoryIdentity(stats) === known.identity &&
      stats.mtimeMs === known.times.mtimeMs &&
      stats.ctimeMs === known.times.ctimeMs
    );
  }

  #isGone(file: SessionFile): boolean {
    const places = sessionPlaces(file.sid, this.#directories);
    const others = places.filter((place) => pathOf(place) !== pathOf(file));
    // By their paths first, which are quicker. The own place comes last: the file may have been moved back to it.
    return (
      [...others, file].every((place) => isMissing(pathOf(place))) &&
      others.every((place) => this.#isMissingElsewhere(place)) &&
      this.#isMissingFromOwn(file)
    );
  }

  #isMissingFromOwn(file: SessionFile): boolean {
    const known = this.#identityOf(folderOf(file));
    return isMissingFrom(
      file,
      this.#identityOf(file.directory),
      (folder) => folder !== undefined && folder === known,
    );
  }

  /** The same of a place that nothing need have been read from: its scatter folder may never have been there. */
  #isMissingElsewhere(place: SessionFile): boolean {
    const known = this.#identityOf(folderOf(place));
    return isMissingFrom(
      place,
      this.#identityOf(place.directory),
      (folder) => known === undefined || folder === known,
    );
  }

  #identityOf(path: string): string | undefined {
    return this.#known.get(path)?.identity;
  }
}

/** The path of the folder that a session file lies in. */
function folderOf({ directory, layout, sid }: SessionFile): string {
  return layout === "flat" ? directory : `${directory}/${sid.slice(0, 2)}`;
}

/** `undefined` where there is no folder. */
function knownFolder(path: string): KnownFolder | undefined {
  const nowMs = Date.now();
  const stats = folderAt(path);
  if (stats === undefined) return undefined;
  const isSettled = Math.max(stats.mtimeMs, stats.ctimeMs) < nowMs - fileTimeSlackMs;
  const times =
    isSettled && isOnLocalFileSystem(path) ? { mtimeMs: stats.mtimeMs, ctimeMs: stats.ctimeMs } : undefined;
  return { identity: directoryIdentity(stats), times };
}

/**
 * Whether a file is missing from a place in the session directory of that identity, and from a folder that is the right one by its own
 * identity, `undefined` where there is none: looked for through their descriptors, so that nothing that goes, comes back or is swapped in
 * meanwhile is taken for them.
 */
function isMissingFrom(
  file: SessionFile,
  identity: string | undefined,
  isRight: (folderIdentity: string | undefined) => boolean,
): boolean {
  let directory: OpenDirectory;
  try {
    directory = new OpenDirectory(file.directory);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return false;
  }
  try {
    if (directory.identity !== identity) return false;
    const folder = directory.folderOf(file);
    const stats = folder === undefined ? undefined : folderAt(`${folder}/.`);
    if (!isRight(stats === undefined ? undefined : directoryIdentity(stats))) return false;
    return folder === undefined || isMissing(join(folder, basename(file.name)));
  } catch (error) {
    // What cannot be looked at is not known to be gone.
    errorCode(error);
    return false;
  } finally {
    directory.close();
  }
}

/** Whether no file is at a path: a symlink is none. */
function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true;
  } catch (error) {
    // What cannot be looked at is not known to be gone.
    errorCode(error);
    return false;
  }
}
