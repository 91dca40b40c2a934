import { join } from "node:path";
import { errorCode } from "../model/error-code.js";
import { SettingsError } from "../model/errors.js";
import { showable, showablePath } from "../model/showable.js";
import { defaultDataDirectory, expandDataDirectory, findHome, type Server } from "./data-directory.js";
import { settingEntries } from "./definitions.js";
import type { FileSystemReader } from "./file-system-reader.js";
import type { Environment, SettingOrigin, Settings } from "./read-settings.js";
import { parseTeleConfig } from "./tele-config.js";

/** Which session directories are meant. */
export interface NamedDirectories {
  /** Paths or globs. */
  readonly names: readonly string[];
  /** Where the directory comes from if nobody named it: a sentence without its full stop; null if somebody did. */
  readonly comesFrom: string | null;
}

/**
 * The session directories as typed (paths or globs), else the one that the server uses: `<data_dir>/sessions`. Throws
 * `SettingsError` where a `tele.conf` is named that is missing, or one cannot be understood.
 */
export function resolveSessionDirectories(
  { sessionDir, config, formerConfig }: Settings,
  environment: Environment,
  files: FileSystemReader,
): NamedDirectories {
  const named = config ?? formerConfig;
  const text = sessionDir && named?.origin.from !== "flag" ? null : readConfig(named, environment, files);
  if (sessionDir) return { names: sessionDir.value, comesFrom: null };
  const dataDirectory = text && readDataDirectory(text, environment, files);
  if (text && dataDirectory) {
    return {
      names: [join(dataDirectory, "sessions")],
      comesFrom: `It comes from data_dir in ${text.shownName}`,
    };
  }
  const candidates = defaultServers(text, environment).map((server) =>
    join(defaultDataDirectory(server, environment, files), "sessions"),
  );
  const [first = "", ...others] = candidates;
  const name = candidates.find((path) => files.isDirectory(path)) ?? first;
  const besides = others.length > 0 ? `, and neither does ${others.map(showablePath).join(", ")}` : "";
  const reason = text
    ? `${text.shownName} gives no data_dir`
    : "none of --session-dir, TELE_SESSION_DIR and --config was given";
  return { names: [name], comesFrom: `It is the default, because ${reason}${besides}` };
}

/** Whose default directories may be meant, the likelier first. */
function defaultServers(config: ConfigText | null, environment: Environment): readonly Server[] {
  if (config !== null && config.server !== undefined) return [config.server];
  const isSet = (name: string | undefined) => name !== undefined && Boolean(environment[name]);
  const ofTele = settingEntries.some(([, { variable }]) => variable?.startsWith("TELE") && isSet(variable));
  if (ofTele) return ["tele"];
  const ofOdoo = settingEntries.some(([, { odooVariable }]) => isSet(odooVariable));
  return ofOdoo ? ["odoo", "tele"] : ["tele", "odoo"];
}

interface ConfigText {
  readonly text: string;
  /** What says that this file is to be read, and which it is. */
  readonly shownName: string;
  /** Whose name gave the file; absent for the flag. */
  readonly server?: Server;
}

/** Null if no file is named and there is neither `~/.telerc` nor `~/.odoorc`. */
function readConfig(
  named: { readonly value: string; readonly origin: SettingOrigin } | undefined,
  environment: Environment,
  files: FileSystemReader,
): ConfigText | null {
  const byOdoo = named?.origin.odoo === true;
  const home = findHome(environment, files);
  if (named && !byOdoo) return readNamedConfig(named, files);
  // Odoo's names count if Tele has no file at all.
  const ofTele = home === null ? null : readHomeConfig(join(home, ".telerc"), "tele", files);
  if (ofTele !== null) return ofTele;
  if (named) return readNamedConfig(named, files);
  return home === null ? null : readHomeConfig(join(home, ".odoorc"), "odoo", files);
}

function readNamedConfig(
  { value, origin }: { readonly value: string; readonly origin: SettingOrigin },
  files: FileSystemReader,
): ConfigText {
  const shownName = `${origin.name}: the file "${showable(value)}"`;
  const server = origin.from === "flag" ? {} : ({ server: origin.odoo ? "odoo" : "tele" } as const);
  try {
    return { text: files.readFile(value).toString("utf8"), shownName, ...server };
  } catch (error) {
    throw new SettingsError(`${shownName} cannot be read: ${errorCode(error)}`);
  }
}

/** Null if there is no such file. */
function readHomeConfig(path: string, server: Server, files: FileSystemReader): ConfigText | null {
  const shownName = `"${showable(path)}"`;
  try {
    return { text: files.readFile(path).toString("utf8"), shownName, server };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
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
