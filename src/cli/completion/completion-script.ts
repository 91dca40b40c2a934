import { bashCompletion } from "./bash-completion.js";
import { commandWords, type Shell } from "./command-words.js";
import { fishCompletion } from "./fish-completion.js";
import { zshCompletion } from "./zsh-completion.js";

/** The script by which a shell completes what this program takes. */
export function completionScript(shell: Shell): string {
  return { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell](commandWords());
}
