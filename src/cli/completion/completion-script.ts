import { SettingsError } from "../../model/errors.js";
import { bashCompletion } from "./bash-completion.js";
import { commandWords, shells } from "./command-words.js";
import { fishCompletion } from "./fish-completion.js";
import { zshCompletion } from "./zsh-completion.js";

/**
 * The script by which a shell completes what this program takes.
 * @throws SettingsError for a shell that it does not know.
 */
export function completionScript(name: string): string {
  const shell = shells.find((one) => one === name);
  // The word may be anything, such as a URL with its password.
  if (shell === undefined) throw new SettingsError(`completion takes ${shells.join(", ")}`);
  return { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell](commandWords());
}
