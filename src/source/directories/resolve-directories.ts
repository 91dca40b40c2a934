import { isUtf8 } from "node:buffer";
import { realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { errorCode } from "../../model/error-code.js";
import { SettingsError, SourceError } from "../../model/errors.js";
import { showablePath } from "../../model/showable.js";
import { globDirectories, isGlob, showableBytes } from "./glob-directories.js";
import { type DirectoryContent, lookForSessions } from "./look-for-sessions.js";

/** Which directories are meant, and what may be wrong with them. */
export interface DirectoryNames {
  /** Paths and globs. A path that exists is taken literally. */
  readonly names: readonly string[];
  /** Where the name comes from if nobody gave it, as a sentence without its full stop. */
  readonly comesFrom: string | null;
  /** Whether missing directories, unmatched globs and directories with only other names are taken for empty ones. */
  readonly allowMissing: boolean;
}

/**
 * The session directories that names mean, resolved, each once. Throws `SettingsError` for a name that is missing or no directory, a glob
 * without a match, and a directory that holds other names but no session file; `SourceError` if one on the way cannot be read.
 * `warn` hears of such directories among others that a glob found.
 */
export async function resolveDirectories(
  { names, comesFrom, allowMissing }: DirectoryNames,
  warn: (message: string) => void,
): Promise<string[]> {
  const directories = new Set<string>();
  for (const name of names) {
    const { paths, isLiteral } = await directoriesOf(name);
    if (paths.length === 0 && !allowMissing) throw await missing(name, comesFrom);
    const found = paths.map(realPathOf);
    if (!allowMissing) refuseWithoutSessions(found, isLiteral, warn);
    for (const path of found) directories.add(path);
  }
  return [...directories];
}

async function missing(name: string, comesFrom: string | null): Promise<SettingsError> {
  const what = (await isGlob(name)) ? "matches no directory" : "does not exist";
  const next =
    comesFrom === null
      ? " (--allow-missing accepts that)"
      : `. ${comesFrom}. Name the directory with --session-dir`;
  return new SettingsError(`the session directory ${showablePath(name)} ${what}${next}`);
}

async function directoriesOf(name: string): Promise<{ paths: readonly string[]; isLiteral: boolean }> {
  const base = isAbsolute(name) ? "/" : workingDirectoryFor(name);
  const path = resolve(base, name);
  const kind = kindOf(path);
  if (kind === "directory") return { paths: [path], isLiteral: true };
  if (kind === "other") {
    throw new SettingsError(`the session directory ${showablePath(name)} is no directory`);
  }
  // Node puts this character in place of bytes that are not UTF-8, and then cannot open the path.
  if (path.includes("\ufffd")) throw notUtf8(name);
  if (!(await isGlob(name))) return { paths: [], isLiteral: true };
  const paths = await globDirectories(name, base);
  const unusable = paths.find((found) => /[\udc80-\udcff]/u.test(found));
  if (unusable !== undefined) throw notUtf8(unusable);
  return { paths, isLiteral: false };
}

function notUtf8(path: string): SettingsError {
  return new SettingsError(
    `the session directory ${showableBytes(path)} has a name that is not UTF-8, which this tool cannot open. Nothing was touched. Rename it, mount it elsewhere, or name the other directories one by one`,
  );
}

/** Throws `SettingsError` if it is gone: then no relative name means anything. */
function workingDirectoryFor(name: string): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new SettingsError(
      `the session directory ${showablePath(name)} is relative, and the working directory cannot be used. Change to a directory that exists, or give an absolute path (${errorCode(error)})`,
    );
  }
}

/** A symlink may lead to a name that its own path does not show. */
function realPathOf(path: string): string {
  const real = systemCall(path, () => realpathSync.native(path, "buffer"));
  if (!isUtf8(real)) throw notUtf8(real.toString("utf8"));
  return real.toString("utf8");
}

/** An unmounted volume or the wrong level must not look like nothing to do. */
function refuseWithoutSessions(
  directories: readonly string[],
  isLiteral: boolean,
  warn: (message: string) => void,
): void {
  const problems = directories.flatMap((directory) => {
    const content = lookForSessions(directory);
    const isWrong = content.sessions === "none" && content.otherNames > 0;
    return isWrong ? [describeWrongDirectory(directory, content)] : [];
  });
  if (problems.length === 0) return;
  if (isLiteral || problems.length === directories.length) throw new SettingsError(problems.join("\n"));
  for (const problem of problems) warn(problem);
}

function describeWrongDirectory(directory: string, content: DirectoryContent): string {
  const { otherNames, folders } = content;
  const count = `${otherNames} other name${otherNames === 1 ? "" : "s"}`;
  const sessions = folders.includes("sessions") ? ", among them a directory sessions" : "";
  const [first, ...others] = meantDirectories(directory, content);
  const next =
    first === undefined
      ? "Check the path and the mount; --allow-missing takes it for an empty directory"
      : others.length === 0
        ? `Did you mean ${showablePath(first)}?`
        : `Session files are in ${showablePath(first)} and ${others.length} more: repeat --session-dir, or give a glob in quotes`;
  return `no session file in ${showablePath(directory)}, but ${count}${sessions}. ${next}`;
}

/** The directories nearby that hold session files: the one above, those below, or the `sessions` beside. */
function meantDirectories(directory: string, content: DirectoryContent): readonly string[] {
  const parent = dirname(directory);
  if (content.isScatterFolder) return [parent];
  const holdsSessions = (path: string) => lookForSessions(path).sessions === "found";
  // Attachments in a filestore are named as scattered sessions are.
  const isFilestore = directory.split("/").includes("filestore");
  const children = isFilestore
    ? []
    : content.folders
        .map((folder) => join(directory, folder))
        .filter((path) => basename(path) !== "filestore");
  const below = [
    join(directory, "sessions"),
    ...children.map((child) => join(child, "sessions")),
    ...children,
  ];
  const own = below.slice(0, 1).filter(holdsSessions);
  if (own.length > 0) return own;
  const found = [...new Set(below)].filter(holdsSessions);
  if (found.length > 0) return found;
  const above = [join(parent, "sessions"), join(dirname(parent), "sessions")];
  return above.filter((path) => path !== directory && holdsSessions(path)).slice(0, 1);
}

function systemCall<Result>(path: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw new SourceError(`${showablePath(path)} cannot be used: ${errorCode(error)}`);
  }
}

function kindOf(path: string): "directory" | "other" | "missing" {
  try {
    return statSync(path).isDirectory() ? "directory" : "other";
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return "missing";
    throw new SourceError(`${showablePath(path)} cannot be used: ${code}`);
  }
}
