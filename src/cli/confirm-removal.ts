import { countSessionFiles } from "../migrate/session-scan.js";
import { SettingsError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { RunOptions } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import { resolveDirectories } from "../source/directories/resolve-directories.js";
import { type Asked, askPerson, canAsk } from "./ask-person.js";

const word = "remove";
const namesAtATime = 1024;

/**
 * Has a person type that session files are to go without Redis being asked. Throws `SettingsError` if it was not confirmed, or nobody can
 * be asked.
 */
export async function confirmRemoval(
  { source, removal, run: { dryRun } }: RunOptions,
  asked: Asked,
  stop: AbortSignal,
): Promise<void> {
  if (removal.yes || dryRun) return;
  if (!canAsk(asked)) {
    throw new SettingsError("--unverified needs --yes if there is no terminal to ask on");
  }
  const directories = await resolveDirectories(source, () => undefined);
  const scan = { directories, batchSize: namesAtATime, sample: null, restores: false, warn: () => undefined };
  const files = countOf(await countSessionFiles(scan, stop), "session file");
  const where = directories.map(showablePath).join(", ");
  const question = `This removes ${files} in ${where} without asking whether Redis holds them.\nType "${word}" to go on: `;
  if ((await askPerson(question, asked, stop)) !== word)
    throw new SettingsError("not confirmed: nothing was removed");
}
