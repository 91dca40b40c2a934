import { locateServer } from "../../convert/missing-key.js";
import type { DirectoryFacts, DirectorySeen, Survey } from "../../model/mark.js";
import type { ServerWorks } from "../../model/server-evidence.js";

/** What a run knows once every session file was seen. */
export function learn(survey: Survey, seen: SeenDirectories["all"], nowMs: number): Survey {
  const directories = survey.directories.map((facts): DirectoryFacts => {
    const latestMtimeMs = Math.max(facts.latestMtimeMs, seen.get(facts.directory)?.latestMtimeMs ?? 0);
    const serverWorks = locateServer(survey.keys, { ...facts, latestMtimeMs }, nowMs);
    return { ...facts, latestMtimeMs, serverWorks, whole: true };
  });
  return { ...survey, directories, serverWorks: jointly(directories) };
}

/** Where the server works, if all directories agree. */
export function jointly(directories: readonly DirectoryFacts[]): ServerWorks {
  const [first, ...others] = directories.map(({ serverWorks }) => serverWorks);
  return first !== undefined && others.every((one) => one === first) ? first : "unknown";
}

/** Adds up what is seen of each directory. */
export class SeenDirectories {
  readonly #seen = new Map<string, { latestMtimeMs: number; covered: number; ended: number }>();

  /** A session file was modified then. */
  addModification(directory: string, mtimeMs: number): void {
    const seen = this.#of(directory);
    if (mtimeMs > seen.latestMtimeMs) seen.latestMtimeMs = mtimeMs;
  }

  /** A session that the directory's mark counts for has its outcome. */
  addCovered(directory: string, isEnded: boolean): void {
    const seen = this.#of(directory);
    seen.covered++;
    if (isEnded) seen.ended++;
  }

  add({ directory, latestMtimeMs, covered, ended }: DirectorySeen): void {
    const seen = this.#of(directory);
    seen.latestMtimeMs = Math.max(seen.latestMtimeMs, latestMtimeMs);
    seen.covered += covered;
    seen.ended += ended;
  }

  get all(): ReadonlyMap<string, Omit<DirectorySeen, "directory">> {
    return this.#seen;
  }

  /** What was added since the last call. */
  take(): DirectorySeen[] {
    const seen = [...this.#seen].map(([directory, counts]) => ({ directory, ...counts }));
    this.#seen.clear();
    return seen;
  }

  #of(directory: string): { latestMtimeMs: number; covered: number; ended: number } {
    const known = this.#seen.get(directory);
    if (known !== undefined) return known;
    const fresh = { latestMtimeMs: 0, covered: 0, ended: 0 };
    this.#seen.set(directory, fresh);
    return fresh;
  }
}

/** Fewer sessions than this prove nothing. */
const minKeys = 5;
/** Every applet's save stays in Redis for at least this long, milliseconds. */
const minSaveMs = 3 * 3600 * 1000;

/**
 * Whether too many sessions ended. `doubtful`: keys may have been deleted. `lost`: they were,
 * because a server's save would still be there.
 */
export function judgeEnded(
  survey: Survey,
  seen: SeenDirectories["all"],
  maxEndedPercent: number,
  nowMs: number,
): "fine" | "doubtful" | "lost" {
  const judged = survey.directories.map((facts) => {
    const { covered = 0, ended = 0 } = seen.get(facts.directory) ?? {};
    const isMany = ended >= minKeys && 100 * ended > maxEndedPercent * covered;
    if (!isMany || facts.serverWorks !== "unknown") return "fine";
    return isRecent(facts, nowMs) ? "lost" : "doubtful";
  });
  return judged.includes("lost") ? "lost" : judged.includes("doubtful") ? "doubtful" : "fine";
}

/** Whether missing keys may turn out to be lost. */
export function mayBeLost({ directories }: Survey, nowMs: number): boolean {
  return directories.some((facts) => facts.serverWorks === "unknown" && isRecent(facts, nowMs));
}

function isRecent({ mark }: DirectoryFacts, nowMs: number): boolean {
  return mark !== undefined && nowMs - mark.startedMs < minSaveMs;
}

/** Whether this many of all keys may be retracted without doubt. */
export function mayRetract(count: number, all: number, maxEndedPercent: number): boolean {
  return count < minKeys || 100 * count <= maxEndedPercent * all;
}
