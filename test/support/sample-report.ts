import type { Report } from "../../src/model/report.js";

/** The report of a run that found nothing and ended well, with these parts changed. */
export function sampleReport(
  change: Partial<Omit<Report, "sessions">> & { readonly sessions?: Partial<Report["sessions"]> } = {},
): Report {
  const outcomes = {
    found: 0,
    copied: 0,
    identical: 0,
    kept: 0,
    expired: 0,
    ended: 0,
    superseded: 0,
    vanished: 0,
    failed: 0,
  };
  return {
    tool: "tele-sessions",
    version: "1.0.0",
    command: "copy",
    dryRun: false,
    outcome: "complete",
    exitCode: 0,
    source: {
      directories: ["/srv/sessions"],
      layouts: { flat: 0, scattered: 0 },
      formats: { pickle: 0, json: 0 },
      ignored: 0,
      empty: 0,
    },
    target: {
      redis: "localhost:6379/0",
      keyLayout: "documented",
      keyLayoutEvidence: "none",
      prefix: null,
      serverWorks: "files",
    },
    listed: 0,
    passes: [outcomes],
    stillChanging: 0,
    failures: [],
    failuresOmitted: 0,
    differences: [],
    differencesOmitted: 0,
    warnings: [],
    bytes: { read: 0, written: 0 },
    seconds: 0.5,
    sessionsPerSecond: 0,
    peakMemoryBytes: 1,
    ...change,
    sessions: {
      ...outcomes,
      purged: 0,
      retracted: 0,
      authenticated: 0,
      anonymous: 0,
      lossy: 0,
      unvisited: 0,
      ...change.sessions,
    },
  };
}
