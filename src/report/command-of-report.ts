import type { SessionCommand } from "../model/outcome.js";
import type { Report } from "./schema/report-schema.js";

/** The command whose outcomes a report has; the pre-deploy step has those of a copy or of a purge. */
export function commandOfReport({ sessions }: Pick<Report, "sessions">): SessionCommand {
  if (sessions.removed !== undefined) return "purge";
  if (sessions.exported !== undefined) return "export";
  if (sessions.equal === undefined) return "copy";
  return sessions.superseded === undefined ? "verify --reverse" : "verify";
}
