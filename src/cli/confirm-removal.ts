import { createInterface } from "node:readline/promises";
import { SettingsError } from "../model/errors.js";
import { showablePath } from "../model/showable.js";
import { resolveDirectories } from "../source/resolve-directories.js";
import type { CommandSettings } from "./command-settings.js";
import { countOf } from "./number-text.js";
import { countSessionFiles } from "./session-scan.js";

const word = "remove";
const namesAtATime = 1024;

/** Where a person is asked. */
export interface Asked {
  readonly stdin: NodeJS.ReadStream;
  readonly terminal: NodeJS.WriteStream;
}

/**
 * Has a person type that session files are to go without Redis being asked. Throws `SettingsError` where it was not confirmed, or nobody can
 * be asked.
 */
export async function confirmRemoval(
  { source, removal, run: { dryRun } }: CommandSettings,
  { stdin, terminal }: Asked,
  stop: AbortSignal,
): Promise<void> {
  if (removal.yes || dryRun) return;
  if (stdin.isTTY !== true || terminal.isTTY !== true) {
    throw new SettingsError("--unverified needs --yes where no terminal is to ask on");
  }
  const directories = await resolveDirectories(source, () => undefined);
  const scan = { directories, batchSize: namesAtATime, sample: null, restores: false, warn: () => undefined };
  const files = countOf(await countSessionFiles(scan, stop), "session file");
  const where = directories.map(showablePath).join(", ");
  const question = `This removes ${files} in ${where} without asking whether Redis holds them.\nType "${word}" to go on: `;
  if ((await answerTo(question, { stdin, terminal }, stop)) !== word)
    throw new SettingsError("not confirmed: nothing was removed");
}

/** What is typed, up to its line end; empty where the input ends or the run is to stop before. */
async function answerTo(question: string, { stdin, terminal }: Asked, stop: AbortSignal): Promise<string> {
  if (stop.aborted) return "";
  // The terminal stays as it is: Ctrl-C comes as the signal that it always is.
  const asking = createInterface({ input: stdin, output: terminal, terminal: false });
  const closed = new Promise<string>((resolve) => asking.once("close", () => resolve("")));
  const close = () => asking.close();
  stop.addEventListener("abort", close);
  try {
    return (await Promise.race([asking.question(question), closed])).trim();
  } finally {
    stop.removeEventListener("abort", close);
    close();
  }
}
