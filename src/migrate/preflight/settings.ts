import type { Check } from "../../model/check.js";
import type { RunOptions } from "../../model/run-options.js";

/** What deserves a second look among the settings. */
export function checkSettings({ warnings, warningsEvenIfQuiet, ...options }: RunOptions): readonly Check[] {
  return [
    ...checkMissedSettings(options),
    ...[...warningsEvenIfQuiet, ...warnings].map(
      (found): Check => ({ name: "settings", verdict: "warn", found, remedy: null }),
    ),
  ];
}

/** Settings that session_redis before 18.0 does not read. */
export function checkMissedSettings({ missedByOldApplets }: Pick<RunOptions, "missedByOldApplets">): readonly Check[] {
  return missedByOldApplets.map(({ name: title, found, remedy }) => {
    return {
      name: "settings",
      title,
      verdict: "warn",
      found,
      remedy,
      message: `${title}: ${found}. ${remedy}`,
    };
  });
}
