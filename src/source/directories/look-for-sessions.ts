import { type Dirent, lstatSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../model/error-code.js";
import type { Layout } from "../../model/session-file.js";
import { parseSetAsideName } from "../removal/set-aside-name.js";
import { isScatterFolder, layouts } from "../session-name.js";

/** What stands in a session directory, as far as it was read. */
export interface DirectoryContent {
  /** Unknown if something cannot be read. Nothing was read after the first session file. */
  readonly sessions: "found" | "none" | "unknown";
  /** Names that no session directory has: neither sessions nor what a server leaves beside them. */
  readonly otherNames: number;
  /** Directories among the other names, at most `maxFolders`, as paths inside the directory. */
  readonly folders: readonly string[];
  /** Whether session files stand here as in a scatter folder of that name. */
  readonly isScatterFolder: boolean;
}

const maxFolders = 100;
/** What servers leave beside sessions: temporary files, uploads that wait for a login; and names that begin with a dot. */
const besides = /^(?:tmp.*\.__wz_sess|.*\.__tx_sess__|werkzeug_.+_[0-9a-f]{32}\.file|lost\+found|\..*)$/s;

/** Reads a directory until its first session file. Never throws: what cannot be read is for the scan to tell. */
export function lookForSessions(directory: string): DirectoryContent {
  const seen = { otherNames: 0, folders: [] as string[], isScatterFolder: false };
  try {
    return { sessions: findSession(directory, "", seen) ? "found" : "none", ...seen };
  } catch (error) {
    errorCode(error);
    return { sessions: "unknown", ...seen };
  }
}

function findSession(
  directory: string,
  folder: string,
  seen: { otherNames: number; folders: string[]; isScatterFolder: boolean },
): boolean {
  const path = join(directory, folder);
  const opened = opendirSync(path);
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      const { name } = entry;
      if (isSessionName(name, folder)) {
        if (entry.isFile() && !isEmpty(join(path, name))) return true;
        if (entry.isFile()) continue;
      }
      if (folder === "" && entry.isDirectory() && isScatterFolder(name)) {
        if (findSession(directory, name, seen)) return true;
        continue;
      }
      if (besides.test(name) || (entry.isFile() && isEmpty(join(path, name)))) continue;
      noteOther(directory, folder, entry, seen);
    }
    return false;
  } finally {
    opened.closeSync();
  }
}

function noteOther(
  directory: string,
  folder: string,
  entry: Dirent,
  seen: { otherNames: number; folders: string[]; isScatterFolder: boolean },
): void {
  seen.otherNames++;
  if (entry.isDirectory() && seen.folders.length < maxFolders) seen.folders.push(join(folder, entry.name));
  const parent = directory.slice(directory.lastIndexOf("/") + 1);
  const isScattered = folder === "" && isScatterFolder(parent) && entry.isFile();
  if (isScattered && isSessionName(entry.name, parent)) seen.isScatterFolder = true;
}

/** Also the name that a purge gave it, if it was killed before the removal. */
function isSessionName(name: string, folder: string): boolean {
  const layout: Layout = folder === "" ? "flat" : "scattered";
  const own = parseSetAsideName(name)?.name ?? name;
  return layouts[layout].sidOf(folder, own) !== undefined;
}

/** A file that went away in the meantime is none either. */
function isEmpty(path: string): boolean {
  return (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}
