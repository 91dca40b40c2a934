import { countSessionFiles } from "../migrate/session-scan.js";
import { SettingsError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import { showablePath } from "../model/showable.js";
import { type Asked, askPerson } from "./ask-person.js";

const namesAtATime = 1024;
const noPersistence = "Redis has no persistence:";
const unknownPersistence = "Redis does not tell whether it saves to disk. If it does not,";

/** What a person is told before they answer. */
export interface PurgePlan {
  readonly doing: "copy" | "purge";
  readonly directories: readonly string[];
  /** `host:port/db`. */
  readonly redis: string;
  /** Whether Redis saves to a disk; `undefined` if it does not tell. */
  readonly persists: boolean | undefined;
}

/**
 * Asks a person before session files go that Redis is proven to hold; if Redis may forget them, a word is to be typed.
 * Throws `SettingsError` if they decline.
 */
export async function confirmPurge(plan: PurgePlan, asked: Asked, stop: AbortSignal): Promise<void> {
  const { doing, directories, redis, persists } = plan;
  const scan = { directories, batchSize: namesAtATime, sample: null, restores: false, warn: () => undefined };
  const files = countOf(await countSessionFiles(scan, stop), "session file");
  const where = directories.map(showablePath).join(", ");
  const what =
    doing === "copy"
      ? `This copies ${files} in ${where} to Redis at ${redis}, then removes each file that Redis is proven to hold.`
      : `This removes ${files} in ${where}, each after it was proven to be in Redis at ${redis}.`;
  const question =
    persists === true
      ? "Go on? (--yes answers this) [y/N] "
      : `  ! ${persists === false ? noPersistence : unknownPersistence} a restart would log out everyone.\nType "remove" to go on (--yes answers this): `;
  const answer = await askPerson(`${what}\nAfter that, Redis has the only copy.\n${question}`, asked, stop);
  if (persists === true ? /^y(es)?$/i.test(answer) : answer === "remove") return;
  throw new SettingsError(`not confirmed: nothing was ${doing === "copy" ? "copied or " : ""}removed`);
}
