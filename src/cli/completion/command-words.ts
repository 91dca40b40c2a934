import { settingEntries } from "../../settings/definitions.js";
import { type Command, directoryCommands, type SettingDefinition } from "../../settings/setting-definition.js";
import { kinds } from "../../settings/value-kinds.js";
import { commandTexts } from "../command-line/command-texts.js";
import { helpTopics } from "../command-line/help-topics.js";
import { stepFlag } from "../command-line/refusals.js";

/** The shells that completion is printed for. */
export const shells = ["bash", "zsh", "fish"] as const;

/** What may follow a flag: nothing, files, directories, one of these words, or any text. */
export type FlagValue = "none" | "file" | "directory" | "text" | readonly string[];

/** A flag as a shell completes it. */
export interface CompletedFlag {
  /** With its dashes. */
  readonly long: string;
  /** With its dash; most have none. */
  readonly short: string | undefined;
  readonly value: FlagValue;
  readonly isRepeatable: boolean;
  /** One sentence without its full stop. */
  readonly help: string;
}

/** A command as a shell completes it. */
export interface CompletedCommand {
  readonly name: string;
  /** One sentence without its full stop. */
  readonly help: string;
  readonly flags: readonly CompletedFlag[];
  /** What may follow it besides flags: files, or these words. */
  readonly words: "file" | readonly string[];
}

/** What may be typed: flags before a command, and the commands. */
export interface CommandWords {
  readonly flags: readonly CompletedFlag[];
  readonly commands: readonly CompletedCommand[];
}

const helpFlag: CompletedFlag = plain("--help", "print this help", "-h");

/** Everything that a shell completes, from the definitions of the settings and commands. */
export function commandWords(): CommandWords {
  const named = [...directoryCommands, "report"] as const;
  const all = named.map(
    (name): CompletedCommand => ({
      name,
      help: firstSentence(commandTexts[name].description),
      flags: [...flagsOf([name]), helpFlag],
      words: name === "report" ? "file" : [],
    }),
  );
  const others: readonly CompletedCommand[] = [
    { name: "help", help: "Shows help on a command or a topic", flags: [], words: [...named, ...helpTopics] },
    { name: "completion", help: "Prints the completion of a shell", flags: [helpFlag], words: shells },
  ];
  return {
    flags: [
      ...flagsOf(["copy", "stop-after-init"]),
      plain(stepFlag, "do what the TELE_SESSION_REDIS* switches say, then exit"),
      helpFlag,
      plain("--version", "print the version", "-V"),
    ],
    commands: [...all, ...others],
  };
}

/** Every flag that takes a value, whatever the command. */
export function flagsWithValue(): readonly string[] {
  return settingEntries.flatMap(([, { flag, kind }]) => (flag === undefined || kind === kinds.switch ? [] : [flag]));
}

function flagsOf(commands: readonly Command[]): readonly CompletedFlag[] {
  return settingEntries.flatMap(([, definition]) => {
    const { flag, usage, repeatable, help } = definition;
    const isTaken = commands.some((command) => definition.commands.includes(command));
    if (flag === undefined || !isTaken) return [];
    return [
      {
        long: flag,
        short: /^(-\w), /.exec(usage ?? "")?.[1],
        value: valueAfter(definition),
        isRepeatable: repeatable === true,
        help: help.replaceAll("`", ""),
      },
    ];
  });
}

function plain(long: string, help: string, short?: string): CompletedFlag {
  return { long, short, value: "none", isRepeatable: false, help };
}

function valueAfter({ kind, flag }: SettingDefinition): FlagValue {
  if (kind === kinds.switch) return "none";
  if (kind === kinds.path) return flag === "--session-dir" ? "directory" : "file";
  return kind.choices ?? "text";
}

function firstSentence(text: string): string {
  return text.split(/\. |\.$/)[0] ?? text;
}
