import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SettingsError, SourceError } from "../model/errors.js";
import { showablePath } from "../model/showable.js";
import { errorCode } from "./error-code.js";

/**
 * The session directories that paths and globs name, resolved, each once. A path that exists is taken literally. Throws `SettingsError`
 * for a path that is missing or no directory and for a glob without a match (not with `allowMissing`: an unmounted volume must not look
 * like nothing to do), `SourceError` where a directory on the way cannot be read.
 */
export async function resolveDirectories(names: readonly string[], allowMissing: boolean): Promise<string[]> {
  const directories = new Set<string>();
  for (const name of names) {
    const found = await directoriesOf(name);
    if (found.length === 0 && !allowMissing) {
      const { default: fastGlob } = await import("fast-glob");
      const what = fastGlob.isDynamicPattern(name) ? "matches no directory" : "does not exist";
      throw new SettingsError(
        `the session directory ${showablePath(name)} ${what} (--allow-missing accepts that)`,
      );
    }
    for (const path of found) directories.add(realpathSync(path));
  }
  return [...directories];
}

async function directoriesOf(name: string): Promise<string[]> {
  const path = resolve(name);
  const kind = kindOf(path);
  if (kind === "directory") return [path];
  if (kind === "other")
    throw new SettingsError(`the session directory ${showablePath(name)} is no directory`);
  const { default: fastGlob } = await import("fast-glob");
  if (!fastGlob.isDynamicPattern(name)) return [];
  try {
    return (
      await fastGlob(anyCharacterAsClass(name), {
        onlyDirectories: true,
        absolute: true,
        dot: true,
        unique: true,
      })
    ).sort();
  } catch (error) {
    throw new SourceError(`${showablePath(name)} cannot be searched: ${errorCode(error)}`);
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

/** The glob library finds no directory behind a bare `?`; a class that says the same works. */
function anyCharacterAsClass(glob: string): string {
  return glob.replace(/\\.|\[[^\]]*\]|\?(?!\()/g, (part) => (part === "?" ? "[^/]" : part));
}
