import type { TextProblem } from "./text-problem.js";

/** `[options]` of a `tele.conf`, with keys in lower case. */
export type TeleOptions = ReadonlyMap<string, string>;

/** White space as Python's `str.strip` and `\s` have it; JavaScript's set differs. */
const blank = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const leadingBlanks = new RegExp(`^${blank}*`);
const trailingBlanks = new RegExp(`${blank}+$`);

/**
 * Reads `[options]` as the server does, by `configparser.RawConfigParser().read` of Python 3.10 on:
 * `=` or `:`, comment lines with `#` or `;`, indented lines continue a value, `[DEFAULT]`, no
 * interpolation. Null if there is no such section.
 */
export function parseTeleConfig(text: string): TeleOptions | null | TextProblem {
  const sections = new Map<string, Map<string, string[]>>();
  const defaults = new Map<string, string[]>();
  let section: Map<string, string[]> | null = null;
  let value: string[] | null = null;
  let indentation = 0;
  let badLine: number | null = null;

  const lines = text.split(/\r\n|\r|\n/);
  for (const [index, line] of lines.entries()) {
    const content = strip(line);
    if (content.startsWith("#") || content.startsWith(";")) continue;
    if (content === "") {
      // What follows the last line break is not a line.
      if (index < lines.length - 1 || line !== "") value?.push("");
      continue;
    }
    const indentationHere = leadingBlanks.exec(line)?.[0].length ?? 0;
    if (value !== null && indentationHere > indentation) {
      value.push(content);
      continue;
    }
    indentation = indentationHere;
    const header = /^\[(.+)\]/s.exec(content)?.[1];
    if (header !== undefined) {
      if (sections.has(header)) return { problem: `line ${index + 1} repeats a [section]` };
      section = header === "DEFAULT" ? defaults : new Map();
      if (header !== "DEFAULT") sections.set(header, section);
      value = null;
      continue;
    }
    if (section === null) return { problem: `line ${index + 1} comes before any [section]` };
    const delimiter = content.search(/[=:]/);
    if (delimiter <= 0) {
      badLine ??= index + 1;
      if (delimiter < 0) continue;
    }
    const key = strip(content.slice(0, delimiter)).toLowerCase();
    if (section.has(key)) return { problem: `line ${index + 1} repeats a key` };
    value = [strip(content.slice(delimiter + 1))];
    section.set(key, value);
  }

  if (badLine !== null) return { problem: `line ${badLine} is neither a [section] nor a key with = or :` };
  const options = sections.get("options");
  if (options === undefined) return null;
  const joined = [...defaults, ...options].map(
    ([key, parts]) => [key, parts.join("\n").replace(trailingBlanks, "")] as const,
  );
  return new Map(joined);
}

function strip(text: string): string {
  return text.replace(leadingBlanks, "").replace(trailingBlanks, "");
}
