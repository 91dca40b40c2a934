import { join } from "node:path";
import { SettingsError } from "../model/errors.js";
import type { Machine } from "./machine.js";

/** As Python's `os.path.expanduser("~")`: HOME, else the account's home directory, else null. */
export function findHome({ environment, accountHome }: Machine): string | null {
  return environment["HOME"] || accountHome();
}

/** Whose names and default directories count. */
export type Server = "tele" | "odoo";

/** Where the server keeps its data by default [odoo/tools/config.py `_get_default_datadir`]. */
export function defaultDataDirectory(server: Server, machine: Machine): string {
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
export function expandDataDirectory(text: string, machine: Machine): string {
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
