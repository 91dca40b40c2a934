import { bytesText, countOf, countText, durationText } from "../../model/number-text.js";
import type { MemoryState, PhaseName, ProgressState, WaitState } from "../../model/progress/progress-state.js";
import { showablePath } from "../../model/showable.js";

/** `copying 71%, 855,075 of 1,204,331, 41,200/s, about 8 s left, 12 FAILED`. */
export function progressText(state: ProgressState): string {
  const { phase, total, done, outcomes } = state;
  const share = percentText(done, total);
  const parts = [share === "" ? phase : `${phase} ${share}`, countPart(state), ratePart(state), leftPart(state)];
  const failed = outcomes.failed ?? 0;
  if (failed > 0) parts.push(`${countText(failed)} FAILED`);
  return parts.filter((part) => part !== "").join(", ");
}

/** Everything that is known, in one line: the answer to SIGUSR1 and SIGUSR2. */
export function stateText(state: ProgressState): string {
  const { pass, purge, wait, seconds, threads, memory } = state;
  const parts = [
    wait === null ? "" : waitText(state, wait),
    progressText(state),
    pass === null ? "" : `pass ${pass}`,
    purge === null ? "" : `block ${purge.block} of ${purge.blocks}, ${removedText(purge)}`,
    ...outcomeParts(state).filter((part) => !part.startsWith("FAILED")),
    memory === null ? "" : memoryText(memory),
    countOf(threads, "thread"),
    `${wholeSeconds(seconds)} elapsed`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function removedText({ removed, left }: { readonly removed: number; readonly left: number }): string {
  return `removed ${countText(removed)}${left === 0 ? "" : `, ${countText(left)} left`}`;
}

/** `Copying 1,204,331 session files from /var/lib/tele/sessions to redis-1:6379/0`. */
export function startText({ phase, directories, dryRun, purge, total, ...rest }: ProgressState): string {
  const redis = redisText(rest);
  const files = countOf(purge?.toRemove ?? total ?? 0, "session file");
  const paths = pathsText(directories);
  const isRehearsed = dryRun ? " (dry run: nothing is changed)" : "";
  switch (phase) {
    case "comparing":
      return `Comparing ${files} in ${paths} with ${redis}`;
    case "exporting":
      return `Exporting ${countOf(total ?? 0, "session")} from ${redis} to ${paths}${isRehearsed}`;
    case "proving":
    case "removing": {
      const proof = redis === null ? "without asking Redis" : `comparing each with ${redis} first`;
      return `Removing ${files} from ${paths}, ${proof}${isRehearsed}`;
    }
    default:
      if (redis === null) return `Reading ${files} in ${paths}`;
      return `Copying ${files} from ${paths} to ${redis}${isRehearsed}`;
  }
}

/** What a phase is called at the start of a line. */
const titles: Readonly<Record<PhaseName, string>> = {
  listing: "Listing",
  asking: "Waiting for an answer",
  connecting: "Connecting to",
  preparing: "Preparing:",
  copying: "Copying",
  reading: "Reading",
  exporting: "Exporting from",
  settling: "Copying what changed in",
  comparing: "Comparing",
  proving: "Removing from",
  removing: "Removing from",
  finishing: "Finishing",
};

/** What a phase does, in a line of its own. Parts from the left, whole ones. */
export function titleParts({ phase, directories, dryRun, purge, ...rest }: ProgressState): readonly string[] {
  const redis = redisText(rest);
  const title = titles[phase];
  const paths = pathsText(directories);
  switch (phase) {
    case "listing":
      return [`${title} ${paths} ...`];
    case "connecting":
      return [`${title} ${redis} ...`];
    case "preparing":
      return ["Preparing:", `looking at ${redis ?? paths} ...`];
    case "asking":
      return [title];
    case "finishing":
      return [`${title}:`, "checking what was written ..."];
    case "copying":
      return [title, paths, `to ${redis}`];
    case "exporting":
      return [`${title} ${redis}`, `to ${paths}`, ...(dryRun ? ["(dry run)"] : [])];
    case "settling":
      return [`${title} ${paths}`, "meanwhile"];
    case "reading":
      return dryRun ? [title, paths, "(dry run)"] : [title, paths];
    case "comparing":
      return [title, paths, `with ${redis}`];
    default:
      return [
        purge === null ? "Proving" : title,
        paths,
        ...(purge === null ? ["before anything is removed"] : []),
        ...(dryRun ? ["(dry run)"] : []),
      ];
  }
}

function redisText({ redis }: Pick<ProgressState, "redis">): string | null {
  return redis === null ? null : showablePath(redis);
}

/** `/srv/a`, or `/srv/a and 3 more`. */
function pathsText(directories: readonly string[]): string {
  const [first, ...others] = directories.map(showablePath);
  if (first === undefined) return "no directory";
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** `71%`; empty if the total is not known. Only what is whole is 100%. */
export function percentText(done: number | null, total: number | null): string {
  if (done === null || total === null || total === 0) return "";
  return `${Math.min(Math.floor((100 * done) / total), 100)}%`;
}

/** `855,075 of 1,204,331`. */
export function countPart({ phase, done, total }: ProgressState): string {
  if (done === null) return "";
  if (total !== null) return `${countText(done)} of ${countText(total)}`;
  return phase === "listing" ? `${countOf(done, "session file")} so far` : countText(done);
}

export function ratePart({ done, perSecond }: ProgressState): string {
  return done === null ? "" : `${countText(perSecond)}/s`;
}

/** `about 8 s left`; empty if that is not known. */
export function leftPart({ secondsLeft }: ProgressState): string {
  return secondsLeft === null || secondsLeft === 0 ? "" : `about ${aboutSeconds(secondsLeft)} left`;
}

/** What became of the sessions so far, as `copied 854,962`; the last one is bad. */
export function outcomeParts({ phase, dryRun, outcomes }: ProgressState): readonly string[] {
  const count = (...kinds: readonly (keyof typeof outcomes)[]) =>
    kinds.reduce((sum, kind) => sum + (outcomes[kind] ?? 0), 0);
  const part = (word: string, number: number) => (number === 0 ? [] : [`${word} ${countText(number)}`]);
  const failed = part("FAILED", count("failed"));
  const written = (word: string, number: number) => [
    `${word} ${countText(number)}`,
    ...part("already there", count("identical", "kept")),
    ...part("expired", count("expired")),
    ...failed,
  ];
  switch (phase) {
    case "exporting":
      return written(dryRun ? "to export" : "exported", count("exported"));
    case "copying":
    case "settling":
      return written("copied", count("copied"));
    case "reading":
      // An inspection reads too, and gives no outcomes.
      return dryRun ? written("to copy", count("copied")) : failed;
    case "comparing":
      return [
        `equal ${countText(count("equal", "newer"))}`,
        ...part("expired", count("expired")),
        ...part("DIFFERENT", count("different", "wrong-lifetime")),
        ...part("MISSING", count("missing")),
        ...failed,
      ];
    default:
      return failed;
  }
}

/** `Redis 689 MiB of 1.5 GiB, 0 evicted`. */
export function memoryText(memory: MemoryState): string {
  const { used, limit, evicted } = memory;
  const share = limit === null ? "" : ` of ${bytesText(limit)}`;
  return `Redis ${bytesText(used)}${share}${evicted === null ? "" : `, ${countText(evicted)} evicted`}`;
}

/** `Waiting for Redis at redis-1:6379: connection refused, 14 s`. */
export function waitText(state: ProgressState, { target, why, seconds }: WaitState): string {
  const whom = {
    redis: `Redis at ${redisText(state)?.replace(/\/\d+$/, "")}`,
    "other-run": "another run",
    replicas: "the replicas of Redis",
  }[target];
  return `Waiting for ${whom}: ${why}, ${wholeSeconds(seconds)}`;
}

/** `trying for 4 min 46 s more (--retry-for)`. */
export function retryText({ secondsLeft }: WaitState): string {
  return `trying for ${wholeSeconds(secondsLeft)} more (--retry-for)`;
}

export const nothingIsLost = "Nothing is lost; Ctrl-C stops here, and running it again goes on.";

/** What a wait is called when it is over. */
export function backText(target: WaitState["target"], seconds: number): string {
  const back = {
    redis: "Redis is back",
    "other-run": "The other run has ended",
    replicas: "The replicas are in step",
  };
  return `${back[target]} after ${wholeSeconds(seconds)}`;
}

/** A duration to the second: `8 s`, `3 min 2 s`. */
export function wholeSeconds(seconds: number): string {
  return seconds < 9.95 ? `${Math.round(seconds)} s` : durationText(seconds);
}

/** A rough duration: minutes are enough from ten on. */
function aboutSeconds(seconds: number): string {
  if (seconds < 600 || seconds >= 3600) return wholeSeconds(Math.max(seconds, 1));
  return `${Math.round(seconds / 60)} min`;
}
