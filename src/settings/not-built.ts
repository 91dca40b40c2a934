import { SettingsError } from "../model/errors.js";
import type { SettingName } from "./definitions.js";
import type { Settings } from "./read-settings.js";

/**
 * What this version refuses by name. Removing a name switches its feature on: flags, variables,
 * help and docs/settings.md follow.
 */
export const notBuilt: {
  readonly settings: readonly SettingName[];
} = {
  settings: ["shard", "shardCount", "cluster"],
};

/** How every refusal of it ends. */
export const notBuiltYet = "is not built yet in this version";

/** Variables that complete another setting. Without it they are ignored, not refused. */
const completes: { readonly [Name in SettingName]?: SettingName } = {
  jobCompletionIndex: "shardCount",
};

/** Whether this version refuses the setting, or the setting that it completes. */
export function isNotBuilt(name: SettingName): boolean {
  return notBuilt.settings.includes(completes[name] ?? name);
}

/** @throws SettingsError naming every flag and variable that asks for something not built. */
export function refuseNotBuilt(settings: Settings): void {
  const asked = notBuilt.settings
    .filter((name) => settings[name] !== false && settings.originOf(name).from !== "default")
    .map((name) => `${settings.originOf(name).name} ${notBuiltYet}`);
  if (asked.length > 0) throw new SettingsError(asked.join("\n"));
}
