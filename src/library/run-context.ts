import type { Task } from "../migrate/run.js";
import type { SessionCommand } from "../model/outcome.js";
import type { ConnectedCommand } from "../settings/setting-definition.js";

/** What was asked for. */
export interface RunContext {
  /** As the report names it. */
  readonly command: ConnectedCommand | "stop-after-init";
  readonly task: Task;
  readonly version: string;
}

/** The command whose outcomes and summary a task has. */
export function commandOf(task: Task): SessionCommand {
  if (task === "verify-reverse") return "verify --reverse";
  return task === "purge-unconditionally" || task === "purge-unverified" ? "purge" : task;
}
