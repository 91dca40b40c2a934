import { isUtf8 } from "node:buffer";
import { realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { type Explanation, errorCode, SettingsError, SourceError, systemReason } from "../../model/errors.js";
import type { RunOptions } from "../../model/run-options.js";
import { showablePath } from "../../model/showable.js";
import { globDirectories, isGlob, showableBytes } from "./glob-directories.js";
import { type DirectoryContent, lookForSessions } from "./look-for-sessions.js";

/**
 * Resolves names to session directories, each once. A path that exists is never a glob. If a glob
 * finds good directories beside wrong ones, `warn` is told of the wrong ones.
 *
 * @throws SettingsError for a missing name, a file, an unmatched glob, or a directory with names
 * but no session file.
 * @throws SourceError for a directory that cannot be read.
 */
export async function resolveDirectories(
  { names, comesFrom, allowMissing }: Pick<RunOptions["source"], "names" | "comesFrom" | "allowMissing">,
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
  const found = `the session directory ${showablePath(name)} ${what}`;
  const next =
    comesFrom === null
      ? "Check the path and the mount; --allow-missing treats it as empty"
      : `${comesFrom}. Name the directory with --session-dir`;
  return new SettingsError(`${found}. ${next}`, { found, remedy: next });
}

async function directoriesOf(name: string): Promise<{ paths: readonly string[]; isLiteral: boolean }> {
  const base = isAbsolute(name) ? "/" : workingDirectoryFor(name);
  const path = resolve(base, name);
  const kind = kindOf(path);
  if (kind === "directory") return { paths: [path], isLiteral: true };
  if (kind === "other") {
    throw new SettingsError(`the session directory ${showablePath(name)} is not a directory`);
  }
  // Node replaces bytes that are not UTF-8 by this character, and then cannot open the path.
  if (path.includes("\ufffd")) throw notUtf8(name);
  if (!(await isGlob(name))) return { paths: [], isLiteral: true };
  const paths = await globDirectories(name, base);
  const unusable = paths.find((found) => /[\udc80-\udcff]/u.test(found));
  if (unusable !== undefined) throw notUtf8(unusable);
  return { paths, isLiteral: false };
}

function notUtf8(path: string): SettingsError {
  return new SettingsError(
    `the session directory ${showableBytes(path)} has a name that is not UTF-8 and cannot be opened; ` +
      "nothing was touched. Rename it, mount it elsewhere, or name the other directories one by one",
  );
}

/** @throws SettingsError if the working directory is gone: a relative name then means nothing. */
function workingDirectoryFor(name: string): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new SettingsError(
      `the session directory ${showablePath(name)} is relative, and the working directory cannot be used ` +
        `(${errorCode(error)}). Change to a directory that exists, or give an absolute path`,
    );
  }
}

/** The resolved path. Throws `SettingsError` if a symlink leads to a name that is not UTF-8. */
function realPathOf(path: string): string {
  const real = systemCall(path, () => realpathSync.native(path, "buffer"));
  if (!isUtf8(real)) throw notUtf8(real.toString("utf8"));
  return real.toString("utf8");
}

/** An unmounted volume or a directory one level off must not look like nothing to do. */
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
  const texts = problems.map(({ found, remedy }) => `${found}. ${remedy}`);
  if (isLiteral || problems.length === directories.length) {
    const [first] = problems;
    throw new SettingsError(texts.join("\n"), texts.length === 1 ? first : undefined);
  }
  for (const text of texts) warn(text);
}

function describeWrongDirectory(directory: string, content: DirectoryContent): Explanation {
  const { otherNames, folders } = content;
  const count = `${otherNames} other name${otherNames === 1 ? "" : "s"}`;
  const sessions = folders.includes("sessions") ? ", among them a directory sessions" : "";
  const [first, ...others] = meantDirectories(directory, content);
  const next =
    first === undefined
      ? "Check the path and the mount; --allow-missing treats it as empty"
      : others.length === 0
        ? `Did you mean ${showablePath(first)}?`
        : `Session files are in ${showablePath(first)} and ${others.length} more: ` +
          "repeat --session-dir, or give a glob in quotes";
  const found = `no session file in ${showablePath(directory)}, but ${count}${sessions}`;
  return { found, remedy: next };
}

/** Directories nearby that hold session files: the parent, those below, a `sessions` beside. */
function meantDirectories(directory: string, content: DirectoryContent): readonly string[] {
  const parent = dirname(directory);
  if (content.isScatterFolder) return [parent];
  const holdsSessions = (path: string) => lookForSessions(path).sessions === "found";
  // Attachments in a filestore have names like scattered sessions.
  const isFilestore = directory.split("/").includes("filestore");
  const children = isFilestore
    ? []
    : content.folders.map((folder) => join(directory, folder)).filter((path) => basename(path) !== "filestore");
  const below = [join(directory, "sessions"), ...children.map((child) => join(child, "sessions")), ...children];
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
    throw new SourceError(`${showablePath(path)} cannot be used: ${systemReason(error)}`);
  }
}

function kindOf(path: string): "directory" | "other" | "missing" {
  try {
    return statSync(path).isDirectory() ? "directory" : "other";
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return "missing";
    throw new SourceError(`${showablePath(path)} cannot be used: ${systemReason(error)}`);
  }
}
