import type { TextStyle } from "../../report/text-style.js";

/** What a line on stderr is about. */
export type LogEvent =
  | "start"
  | "phase"
  | "progress"
  | "waiting"
  | "back"
  | "warning"
  | "session"
  | "stop"
  | "state"
  | "error"
  | "summary"
  | "end";

/** What `--log-format json` adds to the text of a line. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** Writes to stderr. Everything that a run says goes through one of these. */
export type Say = (event: LogEvent, text: string, facts?: LogFacts) => void;

/** The line for people, or for programs; it ends with a newline. Empty if there is nothing to say. */
export type FormatLine = (event: LogEvent, text: string, facts?: LogFacts) => string;

/** Lines for people. Warnings and errors say what they are; progress has no prefix. */
export function textLines({ bad }: TextStyle): FormatLine {
  const prefixes: Partial<Record<LogEvent, string>> = { warning: "warning: ", error: `${bad("error:")} ` };
  return (event, text) => (text === "" ? "" : `${prefixes[event] ?? ""}${text}\n`);
}

/** One JSON object a line; `docs/log-format.md` describes them. */
export const jsonLines: FormatLine = (event, text, facts = {}) =>
  `${JSON.stringify({ time: new Date().toISOString(), event, text, ...facts })}\n`;
