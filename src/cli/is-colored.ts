import type { RunOptions } from "../model/run-options.js";

/** Whether stderr is a terminal that a person can watch and that understands control sequences. */
export function isCapable(): boolean {
  return process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
}

export function isColored({ color, logFormat }: RunOptions["output"]): boolean {
  if (logFormat === "json") return false;
  return color === "auto" ? isCapable() : color === "always";
}
