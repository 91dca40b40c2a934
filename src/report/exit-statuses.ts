/** What each exit code means, in the order of help. */
export const exitStatuses = [
  [0, "every session is where it should be"],
  [1, "finished, but more sessions failed than --max-failed allows"],
  [2, "usage or settings are wrong, or a session directory is missing; nothing was touched"],
  [3, "Redis or the session directory could not be used, or no longer; what was done stays done"],
  [4, "verify found differences, a purge left files, keys were evicted or lost, or too many sessions ended"],
  [5, "refused by Redis: password, permissions, role, certificate, memory, eviction policy or key layout"],
  [6, "stopped by --max-duration; run the same command again to go on"],
  [70, "a bug in tele-sessions"],
  [129, "stopped by SIGHUP; run again"],
  [130, "stopped by SIGINT (Ctrl-C); run again"],
  [143, "stopped by SIGTERM; run again"],
] as const satisfies readonly (readonly [code: number, meaning: string])[];
