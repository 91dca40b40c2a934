import { parseCommandLine } from "../../../src/cli/command-line/parse-command-line.js";

/** The words after `tele-sessions` in each line of a shell script that starts it. */
export function commandsIn(script: string): readonly (readonly string[])[] {
  return script
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => /(?<=tele-sessions ).*?(?=\||>|$)/.exec(line)?.[0].trim() ?? [])
    .map((command) => command.split(/\s+/).map((word) => word.replace(/^(['"])(.*)\1$/, "$2")));
}

/**
 * Checks that a command line has a command, and names commands and flags that exist.
 * @throws SettingsError
 */
export function checkCommandLine(words: readonly string[]): void {
  const { kind } = parseCommandLine(words, "", 80);
  if (kind === "none" || kind === "version") throw new Error(`tele-sessions ${words.join(" ")} is ${kind}`);
}
