import type { CommanderError } from "commander";
import { settingDefinitions } from "../../settings/definitions.js";
import type { SettingDefinition } from "../../settings/setting-definition.js";
import { commandTexts } from "./command-texts.js";
import { helpTopics } from "./help-topics.js";

/** The switch that takes no command. */
export const stepFlag = "--stop-after-init";

const tooManyArguments =
  "too many arguments: name session directories with --session-dir. " +
  "If the shell expanded a glob, put the glob in quotes or repeat --session-dir before each directory";

/**
 * Words an error without values: commander's own message would show `--password=hunter2`. After
 * `--session-dir`, a word unlike any command is the rest of an expanded glob.
 */
export function refusalText({ code, message }: CommanderError, hasDirectory: boolean): string {
  const plain = message.replace(/^error: /, "");
  const suggestion = /\n\(Did you mean [^\n]*\)$/.exec(plain)?.[0] ?? "";
  switch (code) {
    case "commander.optionMissingArgument":
      return plain;
    case "commander.missingArgument":
      if (plain.includes("'shell'")) return "name the shell: tele-sessions completion bash, zsh or fish";
      return "name the report files: tele-sessions report copy.json --html copy.html";
    case "commander.excessArguments":
      return tooManyArguments;
    case "commander.unknownCommand":
      return describeUnknownCommand(plain, suggestion, hasDirectory);
    case "commander.unknownOption":
      return describeUnknownOption(plain, suggestion);
    default:
      return "this command line is not valid; see tele-sessions --help";
  }
}

/** The refusal of `help <word>` for a word that has no help. */
export function unknownTopicText(): string {
  const known = [...Object.keys(commandTexts), ...helpTopics];
  return `there is no help on that: tele-sessions help takes ${known.join(", ")}`;
}

/** Shows the word only if it is a plain host name: anything else may be a secret. */
export function hostHint(word = ""): string {
  const host = /^[a-z0-9][a-z0-9.-]{0,38}$/i.test(word) ? word : "redis.example";
  return `-h is help; the host is --host ${host}`;
}

function describeUnknownCommand(message: string, suggestion: string, hasDirectory: boolean): string {
  const [, word = ""] = /'([a-z][a-z_-]{1,30})'/i.exec(message) ?? [];
  const spelt = word.toLowerCase().replaceAll("_", "-");
  if (Object.hasOwn(commandTexts, spelt)) return `unknown command '${word}'\n(Did you mean ${spelt}?)`;
  if (`--${spelt}` === stepFlag) return `${spelt} is a flag: tele-sessions ${stepFlag}`;
  const definition = definitionOf(`--${spelt}`);
  if (definition !== undefined) {
    const command = definition.commands.includes("copy") ? "copy" : definition.commands[0];
    return `${spelt} is a flag: tele-sessions ${command} --${spelt}`;
  }
  if (suggestion) return message;
  // The word may be anything, such as a URL with its password.
  return hasDirectory ? tooManyArguments : "unknown command; tele-sessions --help lists them";
}

function describeUnknownOption(message: string, suggestion: string): string {
  const [, name = ""] = /'(--[a-z][a-z_-]{1,30}(?![\w-])|-[a-z](?![a-z]*-))/i.exec(message) ?? [];
  if (definitionOf(name) !== undefined) {
    return message.includes(`'${name}=`) ? `option ${name} takes no value` : `this command takes no option ${name}`;
  }
  if (name === "-h") return hostHint();
  if (name === "-p") return "unknown option '-p'; the port is --port";
  const spelt = name.toLowerCase().replaceAll("_", "-");
  if (spelt === stepFlag || definitionOf(spelt) !== undefined) {
    return `unknown option '${name}'\n(Did you mean ${spelt}?)`;
  }
  if (/^--(pass|auth)|^-a$/.test(name)) {
    return "unknown option: no flag takes a password; use --password-file or TELE_SESSION_REDIS_PASSWORD";
  }
  return name === "" ? "unknown option; see tele-sessions --help" : `unknown option '${name}'${suggestion}`;
}

function definitionOf(flag: string): SettingDefinition | undefined {
  const definitions = Object.values<SettingDefinition>(settingDefinitions);
  return definitions.find(({ usage }) => usage?.split(/,? /).includes(flag));
}
