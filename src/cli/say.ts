import type { TextStyle } from "../report/text-style.js";
import { wrapText } from "../report/wrap-text.js";
import { messageColumns } from "./screen-columns.js";

/** Writes `error: ...` on stderr. Further lines of the message follow as they are. */
export function sayError(message: string, style: TextStyle): void {
  const [first = "", ...rest] = message.split("\n");
  const line = wrapText("error: ", first, messageColumns()).replace("error:", style.bad("error:"));
  process.stderr.write(`${[line, ...rest].join("\n")}\n`);
}

/** Writes `warning: ...` on stderr. */
export function sayWarning(message: string): void {
  process.stderr.write(`${warningLine(message)}\n`);
}

/** `warning: ...`, as wide as the screen allows. */
export function warningLine(message: string): string {
  return wrapText("warning: ", message, messageColumns());
}
