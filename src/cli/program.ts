import { Command as Commander, CommanderError, Help, Option } from "commander";
import { SettingsError } from "../model/errors.js";
import { exitCodes } from "../report/exit-code.js";
import { type SettingName, settingDefinitions, settingEntries } from "../settings/definitions.js";
import { isNotBuilt } from "../settings/not-built.js";
import type { TypedFlags } from "../settings/read-settings.js";
import {
  type Command,
  type DirectoryCommand,
  directoryCommands,
  type SettingDefinition,
} from "../settings/setting-definition.js";
import { kinds } from "../settings/value-kinds.js";

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help" | "version"; readonly text: string }
  | { readonly kind: DirectoryCommand | "stop-after-init"; readonly typed: TypedFlags }
  | { readonly kind: "report"; readonly files: readonly string[]; readonly typed: TypedFlags };

const synopsis =
  "tele-sessions copy|purge|verify [options]\n       tele-sessions --stop-after-init [options of copy]";
const description =
  "Moves the web sessions of a live Tele or Odoo server from its session directory into Redis, " +
  "so that nobody is logged out.";
const descriptions: Readonly<Record<DirectoryCommand | "report", string>> = {
  inspect: "show what is in the session directory, and the Redis memory it needs",
  check: "say whether a copy can succeed, and what to fix; changes nothing",
  copy: "copy every session into Redis; with --purge, then purge",
  purge: "remove the files of sessions that Redis is proven to hold",
  verify: "compare every session file with Redis",
  report: "turn report files into one HTML page",
};
const stepFlag = "--stop-after-init";
const stepHelp = "the pre-deploy step: do what the TELE_SESSION_REDIS* switches say, then exit";

/**
 * Parses a command line, given without the program's name. It does not check the values:
 * `resolveRunOptions` does. Help is `columns` wide.
 * @throws SettingsError which names flags and commands, but no value that was typed.
 */
