import { existsSync, lstatSync, opendirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SourceError } from "../model/errors.js";
import type { FileStamp, SessionFile } from "../model/session-file.js";
import { errorCode } from "./error-code.js";
import { directoryIdentity, OpenDirectory } from "./open-directory.js";
import { isScatterFolder, layouts } from "./session-name.js";

/** Where a session file may be moved to on its first use: Odoo 16 renames a flat one to its scattered place [odoo/http.py 16.0]. */
export function scatteredPlaceOf(file: SessionFile): string | undefined {
  return file.layout === "flat" ? join(file.directory, file.sid.slice(0, 2), file.sid) : undefined;
}

/**
 * Gives a test for whether a session file is gone from its place and from the one that it may be moved to: its session was ended. Where the
 * session directory itself or a scatter folder went, or another is there, nothing is known of its files, and none is gone.
 */
export function goneTest(directories: readonly string[]): (file: SessionFile) => boolean {
  const identities = new Map(directories.map((directory) => [directory, identityOf(directory)]));
  const folders = new Map<string, ReadonlyMap<string, string>>();
  return (file) => {
    const { directory, layout } = file;
    const known = layout === "flat" ? undefined : (folders.get(directory) ?? scatterFoldersOf(directory));
    if (known !== undefined) folders.set(directory, known);
    // Almost always it stands: the quickest look first.
    if (existsSync(`${directory}/${file.name}`)) return false;
    const moved = scatteredPlaceOf(file);
    if (!isMissing(join(directory, file.name)) || (moved !== undefined && !isMissing(moved))) return false;
    return isMissingFrom(file, identities.get(directory), known?.get(dirname(file.name)));
  };
}

const noFolder = "none";

/** What tells the scatter folders of a session directory from others in their places, as they stand now. */
function scatterFoldersOf(directory: string): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  try {
    const opened = opendirSync(directory);
    try {
      for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
        if (!isScatterFolder(entry.name)) continue;
        folders.set(entry.name, identityOf(join(directory, entry.name)) ?? noFolder);
      }
    } finally {
      opened.closeSync();
    }
  } catch (error) {
    errorCode(error);
  }
  return folders;
}

/**
 * Whether a file is missing where it was: looked for through the descriptors of its directory and folder, so that none that is swapped in
 * meanwhile is taken for them. A folder that was not there at first, as a server makes them, counts as the right one.
 */
function isMissingFrom(
  file: SessionFile,
  directoryIdentity: string | undefined,
  folderIdentity: string | undefined,
): boolean {
  let directory: OpenDirectory;
  try {
    directory = new OpenDirectory(file.directory);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return false;
  }
  try {
    if (directory.identity !== directoryIdentity) return false;
    const folder = directory.folderOf(file);
    if (folder === undefined) return false;
    if (folderIdentity !== undefined && folderIdentity !== identityOf(`${folder}/.`)) return false;
    return isMissing(join(folder, basename(file.name)));
  } catch (error) {
    // What cannot be looked at is not known to be gone.
    errorCode(error);
    return false;
  } finally {
    directory.close();
  }
}

/** What tells a directory from another at the same path; `undefined` where there is none. */
function identityOf(directory: string): string | undefined {
  try {
    const stats = lstatSync(directory, { throwIfNoEntry: false });
    return stats?.isDirectory() ? directoryIdentity(stats) : undefined;
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}

function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    // What cannot be looked at is not known to be gone.
    errorCode(error);
    return false;
  }
}

/**
 * Whether another file holds the same session later: in the other layout, or in another of the session directories. Of two with the same
 * time the one in the earlier directory counts, then the scattered one, which is where servers move a flat one to.
 */
export function isSuperseded(file: SessionFile, stamp: FileStamp, directories: readonly string[]): boolean {
  for (const directory of directories) {
    for (const layout of layoutsInOrder) {
      if (layout === file.layout && directory === file.directory) continue;
      const name = layouts[layout].nameOf(file.sid);
      const other = name === undefined ? undefined : regularFileAt(`${directory}/${name}`);
      // The same file under two names is a file that was moved.
      if (other === undefined || (other.ino === stamp.ino && other.dev === stamp.dev)) continue;
      const isLater =
        other.mtimeMs === stamp.mtimeMs
          ? rankOf(directory, layout, directories) < rankOf(file.directory, file.layout, directories)
          : other.mtimeMs > stamp.mtimeMs;
      if (isLater) return true;
    }
  }
  return false;
}

const layoutsInOrder = ["scattered", "flat"] as const;

function rankOf(directory: string, layout: SessionFile["layout"], directories: readonly string[]): number {
  return 2 * directories.indexOf(directory) + (layout === "scattered" ? 0 : 1);
}

/** `undefined` for what holds no session: nothing, an empty file, no file, or one that cannot be looked at. */
function regularFileAt(path: string): FileStamp | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isFile() && stats.size > 0 ? stats : undefined;
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
