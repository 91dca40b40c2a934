import { type Dirent, lstatSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { orElse } from "../../model/errors.js";
import type { Layout } from "../../model/session-file.js";
import { isScatterFolder, layouts } from "../layouts.js";
import { parseSetAsideName } from "../removal/set-aside-name.js";

/** The content of a directory, read up to the first session file. */
export interface DirectoryContent extends Readonly<OtherContent> {
  /** `unknown` if something could not be read. */
  readonly sessions: "found" | "none" | "unknown";
}

/** What a directory holds besides the sessions, as far as it was read. */
interface OtherContent {
  /** How many names are neither sessions nor anything that servers leave beside them. */
  otherNames: number;
  /** The first directories among the other names, as paths inside the directory. */
  readonly folders: string[];
  /** Whether the directory is itself a scatter folder, with session files. */
  isScatterFolder: boolean;
}

const maxFolders = 100;
/** What servers leave beside sessions: temporary files, uploads before a login, dot files. */
const leftByServers = /^(?:tmp.*\.__wz_sess|.*\.__tx_sess__|werkzeug_.+_[0-9a-f]{32}\.file|lost\+found|\..*)$/s;

/** Reads a directory up to its first session file. Never throws: the scan reports errors. */
export function lookForSessions(directory: string): DirectoryContent {
  const seen: OtherContent = { otherNames: 0, folders: [], isScatterFolder: false };
  const sessions = orElse("unknown", () => (findSession(directory, "", seen) ? "found" : "none"));
  return { sessions, ...seen };
}

function findSession(directory: string, folder: string, seen: OtherContent): boolean {
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
      if (leftByServers.test(name) || (entry.isFile() && isEmpty(join(path, name)))) continue;
      noteOther(directory, folder, entry, seen);
    }
    return false;
  } finally {
    opened.closeSync();
  }
}

function noteOther(directory: string, folder: string, entry: Dirent, seen: OtherContent): void {
  seen.otherNames++;
  if (entry.isDirectory() && seen.folders.length < maxFolders) seen.folders.push(join(folder, entry.name));
  const parent = directory.slice(directory.lastIndexOf("/") + 1);
  const isScattered = folder === "" && isScatterFolder(parent) && entry.isFile();
  if (isScattered && isSessionName(entry.name, parent)) seen.isScatterFolder = true;
}

/** Also accepts a name under which a killed purge left a session file. */
function isSessionName(name: string, folder: string): boolean {
  const layout: Layout = folder === "" ? "flat" : "scattered";
  const own = parseSetAsideName(name)?.name ?? name;
  return layouts[layout].sidOf(folder, own) !== undefined;
}

/** A file that disappeared meanwhile counts as empty. */
function isEmpty(path: string): boolean {
  return (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}
