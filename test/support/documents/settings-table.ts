import { settingEntries } from "../../../src/settings/definitions.js";
import type { SettingDefinition } from "../../../src/settings/setting-definition.js";
import { kinds } from "../../../src/settings/value-kinds.js";

/** The table of settings in docs/settings.md, as Markdown. */
export function settingsTable(): string {
  const rows = settingEntries.map(([, definition]) => {
    const takes = definition.kind === kinds.switch && !definition.variable ? "" : definition.kind.takes;
    const cells = [
      nameFlag(definition),
      definition.variable ? code(definition.variable) : "",
      escapeTags(definition.help),
      escapeTags(takes),
      escapeTags(definition.default ?? definition.defaultShown ?? "none"),
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| flag | variable | what it does | takes | default |", "|---|---|---|---|---|", ...rows].join("\n");
}

function nameFlag({ usage, repeatable }: SettingDefinition): string {
  if (usage === undefined) return "";
  return code(usage) + (repeatable ? ", repeatable" : "");
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Markdown takes `<name>` for HTML. */
function escapeTags(text: string): string {
  return text.replaceAll("<", "\\<");
}
