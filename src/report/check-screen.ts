import type { Check } from "../model/check.js";
import { countOf } from "../model/number-text.js";
import type { TextStyle } from "./text-style.js";
import { wrapText } from "./wrap-text.js";

/** Checks under a heading. */
export interface CheckSection {
  readonly heading: string;
  /** What gave the subject of the heading, shown at the right; null if that is nothing. */
  readonly origin: string | null;
  readonly checks: readonly Check[];
}

const titleColumns = 13;
/** A command to be pasted: a full stop after it would become part of it. */
const endsInCommand = /\b(?:ACL SETUSER|CONFIG SET) [^.]*$/;
const words = { ok: "ok", warn: "warn", fail: "FAIL" } as const;

/** Every check with what was found, and below it what to do. */
export function checkScreen(sections: readonly CheckSection[], columns: number, style: TextStyle): string {
  const texts = sections
    .filter(({ checks }) => checks.length > 0)
    .map(({ heading, origin, checks }) =>
      [headingLine(heading, origin, columns), ...checks.map((check) => checkLines(check, columns, style))].join("\n"),
    );
  return texts.join("\n\n");
}

function headingLine(heading: string, origin: string | null, columns: number): string {
  if (origin === null) return heading;
  const right = `(${origin})`;
  const room = columns - heading.length - 1;
  return room > right.length ? `${heading} ${right.padStart(room)}` : `${heading}\n  ${right}`;
}

function checkLines({ name, title = name, verdict, found, remedy }: Check, columns: number, style: TextStyle) {
  const word = words[verdict];
  const head = `  ${word.padEnd(6)}${title.padEnd(titleColumns)} `;
  const indent = 8 + titleColumns + 1;
  const lines = [wrapText(head, verdict === "ok" ? found : `${found}.`, columns, indent)];
  if (remedy !== null && verdict !== "ok") {
    const stop = /[?.:]$/.test(remedy) || endsInCommand.test(remedy) ? "" : ".";
    lines.push(wrapText(" ".repeat(indent), `${capitalized(remedy)}${stop}`, columns));
  }
  const text = lines.join("\n");
  return verdict === "fail" ? text.replace(word, style.bad(word)) : text;
}

/** Leaves a flag or a variable as it is. */
function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** `1 to fix, 3 warnings. copy would be refused: memory.` */
export function checkVerdict(checks: readonly Check[], run: string): string {
  const failed = checks.filter(({ verdict }) => verdict === "fail");
  const warnings = checks.filter(({ verdict }) => verdict === "warn").length;
  const counts = `${failed.length === 0 ? "Nothing" : failed.length} to fix, ${countOf(warnings, "warning")}.`;
  if (failed.length === 0) return `${counts} ${run} can begin.`;
  const names = failed.map(({ name, title = name }) => title).join(", ");
  const isLate = failed.every(({ stopsLate }) => stopsLate === true);
  return `${counts} ${run} would ${isLate ? "begin, and not be complete" : "be refused"}: ${names}.`;
}
