import type { DirectoryFacts, DirectoryMark, Survey } from "../../src/model/mark.js";

export const expirations = { expiration: 604_800, expirationAnonymous: 10_800 };

/**
 * What a run knows about the directory `/d`: no mark, nothing told where the server works,
 * everything else as usual.
 */
export function factsOf(change: Partial<DirectoryFacts> = {}): DirectoryFacts {
  const seen = { endedCounts: true, changeTimesCount: true, latestMtimeMs: 0, whole: false };
  return { directory: "/d", serverWorks: "unknown", ...seen, ...change };
}

/** The mark of a complete run that began then, renewed lifetimes and kept nothing. */
export function markAt(startedMs: number, change: Partial<DirectoryMark> = {}): DirectoryMark {
  const current = { shortest: expirations, longest: expirations, ttl: "full" as const };
  return { startedMs, startedWithoutKeepMs: startedMs, renewedMs: startedMs, ...current, ...change };
}

/** What a run over `/d` knows. */
export function surveyOf(change: Partial<Survey> = {}): Survey {
  const directories = [factsOf({ serverWorks: change.serverWorks ?? "unknown" })];
  return {
    keys: "unknown",
    directories,
    signsCount: true,
    serverWorks: "unknown",
    longest: expirations,
    ...change,
  };
}
