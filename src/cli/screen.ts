import type { RunOptions } from "../model/run-options.js";

const defaultColumns = 80;
const minColumns = 20;

/** Whether stderr is a terminal that a person can watch and that understands control sequences. */
export function isCapable(): boolean {
  return process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
}

export function isColored({ color, logFormat }: RunOptions["output"]): boolean {
  if (logFormat === "json") return false;
  return color === "auto" ? isCapable() : color === "always";
}

/** How wide text for people is: COLUMNS, else the terminal's width, else 80. */
export function screenColumns(stream: NodeJS.WriteStream = process.stderr): number {
  const asked = Number(process.env["COLUMNS"]);
  const columns = Number.isInteger(asked) && asked > 0 ? asked : stream.columns;
  return columns > 0 ? Math.max(columns, minColumns) : defaultColumns;
}

/**
 * How wide an error, a warning or the reason for an exit may be. Without a terminal and COLUMNS each
 * stays one line, so that a search in a log finds the whole of it.
 */
export function messageColumns(): number {
  const isWatched = process.stderr.isTTY || process.env["COLUMNS"];
  return isWatched ? screenColumns() : Number.POSITIVE_INFINITY;
}
