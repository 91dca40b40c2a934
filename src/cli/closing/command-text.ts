import type { ShownSetting } from "../../model/run-options.js";
import { settingEntries } from "../../settings/definitions.js";
import type { DirectoryCommand, SettingDefinition } from "../../settings/setting-definition.js";
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
  command: DirectoryCommand,
  shown: readonly ShownSetting[],
  more: readonly string[] = [],
): string {
  const flags = typedFlags(shown).filter(
    ([, { group, commands }]) => carriedGroups.has(group) && commands.includes(command),
  );
  return ["tele-sessions", command, ...flags.map(flagText), ...more].join(" ");
}

/** The command line that was typed, without `-n` and `--dry-run`. */
export function sameCommandText(command: DirectoryCommand, shown: readonly ShownSetting[]): string {
  const flags = typedFlags(shown).filter(([{ name }]) => name !== "--dry-run");
  return ["tele-sessions", command, ...flags.map(flagText)].join(" ");
}

type TypedFlag = readonly [setting: ShownSetting, definition: SettingDefinition];

/**
 * The settings that were typed as flags, with `--shard 1/4` for `--shard-count 4`, which needs the
 * variable of the job.
 */
function typedFlags(shown: readonly ShownSetting[]): readonly TypedFlag[] {
  const index = shown.find(({ name }) => name === "JOB_COMPLETION_INDEX")?.value;
  return shown.flatMap((setting) => {
    const value = `${Number(index) + 1}/${setting.value}`;
    const isCount = setting.name === "--shard-count";
    const given = isCount ? { name: "--shard", value, typed: value, origin: "--shard" } : setting;
    const definition = settingEntries.find(([, { flag }]) => flag === given.name)?.[1];
    return given.name !== given.origin || definition === undefined ? [] : [[given, definition] as const];
  });
}

function flagText([{ name, value, typed = value }, { usage, variable }]: TypedFlag): string {
  const takesValue = usage?.includes("<") ?? false;
  if (!takesValue) return name;
  // What may be a session id is not shown whole, not even in a path.
  const isCut = value.includes("…") && !typed.includes("…");
  return value.includes(masked) ? `${name} "$${variable}"` : `${name} ${shellWord(isCut ? value : typed)}`;
}
