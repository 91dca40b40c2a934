import type { ShownSetting } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import { type SettingName, settingEntries } from "./definitions.js";
import type { Settings } from "./read-settings.js";
import { parseRedisUrl } from "./redis-url.js";
import type { DirectoryCommand, SettingDefinition } from "./setting-definition.js";
import { kinds } from "./value-kinds.js";

/** What stands for a secret. */
export const masked = "***";

/**
 * The settings that have a value and mean something to the command. `directories`: what the session
 * directory was found to be, and what gave it.
 */
export function showSettings(
  settings: Settings,
  command: DirectoryCommand,
  directories: { readonly names: readonly string[]; readonly origin: string },
): readonly ShownSetting[] {
  return settingEntries.flatMap(([setting, definition]) => {
    const { flag, variable, commands } = definition;
    const name = flag ?? variable ?? setting;
    if (!commands.includes(command) || isReplaced(setting, settings)) return [];
    if (setting === "sessionDir") {
      const { names, origin } = directories;
      return names.map((path) => ({ name, value: showablePath(path), typed: path, origin: showablePath(origin) }));
    }
    const { from, name: source } = settings.originOf(setting);
    const origin = from === "default" ? "default" : source;
    return settings.textsOf(setting).map((text) => ({
      name,
      value: maskedText(text, definition),
      ...(from === "default" || definition.secret === true ? {} : { typed: text }),
      origin,
    }));
  });
}

/** A Sentinel says where Redis is, whatever the others say; else a URL, whatever host and port say. */
function isReplaced(setting: SettingName, { url, sentinel, sentinelHost }: Settings): boolean {
  if (sentinel || sentinelHost) return ["url", "host", "port"].includes(setting);
  return url !== null && ["host", "port", "db"].includes(setting);
}

/** Hides a secret, and the login and the options of a URL. */
function maskedText(text: string, { kind, secret }: SettingDefinition): string {
  if (secret !== true) return showablePath(text);
  return kind === kinds.url ? showablePath(maskedUrl(text)) : masked;
}

/** Put together anew from its parts: a password may hold a slash, and reach into the path. */
function maskedUrl(text: string): string {
  const url = parseRedisUrl(text);
  if ("problem" in url) return masked;
  const { scheme, address, db, username, password } = url;
  const login = username === undefined && password === undefined ? "" : `${masked}@`;
  const hasOptions = /[?&](?!db=)[^=&]+=/.test(text);
  if ("path" in address) return `${scheme}://${login}${address.path}?db=${db}${hasOptions ? `&${masked}` : ""}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${scheme}://${login}${host}:${address.port}/${db}${hasOptions ? `?${masked}` : ""}`;
}