export function parseCommandLine(
  commandLine: readonly string[],
  version: string,
  columns: number,
): Invocation {
  const printed: string[] = [];
  const chosen: Invocation[] = [];
  const root = makeProgram(version, columns, (text) => printed.push(text));
  const step = new Option(stepFlag, stepHelp).helpGroup("Without a command:");
  root.addOption(step);
  const rootOptions = addSettings(root, ["copy", "stop-after-init"]);
  for (const name of [...directoryCommands, "report"] as const) {
    const command = root
      .command(name)
      .description(descriptions[name])
      .usage("[options]")
      .addHelpText("after", () => afterHelp(columns));
    if (name === "report") command.argument("<file...>", "report files");
    const options = addSettings(command, [name]);
    command.addOption(new Option(stepFlag).hideHelp()).action(() => {
      if (isTyped(root, step) || command.opts()["stopAfterInit"])
        throw new SettingsError(`${stepFlag} takes no command, but ${name} was given`);
      const before = collect(root, rootOptions);
      refuseOtherFlags(before, options, name);
      const typed = collect(command, options, before);
      chosen.push(name === "report" ? { kind: name, files: command.args, typed } : { kind: name, typed });
    });
  }

  try {
    root.parse(commandLine, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const text = printed.join("");
    switch (error.code) {
      case "commander.helpDisplayed":
        refuseHostAsHelp(commandLine);
        return { kind: "help", text };
      case "commander.version":
        return { kind: "version", text };
      case "commander.help":
        // Commander shows its help because there is no command.
        if (isTyped(root, step)) return { kind: "stop-after-init", typed: collect(root, rootOptions) };
        throw new SettingsError(`no command given\nUsage: ${synopsis}`);
      default:
        throw new SettingsError(refusal(error, collect(root, rootOptions).sessionDir !== undefined));
    }
  }
  const [invocation] = chosen;
  if (invocation === undefined) throw new Error("a command line chose nothing");
  return invocation;
}

/** Refuses `-h <word>`: in redis-cli, `-h` is the host. */
function refuseHostAsHelp(commandLine: readonly string[]): void {
  const follower = commandLine[commandLine.indexOf("-h") + 1];
  if (commandLine.includes("-h") && follower !== undefined && !follower.startsWith("-")) {
    throw new SettingsError(hostHint(follower));
  }
}

type SettingOptions = ReadonlyMap<SettingName, Option>;

function makeProgram(version: string, columns: number, print: (text: string) => void): Commander {
  return new Commander("tele-sessions")
    .usage(synopsis.replace("tele-sessions ", ""))
    .description(description)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureOutput({
      writeOut: print,
      // Errors come back as exceptions and get their own wording.
      writeErr: () => undefined,
      getOutHelpWidth: () => columns,
      getErrHelpWidth: () => columns,
      getOutHasColors: () => false,
    })
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText("after", () => afterHelp(columns));
}

/**
 * Adds the flags of every setting that one of `commands` takes. Flags that are not built yet are
 * accepted, to be refused by name, but help does not show them.
 */
function addSettings(commander: Commander, commands: readonly Command[]): SettingOptions {
  const options = new Map<SettingName, Option>();
  for (const [name, definition] of settingEntries) {
    const { usage, repeatable, group } = definition;
    const hidden = isNotBuilt(name);
    if (usage === undefined || !(hidden || commands.some((command) => definition.commands.includes(command))))
      continue;
    const option = new Option(usage, describe(definition)).helpGroup(`${group}:`).hideHelp(hidden);
    if (repeatable) option.argParser((value: string, before: string[] = []) => [...before, value]);
    commander.addOption(option);
    options.set(name, option);
  }
  return options;
}

/** Refuses flags before the command that it does not take; commander accepts those of copy. */
function refuseOtherFlags(typed: TypedFlags, options: SettingOptions, name: Command): void {
  const flags = settingEntries
    .filter(([setting]) => typed[setting] !== undefined && !options.has(setting))
    .map(([, { flag }]) => flag);
  if (flags.length > 0) throw new SettingsError(`${name} takes no option ${flags.join(", ")}`);
}

function isTyped(commander: Commander, option: Option): boolean {
  return commander.getOptionValueSource(option.attributeName()) === "cli";
}

/** The flags typed, added to those `before` the command: the later one wins, and lists add up. */
function collect(commander: Commander, options: SettingOptions, before: TypedFlags = {}): TypedFlags {
  const typed = [...options].filter(([, option]) => isTyped(commander, option));
  const flags = typed.map(([name, option]) => {
    const value: unknown = commander.getOptionValue(option.attributeName());
    if (Array.isArray(value)) return [name, [before[name] ?? [], value].flat()];
    return [name, typeof value === "string" ? value : true];
  });
  return { ...before, ...Object.fromEntries(flags) };
}

function describe({ help, kind, variable, default: fixed, defaultShown }: SettingDefinition): string {
  const fallback = kind === kinds.switch ? undefined : (fixed ?? defaultShown);
  const facts = [variable, fallback === undefined ? undefined : `default: ${fallback}`];
  const known = facts.filter((fact) => fact !== undefined);
  return known.length === 0 ? help : `${help} (${known.join("; ")})`;
}

/** The end of help: variables without a flag, precedence, exit codes. */
function afterHelp(columns: number): string {
  const helper = Object.assign(new Help(), { helpWidth: columns });
  const list = (items: readonly (readonly [term: string, meaning: string])[]) => {
    const width = Math.max(...items.map(([term]) => term.length));
    return items.map(([term, meaning]) => helper.formatItem(term, width, meaning, helper)).join("\n");
  };
  const variables = settingEntries.flatMap(([name, { flag, variable, help }]) =>
    flag !== undefined || variable === undefined || isNotBuilt(name) ? [] : [[variable, help] as const],
  );
  const statuses = exitCodes
    .toSorted((one, other) => one.code - other.code)
    .map(({ code, meaning }) => [String(code), meaning] as const);
  return `
Variables without a flag:
${list(variables)}

A flag overrides its environment variable, which overrides tele.conf, which overrides the default.
An empty variable counts as unset. TELECMS_SERVER and ~/.telerc name a tele.conf as TELE_RC does.

EXIT STATUS
${list(statuses)}`;
}

/** Shows the word only if it is a plain host name: anything else may be a secret. */
function hostHint(word = ""): string {
  const host = /^[a-z0-9][a-z0-9.-]{0,38}$/i.test(word) ? word : "redis.example";
  return `-h is help; the host is --host ${host}`;
}

const tooManyArguments =
  "too many arguments: name session directories with --session-dir. " +
  "If the shell expanded a glob, put the glob in quotes or repeat --session-dir before each directory";

/**
 * Words an error without values: commander's own message would show `--password=hunter2`. After
 * `--session-dir`, a word unlike any command is the rest of an expanded glob.
 */
function refusal({ code, message }: CommanderError, hasDirectory: boolean): string {
  const plain = message.replace(/^error: /, "");
  const suggestion = /\n\(Did you mean [^\n]*\)$/.exec(plain)?.[0] ?? "";
  switch (code) {
    case "commander.optionMissingArgument":
      return plain;
    case "commander.excessArguments":
      return tooManyArguments;
    case "commander.unknownCommand":
      if (suggestion) return plain;
      // The word may be anything, such as a URL with its password.
      return hasDirectory ? tooManyArguments : "unknown command; tele-sessions --help lists them";
    case "commander.unknownOption":
      return describeUnknownOption(plain, suggestion);
    default:
      return "this command line is not valid; see tele-sessions --help";
  }
}

function describeUnknownOption(message: string, suggestion: string): string {
  const [, name = ""] = /'(--[a-z][a-z_-]{1,30}(?![\w-])|-[a-z](?![a-z]*-))/i.exec(message) ?? [];
  const definitions = Object.values<SettingDefinition>(settingDefinitions);
  const definition = definitions.find(({ usage }) => usage?.split(/,? /).includes(name));
  if (definition) {
    return message.includes(`'${name}=`)
      ? `option ${name} takes no value`
      : `this command takes no option ${name}`;
  }
  if (name === "-h") return hostHint();
  if (name === "-p") return "unknown option '-p'; the port is --port";
  const spelt = name.toLowerCase().replaceAll("_", "-");
  if (spelt === stepFlag || definitions.some(({ flag }) => flag === spelt)) {
    return `unknown option '${name}'\n(Did you mean ${spelt}?)`;
  }
  if (/^--(pass|auth)|^-a$/.test(name)) {
    return "unknown option: no flag takes a password; use --password-file or TELE_SESSION_REDIS_PASSWORD";
  }
  return name === "" ? "unknown option; see tele-sessions --help" : `unknown option '${name}'${suggestion}`;
}
