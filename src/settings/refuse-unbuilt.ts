import { SettingsError } from "../model/errors.js";
import { settingEntries } from "./definitions.js";
import { notBuilt, notBuiltYet } from "./not-built.js";
import type { Settings } from "./read-settings.js";

/** Throws one `SettingsError` that names every flag and variable which asks for what this version does not do. */
export function refuseUnbuilt(settings: Settings): void {
  const problems = settingEntries.flatMap(([name]) => {
    const setting = settings[name];
    if (setting === undefined || setting.origin.from === "default" || setting.value === false) return [];
    return notBuilt.settings.includes(name) ? [`${setting.origin.name} ${notBuiltYet}`] : [];
  });
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
}
