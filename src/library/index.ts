import type { CopyOptions, PurgeOptions, VerifyOptions } from "./options.js";
import type { Report } from "./report.js";
import { runSessions } from "./run-sessions.js";

export { SettingsError } from "../model/errors.js";
export type { ProgressState } from "../model/progress/progress-state.js";
export type { CopyOptions, PurgeOptions, SessionOptions, VerifyOptions } from "./options.js";
export type { Report } from "./report.js";
export type { SessionResult } from "./session-result.js";

/**
 * Copies the sessions of a server's session directory into Redis, as `tele-sessions copy` does.
 * Resolves with the report however the run ends: `outcome` and `exitCode` tell. Rejects with
 * `SettingsError` if an option is wrong; then nothing was touched.
 */
export function copySessions(options: CopyOptions = {}): Promise<Report> {
  return runSessions("copy", options);
}

/** Compares every session file with Redis, as `tele-sessions verify` does; else like a copy. */
export function verifySessions(options: VerifyOptions = {}): Promise<Report> {
  return runSessions("verify", options);
}

/**
 * Removes the files of sessions that Redis is proven to hold, as `tele-sessions purge` does; else
 * like a copy. It asks nobody.
 */
export function purgeSessions(options: PurgeOptions = {}): Promise<Report> {
  return runSessions("purge", options);
}
