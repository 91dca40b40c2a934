import { join } from "node:path";
import { errorCode, SettingsError, systemReason } from "../model/errors.js";
import type { RunOptions } from "../model/run-options.js";
import { showable, showablePath } from "../model/showable.js";
import { settingEntries } from "./definitions.js";
import type { Machine } from "./machine.js";
import type { Origin, Settings } from "./read-settings.js";
import type { Environment } from "./setting-sources.js";
import { parseTeleConfig } from "./tele-config.js";

/** Whose names and default directories count. */
type Server = "tele" | "odoo";

/** Which session directories are meant. */
interface NamedDirectories extends Pick<RunOptions["source"], "names" | "comesFrom"> {
  /** The flag, the variable or the file that gave them, or "default". */
  readonly origin: string;
}

/**
 * The session directories as typed (paths or globs), else the server's: `<data_dir>/sessions`.
 * @throws SettingsError if a `tele.conf` that is named is missing, or any cannot be understood.
 */
export function resolveSessionDirectories(settings: Settings, machine: Machine): NamedDirectories {
  const { sessionDir, originOf } = settings;
  const isConfigTyped = originOf("config").from === "flag";
  // A `--config` that cannot be read is refused even if `--session-dir` makes it useless.
  const config = sessionDir && !isConfigTyped ? null : readConfig(settings, machine);
  if (sessionDir) return { names: sessionDir, comesFrom: null, origin: originOf("sessionDir").name };
  const dataDirectory = config && readDataDirectory(config, machine);
  if (config && dataDirectory) {
    const comesFrom = `It comes from data_dir in ${config.shownName}`;
    return { names: [join(dataDirectory, "sessions")], comesFrom, origin: config.path };
  }
  const candidates = defaultServers(config, machine.environment).map((server) =>
    join(defaultDataDirectory(server, machine), "sessions"),
  );
  const [first = "", ...others] = candidates;
  const name = candidates.find((path) => machine.isDirectory(path)) ?? first;
  const besides = others.map((path) => `; ${showablePath(path)} does not exist either`).join("");
  const reason = config
    ? `${config.shownName} gives no data_dir`
    : "none of --session-dir, TELE_SESSION_DIR and --config was given";
  return { names: [name], comesFrom: `It is the default, because ${reason}${besides}`, origin: "default" };
}

/** Whose default directories may be meant, the likelier first. */
function defaultServers(config: Config | null, environment: Environment): readonly Server[] {
  if (config?.server) return [config.server];
  const isSet = (name: string | undefined) => name !== undefined && Boolean(environment[name]);
  const ofTele = settingEntries.some(([, { variable }]) => variable?.startsWith("TELE") && isSet(variable));
  if (ofTele) return ["tele"];
  const ofOdoo = settingEntries.some(([, { odooVariable }]) => isSet(odooVariable));
  return ofOdoo ? ["odoo", "tele"] : ["tele", "odoo"];
}

/** A `tele.conf` or an `odoo.conf`. */
interface Config {
  readonly path: string;
  readonly text: string;
  /** The file, and the setting that names it, for messages. */
  readonly shownName: string;
  /** Whose name gave the file; null for the flag. */
  readonly server: Server | null;
}

/** Null if no file is named and there is neither `~/.telerc` nor `~/.odoorc`. */
function readConfig(settings: Settings, machine: Machine): Config | null {
  const origin = settings.originOf(settings.config === null ? "formerConfig" : "config");
  const path = settings.config ?? settings.formerConfig;
  if (path !== null && !origin.isOdoos) return readNamedConfig(path, origin, machine);
  const home = findHome(machine);
  // Odoo's names count if Tele has no file at all.
  const ofTele = home === null ? null : readHomeConfig(join(home, ".telerc"), "tele", machine);
  if (ofTele !== null) return ofTele;
  if (path !== null) return readNamedConfig(path, origin, machine);
  return home === null ? null : readHomeConfig(join(home, ".odoorc"), "odoo", machine);
}

function readNamedConfig(path: string, { name, from, isOdoos }: Origin, machine: Machine): Config {
  const shownName = `${name}: the file "${showable(path)}"`;
  const server = from === "flag" ? null : isOdoos ? "odoo" : "tele";
  try {
    return { path, text: machine.readFile(path).toString("utf8"), shownName, server };
  } catch (error) {
    throw new SettingsError(`${shownName} cannot be read: ${systemReason(error)}`);
  }
}

/** Null if there is no such file. */
function readHomeConfig(path: string, server: Server, machine: Machine): Config | null {
  const shownName = `"${showable(path)}"`;
  try {
    return { path, text: machine.readFile(path).toString("utf8"), shownName, server };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new SettingsError(`${shownName} cannot be read: ${systemReason(error)}`);
  }
}

/** Null if the file gives none. */
function readDataDirectory({ text, shownName }: Config, machine: Machine): string | null {
  const options = parseTeleConfig(text);
  if (options === null) return null;
  if ("problem" in options) throw new SettingsError(`${shownName} is not a tele.conf: ${options.problem}`);
  const dataDirectory = options.get("data_dir");
  if (dataDirectory === undefined) return null;
  if (dataDirectory === "") throw new SettingsError(`${shownName} leaves data_dir empty: give --session-dir`);
  return expandDataDirectory(dataDirectory, machine);
}

/** As Python's `os.path.expanduser("~")`: HOME, else the account's home directory, else null. */
function findHome({ environment, accountHome }: Machine): string | null {
  return environment["HOME"] || accountHome();
}

/** Where the server keeps its data by default [odoo/tools/config.py `_get_default_datadir`]. */
function defaultDataDirectory(server: Server, machine: Machine): string {
  const home = findHome(machine);
  if (home === null || !machine.isDirectory(home)) return `/var/lib/${server}`;
  const name = server === "tele" ? "Tele" : "Odoo";
  return join(machine.environment["XDG_DATA_HOME"] || join(home, ".local/share"), name);
}

/**
 * A `data_dir` with `$NAME`, `${NAME}` and a leading `~` replaced, in the server's order
 * [odoo/tools/config.py `_normalize`]. Variables that are not set stay as they are.
 * @throws SettingsError for `~name`, which only the account database could resolve.
 */
function expandDataDirectory(text: string, machine: Machine): string {
  const expanded = text.trim().replace(/\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g, (whole, bare, braced) => {
    return machine.environment[bare ?? braced] ?? whole;
  });
  if (!expanded.startsWith("~")) return expanded;
  const [account = ""] = expanded.slice(1).split("/", 1);
  const home = findHome(machine);
  if (account !== "" || home === null) {
    throw new SettingsError("data_dir begins with a home directory that cannot be found: give --session-dir");
  }
  return join(home, expanded.slice(1)) || "/";
}
