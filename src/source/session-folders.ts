import { lstatSync, type Stats } from "node:fs";
import { basename, join } from "node:path";
import { errorCode, orElse, SourceError } from "../model/errors.js";
import { fileTimeSlackMs, type SessionFile } from "../model/session-file.js";
import { folderAt, identityAt, identityOf } from "./file-identity.js";
import { sessionLocations } from "./layouts.js";
import { isOnLocalFileSystem } from "./local-file-system.js";
import { OpenDirectory } from "./open-directory.js";
import { pathOf } from "./recent-files.js";
import type { StatReader } from "./stat-reader.js";

/** A session directory or scatter folder before any of its files was read. */
interface KnownFolder {
  readonly identity: string;
  /** Its times; `undefined` if they would not show that a file was removed since. */
  readonly times: Pick<Stats, "mtimeMs" | "ctimeMs"> | undefined;
}

/** The folders of session files. They tell a session that ended from a folder that is away. */
export class SessionFolders {
  readonly #directories: readonly string[];
  readonly #known = new Map<string, KnownFolder>();

  /** Notes the session directories. Must happen before their files are listed. */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
    for (const directory of directories) this.#note(directory);
  }

  /** Notes the scatter folder of a file that is about to be read. */
  note(file: SessionFile): void {
    if (file.layout === "scattered") this.#note(folderOf(file));
  }

  #note(path: string): void {
    if (this.#known.has(path)) return;
    const nowMs = Date.now();
    const stats = folderAt(path);
    if (stats === undefined) return;
    const { mtimeMs, ctimeMs } = stats;
    const isSettled = Math.max(mtimeMs, ctimeMs) < nowMs - fileTimeSlackMs;
    const times = isSettled && isOnLocalFileSystem(path) ? { mtimeMs, ctimeMs } : undefined;
    this.#known.set(path, { identity: identityOf(stats), times });
  }

  /**
   * Of files read before, returns those that are gone from every location of their session, so the
   * session ended. If a directory disappeared or was replaced, we cannot tell what it held, so none
   * of its files count as gone.
   */
  async goneOf<Read extends { readonly file: SessionFile }>(
    read: readonly Read[],
    statReader: StatReader,
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
    // Almost all still exist, so the cheapest check comes first.
    const exist = await statReader.existAll(doubtful.map(({ file }) => pathOf(file)));
    return doubtful.filter(({ file }, index) => exist[index] !== true && this.#isGone(file));
  }

  /**
   * Whether a file that was not found is gone, rather than away with its session directory: it is
   * missing from the very directory that was noted. If none was noted, it counts as gone.
   */
  hasVanished(file: SessionFile): boolean {
    const { sid, directory, layout } = file;
    const identity = this.#identityOf(directory);
    const locations = layout === "flat" ? sessionLocations(sid, [directory]) : [file];
    return identity === undefined || locations.every((one) => isMissingFrom(one, identity, () => true));
  }

  /** Whether no session directory holds a file of a sid, and each is still the one noted. */
  isNowhere(sid: string): boolean {
    const locations = sessionLocations(sid, this.#directories);
    return locations.every((one) => isMissing(pathOf(one))) && locations.every((one) => this.#isMissingElsewhere(one));
  }

  /** Whether nothing can have been removed from any noted folder since. */
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
      identityOf(stats) === known.identity &&
      stats.mtimeMs === known.times.mtimeMs &&
      stats.ctimeMs === known.times.ctimeMs
    );
  }

  #isGone(file: SessionFile): boolean {
    const locations = sessionLocations(file.sid, this.#directories);
    const others = locations.filter((one) => pathOf(one) !== pathOf(file));
    const known = this.#identityOf(folderOf(file));
    // By path first, which is quicker. The file's own location comes last, in case it was moved
    // back.
    return (
      [...others, file].every((one) => isMissing(pathOf(one))) &&
      others.every((one) => this.#isMissingElsewhere(one)) &&
      isMissingFrom(file, this.#identityOf(file.directory), (folder) => folder !== undefined && folder === known)
    );
  }

  /** Whether a file is missing from a location whose scatter folder may never have existed. */
  #isMissingElsewhere(location: SessionFile): boolean {
    const known = this.#identityOf(folderOf(location));
    return isMissingFrom(
      location,
      this.#identityOf(location.directory),
      (folder) => known === undefined || folder === known,
    );
  }

  #identityOf(path: string): string | undefined {
    return this.#known.get(path)?.identity;
  }
}

/** The path of the folder that holds a session file. */
function folderOf({ directory, layout, sid }: SessionFile): string {
  return layout === "flat" ? directory : `${directory}/${sid.slice(0, 2)}`;
}

/**
 * Whether a file is missing from the session directory of that identity and from the right folder
 * in it; `isRight` gets the folder's identity, `undefined` if there is none. Checks through
 * descriptors, so that a directory that is swapped or comes back meanwhile cannot deceive it.
 */
function isMissingFrom(
  file: SessionFile,
  identity: string | undefined,
  isRight: (folderIdentity: string | undefined) => boolean,
): boolean {
  let directory: OpenDirectory | undefined;
  try {
    directory = new OpenDirectory(file.directory);
    if (directory.identity !== identity) return false;
    const folder = directory.folderOf(file);
    if (!isRight(folder === undefined ? undefined : identityAt(`${folder}/.`))) return false;
    return folder === undefined || isMissing(join(folder, basename(file.name)));
  } catch (error) {
    // An error does not show that the file is gone.
    if (!(error instanceof SourceError)) errorCode(error);
    return false;
  } finally {
    directory?.close();
  }
}

/** Whether no file is at a path; a symlink is no file. */
function isMissing(path: string): boolean {
  // An error does not show that the file is gone.
  return orElse(false, () => lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true);
}
