import type { ShownSetting } from "../../model/run-options.js";
import { settingEntries } from "../../settings/definitions.js";
import type { Command, SettingDefinition } from "../../settings/setting-definition.js";
import { masked } from "../../settings/show-settings.js";
import { shellWord } from "./shell-word.js";

/** What another command needs too. */
const carriedGroups: ReadonlySet<string> = new Set([
  "Session files",
  "Sessions",
  "Redis",
  "TLS",
  "Sentinel and Cluster",
  "Keys and lifetimes",
]);

/**
 * A command line for a shell: the command, then the flags that were typed and say which directory,
 * which Redis and which keys, as far as the command takes them, then `more`. A value that holds a
 * secret is replaced by its variable.
 */
export function commandText(
  command: Exclude<Command, "stop-after-init">,
  shown: readonly ShownSetting[],
  more: readonly string[] = [],
): string {
  const flags = withShard(shown).flatMap((setting) => {
    const definition = definitionOf(setting);
    const isCarried = definition !== undefined && carriedGroups.has(definition.group);
    return isCarried && definition.commands.includes(command) ? [flagText(setting, definition)] : [];
  });
  return ["tele-sessions", command, ...flags, ...more].join(" ");
}

/** The command line that was typed, without `-n` and `--dry-run`. */
export function sameCommandText(command: Exclude<Command, "stop-after-init">, shown: readonly ShownSetting[]): string {
  const flags = withShard(shown).flatMap((setting) => {
    const definition = definitionOf(setting);
    return definition === undefined || setting.name === "--dry-run" ? [] : [flagText(setting, definition)];
  });
  return ["tele-sessions", command, ...flags].join(" ");
}

/** With `--shard 1/4` for `--shard-count 4`, which needs the variable of the job. */
function withShard(shown: readonly ShownSetting[]): readonly ShownSetting[] {
  const index = shown.find(({ name }) => name === "JOB_COMPLETION_INDEX")?.value;
  return shown.map((setting) => {
    if (setting.name !== "--shard-count") return setting;
    const value = `${Number(index) + 1}/${setting.value}`;
    return { name: "--shard", value, typed: value, origin: "--shard" };
  });
}

/** Undefined unless the setting was typed as a flag. */
function definitionOf({ name, origin }: ShownSetting): SettingDefinition | undefined {
  if (name !== origin) return undefined;
  return settingEntries.find(([, { flag }]) => flag === name)?.[1];
}

function flagText({ name, value, typed = value }: ShownSetting, { usage, variable }: SettingDefinition): string {
  const takesValue = usage?.includes("<") ?? false;
  if (!takesValue) return name;
  // What may be a session id is not shown whole, not even in a path.
  const isCut = value.includes("…") && !typed.includes("…");
  return value.includes(masked) ? `${name} "$${variable}"` : `${name} ${shellWord(isCut ? value : typed)}`;
}
