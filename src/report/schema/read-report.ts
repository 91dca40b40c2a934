import { readFileSync } from "node:fs";
import { SettingsError, systemReason } from "../../model/errors.js";
import { type FailureReason, failureReasons } from "../../model/outcome.js";
import { showable, showablePath } from "../../model/showable.js";
import { type Report, reportSchema, schemaVersion } from "./report-schema.js";

/** What is read of a text before it is known to be a report. */
type Unknown = Readonly<Record<string, unknown>>;

/**
 * Reads a report file of this version or an older one. What older versions did not note is null or
 * empty.
 * @throws SettingsError naming the file, if it cannot be read, is no report, or is of a newer schema.
 */
export function readReport(path: string): Report {
  const refuse = (why: string) => new SettingsError(`report: ${showablePath(path)} ${why}`);
  const found = parse(path, refuse);
  const { tool, command, schemaVersion: its, version } = found;
  if (tool !== "tele-sessions") throw refuse("is not a report of tele-sessions");
  if (typeof its === "number" && its > schemaVersion) {
    throw refuse(
      `was written by a later version, tele-sessions ${showable(String(version))} (schema version ${its}; ` +
        `this one reads up to ${schemaVersion}): use that version`,
    );
  }
  if (command === "inspect" || command === "check" || command === "report") {
    throw refuse(`is what \`${command}\` printed; only copy, purge and verify write reports`);
  }
  const parsed = reportSchema.safeParse({ ...found, byReason: found["byReason"] ?? reasonsOf(found) });
  if (parsed.success) return parsed.data;
  const keys = parsed.error.issues[0]?.path.join(".") ?? "";
  throw refuse(`is not a report that this version understands: see its key ${showable(keys)}`);
}

function parse(path: string, refuse: (why: string) => Error): Unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw refuse(`cannot be read: ${systemReason(error)}`);
  }
  try {
    // Not an object: it has no `tool`.
    return Object(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refuse("is not a report: it is not JSON");
  }
}

/** Reports without a schema version list their failures, and do not count them by reason. */
function reasonsOf({ failures }: Unknown): Partial<Record<FailureReason, number>> {
  const counts: Partial<Record<FailureReason, number>> = {};
  for (const failure of Array.isArray(failures) ? failures : []) {
    const reason = failureReasons.find((one) => one === Object(failure).reason);
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
