import type { SettingName } from "./definitions.js";
import type { Command, ConnectedCommand } from "./setting-definition.js";

/**
 * What the contract has and this version refuses by name. A row removed here is a feature switched on: flags, variables, help
 * and the table in docs/settings.md take it up by themselves.
 */
export const notBuilt: {
  readonly commands: readonly Exclude<Command, ConnectedCommand | "stop-after-init">[];
  readonly settings: readonly SettingName[];
} = {
  commands: ["inspect", "check"],
  settings: [
    "shard",
    "shardCount",
    "sentinel",
    "sentinelHost",
    "sentinelMaster",
    "sentinelPasswordFile",
    "cluster",
    "skipCheck",
    "probe",
  ],
};

/** What every refusal of it says. */
export const notBuiltYet = "is not built yet in this version";

/** Whether this version refuses the setting; what is only of use beside refused ones counts too. */
export function isNotBuilt(name: SettingName): boolean {
  const needs = companions[name] ?? [name];
  return needs.every((needed) => notBuilt.settings.includes(needed));
}

/** Variables that say nothing without another setting: they are passed over, not refused, where that is not set. */
const companions: { readonly [Name in SettingName]?: readonly SettingName[] } = {
  sentinelPort: ["sentinelHost"],
  sentinelPassword: ["sentinelHost"],
  sentinelUsername: ["sentinelHost"],
  sentinelTls: ["sentinelHost"],
  jobCompletionIndex: ["shardCount"],
};
