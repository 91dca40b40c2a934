import { type SettingName, settingDefinitions, settingEntries } from "./definitions.js";
import type { Environment } from "./read-settings.js";
import { redisSettingDefinitions } from "./redis-definitions.js";
import type { SettingDefinition } from "./setting-definition.js";

/** The settings that say which Redis is meant and how to get in. */
export const connectionSettings = Object.keys(
  redisSettingDefinitions,
) as readonly (keyof typeof redisSettingDefinitions)[];

/** The switches of `--stop-after-init`. */
export const stepSwitches = ["redisSwitch", "copyExistingSwitch", "purgeExistingSwitch"] as const;

/** Settings that one family of variables gives together. Any other setting is a group of its own. */
const groups: readonly (readonly SettingName[])[] = [
  connectionSettings,
  ["config", "formerConfig"],
  stepSwitches,
];

/** The settings that are read from Odoo's variables, because no Tele variable of their group is set. */
export function settingsNamedByOdoo(environment: Environment): ReadonlySet<SettingName> {
  const named = settingEntries.filter(([name, { odooVariable }]) => {
    const group = groups.find((names) => names.includes(name)) ?? [name];
    return odooVariable !== undefined && !isAnySet(group, "variable", environment);
  });
  return new Set(named.map(([name]) => name));
}

/** Whether one family of variables sets any of these settings. */
export function isAnySet(
  names: readonly SettingName[],
  family: "variable" | "odooVariable",
  environment: Environment,
): boolean {
  return names.some((name) => {
    const definition: SettingDefinition = settingDefinitions[name];
    const variable = definition[family];
    return variable !== undefined && Boolean(environment[variable]);
  });
}
