import { exitCodeOfError } from "../../report/exit-code.js";
import type { ClosingWords } from "../../report/termination-log.js";
import type { TextStyle } from "../../report/text-style.js";
import { wrapText } from "../../report/wrap-text.js";
import type { LogFacts, Say } from "../progress/log-line.js";
import { messageColumns, screenColumns } from "../screen.js";

/** What to do after a run: a sentence, a command line for a shell, or one after the other. */
export interface NextStep {
  readonly say?: string;
  readonly command?: string;
}

/**
 * The last line of a run that ended well, `Next  tele-sessions verify`, or what mends what it found.
 * A command line that is too long goes on after a backslash, so that it can still be pasted.
 */
export function stepLine({ say = "", command = "" }: NextStep, word: "Next" | "Mend" = "Next"): string {
  const head = `${word}  `;
  const columns = screenColumns();
  const room = columns - head.length;
  const whole = [say, command].filter((text) => text !== "").join(" ");
  if (command === "" || whole.length <= room) return wrapText(head, whole, columns);
  const below = `\n${" ".repeat(head.length)}`;
  const sentence = say === "" ? head : `${wrapText(head, say, columns)}${below}`;
  return `${sentence}${foldedCommand(command, room).join(below)}`;
}

/** A flag stays beside its value. */
function foldedCommand(command: string, room: number): string[] {
  const parts = command.split(/ (?=-)/);
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length + 3 <= room) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part);
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line));
}

/** The last line of any other run: `Exit 5: not ready`. */
export function exitLine(exitCode: number, why: string, style: TextStyle): string {
  return style.bad(wrapText(`Exit ${exitCode}: `, why, messageColumns()));
}

/** Says the closing words of a run that ended with these errors, and `facts` with the last of them. */
export function sayClosingWords(say: Say, words: ClosingWords, errors: readonly unknown[], facts: LogFacts): void {
  for (const [index, text] of words.errors.entries()) say("error", text, { exitCode: exitCodeOfError(errors[index]) });
  if (words.summary !== "") say("summary", words.summary);
  say("end", words.mend === undefined ? words.end : `${words.mend}\n${words.end}`, facts);
}
