import type { TextStyle } from "../../report/text-style.js";
import { wrapText } from "../../report/wrap-text.js";
import { messageColumns } from "../screen.js";

/** What a line on stderr may be about, roughly in the order of a run. `docs/log-format.md` says more. */
export const logEvents = [
  "phase",
  "connecting",
  "start",
  "progress",
  "waiting",
  "back",
  "note",
  "warning",
  "session",
  "state",
  "stop",
  "error",
  "summary",
  "end",
] as const;
export type LogEvent = (typeof logEvents)[number];

/** What `--log-format json` adds to the text of a line. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** Writes to stderr. Everything that a run says goes through one of these. */
export type Say = (event: LogEvent, text: string, facts?: LogFacts) => void;

/** Shows a run to people while it goes on. Everything goes to stderr. */
export interface Reporter {
  /** Says something at once, above what it shows of the progress. */
  readonly say: Say;
  /** Shows the progress no more. */
  readonly end: () => void;
}

/** The line for people, or for programs; it ends with a newline. Empty if there is nothing to say. */
export type FormatLine = (event: LogEvent, text: string, facts?: LogFacts) => string;

/** One sentence each, which may be longer than a screen is wide. */
const wrappedEvents: ReadonlySet<LogEvent> = new Set(["start", "waiting", "note", "state", "stop"]);
const indent = 2;

/**
 * Lines for people. Warnings and errors say what they are; progress has no prefix. A new phase is
 * worth no line: those about its progress name it.
 */
export function textLines({ bad }: TextStyle): FormatLine {
  return (event, text) => {
    if (text === "" || event === "phase") return "";
    // A blank line sets the last line apart, where the eye lands.
    if (event === "summary") return `${text}\n\n`;
    if (wrappedEvents.has(event) && !text.includes("\n")) {
      return `${wrapText("", text, messageColumns(), indent)}\n`;
    }
    if (event !== "warning" && event !== "error") return `${text}\n`;
    const prefix = `${event}: `;
    const [first = "", ...others] = text.split("\n");
    const line = wrapText(prefix, first, messageColumns());
    const lines = [event === "error" ? line.replace("error:", bad("error:")) : line, ...others];
    return `${lines.join("\n")}\n`;
  };
}

/** One JSON object a line; `docs/log-format.md` describes them. */
export const jsonLines: FormatLine = (event, text, facts = {}) =>
  `${JSON.stringify({ time: new Date().toISOString(), event, text, ...facts })}\n`;
