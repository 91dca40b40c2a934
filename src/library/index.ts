import type { ConnectedCommand } from "../settings/setting-definition.js";
import type { CopyOptions, ExportOptions, PurgeOptions, VerifyOptions } from "./options.js";
import type { AnyOptions } from "./read-options.js";
import type { Report } from "./report.js";

export { SettingsError } from "../model/errors.js";
export type { ProgressState } from "../model/progress/progress-state.js";
export type { CopyOptions, ExportOptions, PurgeOptions, SessionOptions, VerifyOptions } from "./options.js";
export type { Report } from "./report.js";
export type { SessionResult } from "./session-result.js";

/**
 * Copies the sessions of a server's session directory into Redis, as `tele-sessions copy` does.
 * Resolves with the report however the run ends: `outcome` and `exitCode` tell. Rejects with
 * `SettingsError` if an option is wrong; then nothing was touched.
 */
export function copySessions(options: CopyOptions = {}): Promise<Report> {
  return run("copy", options);
}

/** Compares every session file with Redis, as `tele-sessions verify` does; else like a copy. */
export function verifySessions(options: VerifyOptions = {}): Promise<Report> {
  return run("verify", options);
}

/**
 * Removes the files of sessions that Redis is proven to hold, as `tele-sessions purge` does; else
 * like a copy. It asks nobody.
 */
export function purgeSessions(options: PurgeOptions = {}): Promise<Report> {
  return run("purge", options);
}

/**
 * Writes the sessions in Redis back to session files, as `tele-sessions export` does; else like a
 * copy.
 */
export function exportSessions(options: ExportOptions = {}): Promise<Report> {
  return run("export", options);
}

/** The command line loads this file at every start, and what does the run only if there is one. */
async function run(command: ConnectedCommand, options: AnyOptions): Promise<Report> {
  const { runSessions } = await import("./run-sessions.js");
  return runSessions(command, options);
}
