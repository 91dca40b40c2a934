import { SettingsError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import { describeTarget } from "../model/redis-target.js";
import type { RunOptions } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import type { Listing } from "../source/list-sessions.js";
import { type Asked, askPerson, canAsk } from "./ask-person.js";

const word = "remove";

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
  const redis = `Redis at ${describeTarget(options.target.redis)}`;
  const removal = copies
    ? `This copies ${files} to ${redis}, then removes each file that Redis is proven to hold.`
    : `This removes ${files}, each after it was proven to be in ${redis}.`;
  const risk =
    persists === false
      ? "Redis has no persistence: a restart would log everyone out."
      : "Redis does not say whether it saves to disk. If it does not, a restart would log everyone out.";
  const question = persists
    ? "Continue? (--yes skips this question) [y/N] "
    : `  ! ${risk}\nType "${word}" to continue (--yes skips this question): `;
  const warning = `${removal}\nAfter that, Redis has the only copy.`;
  const answer = await askPerson(`${warning}\n${question}`, asked, stop);
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
  const answer = await askPerson(`${warning}\nType "${word}" to continue: `, asked, stop);
  if (answer !== word) throw new SettingsError("not confirmed: nothing was removed");
}

/** `3 session files in /srv/a, /srv/b`. */
function describeFiles({ count, directories }: Listing): string {
  const paths = directories.map(({ directory }) => showablePath(directory));
  return `${countOf(count, "session file")} in ${paths.join(", ")}`;
}
