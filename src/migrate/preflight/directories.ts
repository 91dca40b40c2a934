import { type Check, failedBy, passed } from "../../model/check.js";
import { SettingsError, SourceError } from "../../model/errors.js";
import { countOf, countText, durationText } from "../../model/number-text.js";
import type { RunOptions } from "../../model/run-options.js";
import { showablePath } from "../../model/showable.js";
import { resolveDirectories } from "../../source/directories/resolve-directories.js";
import { statsAt } from "../../source/file-identity.js";
import { type DirectoryListing, type Listing, listSessions } from "../../source/list-sessions.js";
import { pathOf } from "../../source/recent-files.js";
import { deniedFoldersOf, explainDenial } from "../../source/removal/removal-denial.js";
import { StatReader } from "../../source/stat-reader.js";

const nothing: Listing = { directories: [], count: 0, ofAllShards: 0, selected: 0, isComplete: true };
/** A server that works on files saves more often than this. */
const recentMs = 60_000;

/** The session directories, their files, and what was found of them. */
export interface CheckedDirectories {
  /** Resolved. */
  readonly directories: readonly string[];
  readonly listing: Listing;
  /** A run must not begin if one failed. */
  readonly checks: readonly Check[];
}

/** Who is told how far the listing has come. */
export interface ListingListener {
  readonly onDirectories: (directories: readonly string[]) => void;
  /** `count`: session files listed so far. */
  readonly onListed: (count: number) => void;
}

/** Finds the session directories and lists their files. */
export async function checkDirectories(
  { source }: Pick<RunOptions, "source">,
  stop: AbortSignal,
  listener?: ListingListener,
): Promise<CheckedDirectories> {
  const checks: Check[] = [];
  const warn = (text: string) =>
    checks.push({ name: "readable", verdict: "warn", found: text, remedy: null, evenIfQuiet: true });
  try {
    const directories = await resolveDirectories(source, warn);
    listener?.onDirectories(directories);
    const listing = await listSessions(directories, source, stop, listener?.onListed);
    return { directories, listing, checks };
  } catch (error) {
    const exitCode = error instanceof SettingsError ? 2 : 3;
    if (!(error instanceof SettingsError || error instanceof SourceError)) throw error;
    return { directories: [], listing: nothing, checks: [failedBy("readable", error, exitCode)] };
  }
}

/** What the directories hold: `1,204,331 session files, flat; 16 other names, 2 empty`. */
export function checkReadable({ count, ofAllShards, directories }: Listing): Check {
  const flat = sumOf(directories, ({ tally }) => tally.layouts.flat);
  const scattered = sumOf(directories, ({ tally }) => tally.layouts.scattered);
  const layout = scattered === 0 ? "flat" : flat === 0 ? "scattered" : `${countText(flat)} of them flat`;
  const ignored = sumOf(directories, ({ tally }) => tally.ignored);
  const empty = sumOf(directories, emptyOf);
  const about = directories.some(({ count, sample }) => count !== sample.length) ? "about " : "";
  const others = [
    ...(ignored === 0 ? [] : [countOf(ignored, "other name")]),
    ...(empty === 0 ? [] : [`${about}${countText(empty)} empty`]),
  ];
  const besides = others.length === 0 ? "" : `; ${others.join(", ")}`;
  const all = count === ofAllShards ? "" : ` in this shard, of ${countText(ofAllShards)}`;
  const files =
    count === 0 ? `no session file${all}, so there is nothing to do` : `${countOf(count, "session file")}${all}`;
  const unread = directories.flatMap(({ tally }) => tally.unreadable);
  const found = `${files}${count === 0 ? "" : `, ${layout}`}${besides}`;
  const [first] = unread;
  if (first === undefined) return passed("readable", found);
  const more = unread.length === 1 ? "" : `, and ${unread.length - 1} more`;
  const remedy = "Run this as a user who may read it";
  const consequences = { exitCode: 3, stopsLate: true } as const;
  return { name: "readable", verdict: "fail", found: `${first.message}${more}`, remedy, ...consequences };
}

/** About how many session files are empty. */
function emptyOf({ count, sample }: DirectoryListing): number {
  const statReader = new StatReader();
  const empty = sample.filter((file) => statReader.stat(pathOf(file))?.size === 0).length;
  return sample.length === 0 ? 0 : Math.round((empty * count) / sample.length);
}

function sumOf<T>(all: readonly T[], countIn: (one: T) => number): number {
  return all.reduce((sum, one) => sum + countIn(one), 0);
}

/** Whether the session files may be removed. */
export function checkRemovable({ directories }: Listing): Check {
  const folders = directories.flatMap((one) => one.folders);
  const denied = deniedFoldersOf(folders);
  const [first] = denied;
  if (first === undefined) {
    const uid = process.geteuid?.() ?? 0;
    return passed("removable", `uid ${uid} may remove files from ${countOf(folders.length, "folder")}`);
  }
  const { found, remedy } = explainDenial(first.why, showablePath(first.folder));
  const more = denied.length === 1 ? "" : `, nor from ${countOf(denied.length - 1, "other folder")}`;
  const explained = { found: found + more, remedy };
  const consequences = { evenIfQuiet: true, exitCode: 4, stopsLate: true } as const;
  return { name: "removable", verdict: "fail", ...explained, ...consequences };
}

/** Whether a server uses the directories: then a purge would remove nothing. */
export function checkServer({ directories }: Listing, works: "files" | "redis" | "unknown", inUse: boolean): Check {
  const latestMs = Math.max(
    ...directories.flatMap(({ folders }) => folders.map((folder) => statsAt(folder)?.mtimeMs ?? 0)),
  );
  const agoMs = Date.now() - latestMs;
  const where = { files: "works on files", redis: "works on Redis", unknown: "not known where it works" }[works];
  if (agoMs > recentMs) return passed("server", `${where}; nothing was saved in files in the last minute`);
  const seconds = durationText(Math.max(agoMs, 0) / 1000);
  const found = `${where}: the directory changed ${seconds} ago`;
  const remedy = inUse
    ? "--in-use removes the files even so"
    : "A purge refuses until it stops: switch the server to Redis first";
  return { name: "server", verdict: "warn", found, remedy };
}
