import { Command as Commander, CommanderError, Option } from "commander";
import { SettingsError } from "../../model/errors.js";
import { type SettingName, settingEntries } from "../../settings/definitions.js";
import {
  type Command,
  type DirectoryCommand,
  directoryCommands,
  type SettingDefinition,
} from "../../settings/setting-definition.js";
import type { TypedFlags } from "../../settings/setting-sources.js";
import { kinds } from "../../settings/value-kinds.js";
import { commandTexts } from "./command-texts.js";
import { helpScreen } from "./help-screen.js";
import { helpTopics, topicText } from "./help-topics.js";
import { hostHint, refusalText, stepFlag, unknownTopicText } from "./refusals.js";

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help" | "version"; readonly text: string }
  /** No command was given: `text` is the help screen. */
  | { readonly kind: "none"; readonly text: string }
  | { readonly kind: DirectoryCommand | "stop-after-init"; readonly typed: TypedFlags }
  | { readonly kind: "completion"; readonly shell: string }
  | { readonly kind: "report"; readonly files: readonly string[]; readonly typed: TypedFlags };

/**
 * Parses a command line, given without the program's name. It does not check the values:
 * `resolveRunOptions` does. Help is `columns` wide.
 * @throws SettingsError which names flags and commands, but no value that was typed.
 */
export function parseCommandLine(commandLine: readonly string[], version: string, columns: number): Invocation {
  const printed: string[] = [];
  const chosen: Invocation[] = [];
  const root = makeProgram(version, columns, (text) => printed.push(text));
  const step = new Option(stepFlag);
  root.addOption(step);
  const rootOptions = addSettings(root, ["copy", "stop-after-init"]);
  for (const name of [...directoryCommands, "report"] as const) {
    const { usage = "[options]", description, examples } = commandTexts[name];
    const command = root
      .command(name)
      .description(description)
      .usage(usage)
      .addHelpText("after", () => afterHelp(examples));
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

  root.command("help [words...]").action((words: readonly string[]) => {
    printed.push(printHelp(root, words, columns));
    chosen.push({ kind: "help", text: printed.join("") });
  });

  root
    .command("completion <shell>")
    .description("Prints the completion of bash, zsh or fish.")
    .action((shell: string) => {
      chosen.push({ kind: "completion", shell });
    });

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
        return { kind: "none", text: root.helpInformation() };
      default:
        throw new SettingsError(refusalText(error, collect(root, rootOptions).sessionDir !== undefined));
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
  const program = new Commander("tele-sessions")
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
    .exitOverride();
  program.helpInformation = () => helpScreen(version);
  return program;
}

/** What `help` shows: the screen or a topic. Commander prints the help of a command itself. */
function printHelp(root: Commander, [word, ...more]: readonly string[], columns: number): string {
  if (word === undefined) return root.helpInformation();
  const spelt = word.toLowerCase().replaceAll("_", "-");
  const topic = helpTopics.find((one) => one === spelt);
  const command = root.commands.find((one) => one.name() === spelt);
  if (more.length > 0 || (topic ?? command) === undefined) throw new SettingsError(unknownTopicText());
  if (topic !== undefined) return topicText(topic, columns);
  command?.outputHelp();
  return "";
}

/** The end of a command's help. */
function afterHelp(examples: readonly string[]): string {
  const lines = examples.map((example) => `  tele-sessions ${example}`);
  return `
Examples:
${lines.join("\n")}

More: tele-sessions help ${helpTopics.join(" | ")}`;
}

/** Adds the flags of every setting that one of `commands` takes. */
function addSettings(commander: Commander, commands: readonly Command[]): SettingOptions {
  const options = new Map<SettingName, Option>();
  for (const [name, definition] of settingEntries) {
    const { usage, repeatable, group } = definition;
    if (usage === undefined || !commands.some((command) => definition.commands.includes(command))) continue;
    const option = new Option(usage, describe(definition)).helpGroup(`${group}:`);
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
