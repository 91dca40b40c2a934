import { commandTexts } from "../../../src/cli/command-line/command-texts.js";
import { exitCodes } from "../../../src/report/exit-code.js";
import { settingEntries } from "../../../src/settings/definitions.js";
import type { SettingDefinition } from "../../../src/settings/setting-definition.js";
import { kinds } from "../../../src/settings/value-kinds.js";

/** The manual page, docs/tele-sessions.1, in the macros of man(7). */
export function manualPage(version: string): string {
  const settings = settingEntries.map(([, definition]) => definition);
  const groups = groupsOf(settings);
  const lines = [
    '.\\" Made by npm run docs.',
    `.TH TELE\\-SESSIONS 1 "" "tele\\-sessions ${escaped(version)}" "User Commands"`,
    ".SH NAME",
    "tele\\-sessions \\- move the web sessions of a Tele or Odoo server from files into Redis",
    ".SH SYNOPSIS",
    ...Object.entries(commandTexts).map(
      ([name, { usage = "[options]" }]) => `.B tele\\-sessions ${name}\n${escaped(usage)}\n.br`,
    ),
    ".B tele\\-sessions \\-\\-stop\\-after\\-init\n[options]",
    ".SH DESCRIPTION",
    text(
      "Moves the sessions of a live server from its session directory into Redis, byte for byte, so that the server " +
        "can switch to session_redis and nobody is logged out. A copy only reads the files. A purge removes those " +
        "whose sessions Redis is proven to hold, and no others.",
    ),
    ".SH COMMANDS",
    ...Object.entries(commandTexts).map(([name, { description }]) => item(`.B ${name}`, description)),
    item(".B completion \\fIshell\\fP", "Prints the completion of bash, zsh or fish."),
    item(".B \\-\\-stop\\-after\\-init", "Does what the TELE_SESSION_REDIS* switches say, then exits."),
    ".SH OPTIONS",
    text("A flag overrides its variable, which overrides tele.conf, which overrides the default."),
    ...[...groups].flatMap(([group, all]) => {
      const flags = all.filter(({ usage }) => usage !== undefined);
      return flags.length === 0 ? [] : [`.SS ${escaped(group)}`, ...flags.map(optionItem)];
    }),
    ".SH ENVIRONMENT",
    text("An empty variable counts as unset. Odoo's names count where Tele's are unset."),
    ...settings.flatMap(({ variable, flag, help }) =>
      variable === undefined ? [] : [item(`.B ${escaped(variable)}`, flag === undefined ? `${help}.` : `As ${flag}.`)],
    ),
    ".SH EXIT STATUS",
    ...exitCodes
      .toSorted((one, other) => one.code - other.code)
      .map(({ code, meaning, todo }) => item(`.B ${code}`, `${meaning}.${todo === null ? "" : ` To do: ${todo}.`}`)),
    ".SH EXAMPLES",
    ".nf",
    ...Object.values(commandTexts).flatMap(({ examples }) =>
      examples.map((example) => `tele\\-sessions ${escaped(example)}`),
    ),
    ".fi",
    ".SH SEE ALSO",
    text("The documents in the package's folder docs; tele-sessions --help."),
  ];
  return `${lines.join("\n")}\n`;
}

function groupsOf(settings: readonly SettingDefinition[]): ReadonlyMap<string, SettingDefinition[]> {
  const groups = new Map<string, SettingDefinition[]>();
  for (const one of settings) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}

function optionItem({ usage = "", help, kind, variable, repeatable, ...rest }: SettingDefinition): string {
  const fallback = kind === kinds.switch ? undefined : (rest.default ?? rest.defaultShown);
  const facts = [
    `${help}.`,
    ...(kind === kinds.switch || kind === kinds.path ? [] : [`It takes ${kind.takes}.`]),
    ...(repeatable ? ["It may be repeated."] : []),
    ...(fallback === undefined ? [] : [`Default: ${fallback}.`]),
    ...(variable === undefined ? [] : [`Variable: ${variable}.`]),
    `Commands: ${rest.commands.join(", ")}.`,
  ];
  const [, flags = "", value] = /^(.*?)(?: <(.*)>)?$/.exec(usage) ?? [];
  return item(`.BR ${quotedWord(flags)}${value === undefined ? "" : ` " \\fI${escaped(value)}\\fP"`}`, facts.join(" "));
}

function quotedWord(words: string): string {
  return `"${escaped(words)}"`;
}

function item(tag: string, meaning: string): string {
  return `.TP\n${tag}\n${text(meaning)}`;
}

/** A paragraph; what the source calls code is plain here. */
function text(sentences: string): string {
  const capital = sentences.charAt(0).toUpperCase() + sentences.slice(1);
  return capital
    .replaceAll("`", "")
    .split(/(?<=[.?!]) /)
    .map((sentence) => escaped(sentence))
    .join("\n");
}

/** For roff: backslashes, hyphens that can be copied, and no line that looks like a request. */
function escaped(line: string): string {
  return line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replace(/^(?=[.'])/, "\\&");
}
