import { SettingsError, systemReason } from "../model/errors.js";
import { showable } from "../model/showable.js";
import type { Machine } from "./machine.js";
import type { Origin } from "./read-settings.js";

/** The UTF-8 text of a file that a setting names. @throws SettingsError naming both. */
export function readTextFile(path: string, origin: Origin, machine: Machine): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(machine.readFile(path));
  } catch (error) {
    const reason = error instanceof TypeError ? "it is not UTF-8 text" : systemReason(error);
    throw new SettingsError(`${origin.name}: the file "${showable(path)}" cannot be read: ${reason}`);
  }
}

/** The content of a password file, without one line break at its end. @throws SettingsError */
export function readPasswordFile(path: string, origin: Origin, machine: Machine): string {
  const password = readTextFile(path, origin, machine).replace(/\r?\n$/, "");
  if (password === "") throw new SettingsError(`${origin.name}: the file "${showable(path)}" is empty`);
  return password;
}
