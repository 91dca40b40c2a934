import { join } from "node:path";
import { SettingsError } from "../model/errors.js";
import { showable } from "../model/showable.js";
import { errorCode } from "../source/error-code.js";
import { defaultDataDirectory, expandDataDirectory, findHome } from "./data-directory.js";
import type { FileSystemReader } from "./file-system-reader.js";
import type { Environment, SettingOrigin, Settings } from "./settings.js";
import { parseTeleConfig } from "./tele-config.js";

/**
 * The session directories as typed (paths or globs), else the one that the server uses: `<data_dir>/sessions`. Throws
 * `SettingsError` where a `tele.conf` is named that is missing, or one cannot be understood.
 */
export function resolveSessionDirectories(
  { sessionDir, config, formerConfig }: Settings,
  environment: Environment,
  files: FileSystemReader,
): readonly string[] {
  const named = config ?? formerConfig;
  const text = sessionDir && named?.origin.from !== "flag" ? null : readConfig(named, environment, files);
  if (sessionDir) return sessionDir.value;
  const dataDirectory = text && readDataDirectory(text, environment, files);
  return [join(dataDirectory ?? defaultDataDirectory(environment, files), "sessions")];
}

interface ConfigText {
  readonly text: string;
  /** What says that this file is to be read, and which it is. */
  readonly shownName: string;
}

/** Null where no file is named and `~/.telerc` does not exist. */
function readConfig(
  named: { readonly value: string; readonly origin: SettingOrigin } | undefined,
  environment: Environment,
  files: FileSystemReader,
): ConfigText | null {
  const home = findHome(environment, files);
  const path = named?.value ?? (home === null ? null : join(home, ".telerc"));
  if (path === null) return null;
  const shownName = named ? `${named.origin.name}: the file "${showable(path)}"` : `"${showable(path)}"`;
  try {
    return { text: files.readFile(path).toString("utf8"), shownName };
  } catch (error) {
    const code = errorCode(error);
    if (!named && (code === "ENOENT" || code === "ENOTDIR")) return null;
    throw new SettingsError(`${shownName} cannot be read: ${code}`);
  }
}

/** Null where the file does not say. */
function readDataDirectory(
  { text, shownName }: ConfigText,
  environment: Environment,
  files: FileSystemReader,
): string | null {
  const options = parseTeleConfig(text);
  if (options === null) return null;
  if ("problem" in options) throw new SettingsError(`${shownName} is no tele.conf: ${options.problem}`);
  const dataDirectory = options.get("data_dir");
  if (dataDirectory === undefined) return null;
  if (dataDirectory === "") throw new SettingsError(`${shownName} leaves data_dir empty: give --session-dir`);
  return expandDataDirectory(dataDirectory, environment, files);
}
