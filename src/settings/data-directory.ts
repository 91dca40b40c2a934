import { join } from "node:path";
import { SettingsError } from "../model/errors.js";
import type { FileSystemReader } from "./file-system-reader.js";
import type { Environment } from "./read-settings.js";

/** As Python's `os.path.expanduser("~")`: HOME, else the account's home directory, else null. */
export function findHome(environment: Environment, files: FileSystemReader): string | null {
  return environment["HOME"] || files.accountHome();
}

/** Whose names and default directories count. */
export type Server = "tele" | "odoo";

/** Where the server keeps its data by default [odoo/tools/config.py `_get_default_datadir`]. */
export function defaultDataDirectory(
  server: Server,
  environment: Environment,
  files: FileSystemReader,
): string {
  const home = findHome(environment, files);
  if (home === null || !files.isDirectory(home)) return `/var/lib/${server}`;
  const name = server === "tele" ? "Tele" : "Odoo";
  return join(environment["XDG_DATA_HOME"] || join(home, ".local/share"), name);
}

/**
 * A `data_dir` with `$NAME`, `${NAME}` and a leading `~` replaced, in the server's order
 * [odoo/tools/config.py `_normalize`]. Variables that are not set stay as they are.
 * @throws SettingsError for `~name`, which only the account database could resolve.
 */
export function expandDataDirectory(text: string, environment: Environment, files: FileSystemReader): string {
  const expanded = text.trim().replace(/\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g, (whole, bare, braced) => {
    return environment[bare ?? braced] ?? whole;
  });
  if (!expanded.startsWith("~")) return expanded;
  const [account = ""] = expanded.slice(1).split("/", 1);
  const home = findHome(environment, files);
  if (account !== "" || home === null) {
    throw new SettingsError("data_dir begins with a home directory that cannot be found: give --session-dir");
  }
  return join(home, expanded.slice(1)) || "/";
}
