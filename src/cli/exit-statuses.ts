/** What each exit code means, in the order of help. */
export const exitStatuses = [
  [0, "every session is where it should be"],
  [1, "finished, but more sessions failed than --max-failed allows"],
  [2, "usage or settings are wrong, or a session directory is missing; nothing was touched"],
  [3, "Redis or the session directory could not be used, or not any more; what was done stays done"],
  [
    4,
    "differences were found, files were left that Redis lacks or that are in use, or Redis evicted keys meanwhile",
  ],
  [5, "refused by what Redis says about us: password, rights, role, certificate, memory, key layout"],
  [6, "stopped at its time limit; run again to go on"],
  [70, "a bug in tele-sessions"],
  [129, "stopped by SIGHUP; run again"],
  [130, "stopped by SIGINT (Ctrl-C); run again"],
  [143, "stopped by SIGTERM; run again"],
] as const satisfies readonly (readonly [code: number, meaning: string])[];
