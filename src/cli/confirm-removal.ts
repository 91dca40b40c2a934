import { createInterface } from "node:readline/promises";
import { SettingsError } from "../model/errors.js";
import { countText } from "../model/number-text.js";
import { describeTarget } from "../model/redis-target.js";
import type { RunOptions } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import { wrapText } from "../report/wrap-text.js";
import type { Listing } from "../source/list-sessions.js";
import { screenColumns } from "./screen.js";

const word = "remove";
const typeWord = `Type "${word}" to begin (or give --yes): `;

/** Where a person can be asked. */
export interface Asked {
  readonly stdin: NodeJS.ReadStream;
  readonly terminal: NodeJS.WriteStream;
}

export function canAsk({ stdin, terminal }: Asked): boolean {
  return stdin.isTTY === true && terminal.isTTY === true;
}

/** What a person confirms. */
export interface PurgePlan {
  readonly options: RunOptions;
  readonly listing: Listing;
  /** Whether a copy comes first. */
  readonly copies: boolean;
  /** Whether Redis saves to disk; undefined if it does not say. */
  readonly persists: boolean | undefined;
}

/**
 * Asks before a purge of what Redis is proven to hold. If Redis may not keep it, the answer must be
 * the word `remove`.
 * @throws SettingsError if the person declines.
 */
export async function confirmPurge(plan: PurgePlan, asked: Asked, stop: AbortSignal): Promise<void> {
  const { options, listing, copies, persists } = plan;
  const files = describeFiles(listing);
  const redis = describeTarget(options.target.redis);
  const removal = copies
    ? `This copies ${files} to ${redis}, then removes each file that Redis is proven to hold.`
    : `This removes ${files}, each after it was proven to be in ${redis}.`;
  const risk =
    persists === false
      ? "Redis has no persistence: a restart would log out everyone."
      : "Redis does not say whether it saves to disk. If it does not, a restart would log out everyone.";
  const warning = `${removal} After that, Redis has the only copy.`;
  const question = persists ? "Begin? [y/N] (or give --yes): " : typeWord;
  const answer = await askPerson(screen([warning, ...(persists ? [] : [risk])], question), asked, stop);
  if (persists ? /^y(es)?$/i.test(answer) : answer === word) return;
  throw new SettingsError(`not confirmed: nothing was ${copies ? "copied or " : ""}removed`);
}

/**
 * Asks before `purge --unverified`, unless `--yes` was given.
 * @throws SettingsError if the person declines, or nobody can be asked.
 */
export async function confirmUnverified(
  { removal, run: { dryRun } }: RunOptions,
  listing: Listing,
  asked: Asked,
  stop: AbortSignal,
): Promise<void> {
  if (removal.yes || dryRun) return;
  if (!canAsk(asked)) {
    throw new SettingsError("--unverified must be confirmed, and there is no terminal to ask on: add --yes");
  }
  const warning = `This removes ${describeFiles(listing)} without asking whether Redis holds them.`;
  const risk = "Users whose sessions are not in Redis are logged out.";
  const answer = await askPerson(screen([warning, risk], typeWord), asked, stop);
  if (answer !== word) throw new SettingsError("not confirmed: nothing was removed");
}

/** Returns the typed line, or "" if the input ends or the run is stopped first. */
async function askPerson(question: string, { stdin, terminal }: Asked, stop: AbortSignal): Promise<string> {
  if (stop.aborted) return "";
  // Not in raw mode, so Ctrl-C still arrives as a signal.
  const asking = createInterface({ input: stdin, output: terminal, terminal: false, signal: stop });
  const closed = new Promise<string>((resolve) => asking.once("close", () => resolve("")));
  try {
    return (await Promise.race([asking.question(question), closed])).trim();
  } finally {
    asking.close();
  }
}

/** What is about to happen, the risk if there is one, and a question. */
function screen([warning = "", ...risks]: readonly string[], question: string): string {
  const columns = screenColumns();
  const parts = [wrapText("", warning, columns), ...risks.map((risk) => wrapText("  ! ", risk, columns))];
  return [...parts, wrapText("", question.trimEnd(), columns)].join("\n\n").concat(" ");
}

/** `the session files in /srv/a (3), /srv/b (12)`; with a shard `/srv/a (3 of 14)`. */
function describeFiles({ directories }: Listing): string {
  const paths = directories.map(({ directory, count, ofAllShards }) => {
    const all = count === ofAllShards ? "" : ` of ${countText(ofAllShards)}`;
    return `${showablePath(directory)} (${countText(count)}${all})`;
  });
  return `the session files in ${paths.join(", ")}`;
}
