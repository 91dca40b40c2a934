import { redisSettings, type SettingName, settingDefinitions, settingEntries, stepSettings } from "./definitions.js";
import type { SettingDefinition } from "./setting-definition.js";
import type { Environment, SettingSources } from "./setting-sources.js";

/** The settings that say which Redis is meant and how to log in. */
export const connectionSettings = Object.keys(redisSettings) as (keyof typeof redisSettings)[];

/** The switches of `--stop-after-init`. */
export const stepSwitches = Object.keys(stepSettings) as (keyof typeof stepSettings)[];

/** Settings that only one family of variables may give. Any other setting is a group of its own. */
const groups: readonly (readonly SettingName[])[] = [connectionSettings, ["config", "formerConfig"], stepSwitches];

const sentinelVariables = [
  "sentinelHost",
  "sentinelPort",
  "sentinelMaster",
  "sentinelPassword",
  "sentinelUsername",
  "sentinelTls",
] as const satisfies readonly SettingName[];

/** A typed flag hides the variables that give the same thing in another way. */
const hiddenBy: readonly (readonly [flag: SettingName, hidden: readonly SettingName[]])[] = [
  ["url", [...sentinelVariables, "host", "port", "db"]],
  ["host", [...sentinelVariables, "url"]],
  ["sentinel", ["sentinelHost", "sentinelPort", "url", "host", "port"]],
  ["passwordFile", ["password"]],
  ["sentinelPasswordFile", ["sentinelPassword"]],
];

/**
 * The settings whose variables do not count: a flag hides them, they complete a setting that is
 * not set, or they mean nothing to the command.
 */
export function findHiddenVariables(sources: SettingSources): ReadonlySet<SettingName> {
  const { command, typed, environment, byOdoo } = sources;
  const family = byOdoo.has("sentinelHost") ? "odooVariable" : "variable";
  const hasSentinel = typed.sentinel !== undefined || isAnySet(["sentinelHost"], family, environment);
  return new Set([
    ...hiddenBy.flatMap(([flag, hidden]) => (typed[flag] === undefined ? [] : hidden)),
    ...(hasSentinel ? [] : sentinelVariables),
    ...(typed.shardCount === undefined ? (["jobCompletionIndex"] as const) : []),
    ...settingEntries.flatMap(([name, { commands }]) => (commands.includes(command) ? [] : [name])),
  ]);
}

/** The settings to read from Odoo's variables, because no Tele variable of their group is set. */
export function settingsNamedByOdoo(environment: Environment): ReadonlySet<SettingName> {
  const named = settingEntries.filter(([name, { odooVariable }]) => {
    const group = groups.find((names) => names.includes(name)) ?? [name];
    return odooVariable !== undefined && !isAnySet(group, "variable", environment);
  });
  return new Set(named.map(([name]) => name));
}

/** Whether the variables of one family set any of these settings. */
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
