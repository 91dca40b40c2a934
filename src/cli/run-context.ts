import type { Task } from "../migrate/run.js";
import type { RunOptions } from "../model/run-options.js";
import type { ConnectedCommand } from "../settings/setting-definition.js";

/** What was asked for. */
export interface RunContext {
  /** As the report names it. */
  readonly command: ConnectedCommand | "stop-after-init";
  readonly task: Task;
  readonly version: string;
}

/** Whether stderr is a terminal that a person can watch and that understands control sequences. */
export function isCapable(): boolean {
  return process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
}

export function isColored({ color, logFormat }: RunOptions["output"]): boolean {
  if (logFormat === "json") return false;
  return color === "auto" ? isCapable() : color === "always";
}
