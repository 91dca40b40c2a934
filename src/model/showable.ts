/** What a line of output may hold at most, in characters: paths, settings, messages. */
export const maxLineLength = 4096;

const maxLengthByDefault = 120;
/** The detail of a failure: a name of 120 characters, and a sentence about it. */
export const maxDetailLength = 300;

/** Some of these names are as long as a session id. */
const ourVariable = /^(?:TELE|ODOO)_SESSIONS?_REDIS_[A-Z_]+$/;

/**
 * Makes text from outside fit to be shown. Escapes control and non-ASCII characters, cuts each run
 * of 40 or more characters that could be a session id to its first 6, and cuts the whole to
 * `maxLength` characters.
 */
export function showable(text: string, maxLength = maxLengthByDefault): string {
  const edge = 4 * maxLength;
  // The edge may cut through a session id and leave fewer than 40 characters of it.
  const head = text.length > edge ? text.slice(0, edge).replace(/([A-Za-z0-9_-]{6})[A-Za-z0-9_-]+$/, "$1…") : text;
  const cut = head.replace(/[A-Za-z0-9_-]{40,}/g, (run) => (ourVariable.test(run) ? run : `${run.slice(0, 6)}…`));
  const escaped = cut.replace(/[^\x20-\x7e…]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return escaped.length > maxLength ? `${escaped.slice(0, maxLength)}…` : escaped;
}

/** Makes a path or a setting fit to be shown; it may fill a whole line. */
export function showablePath(path: string): string {
  return showable(path, maxLineLength);
}

/** How people see a session: the first 6 characters of its id. */
export function shortSid(sid: string): string {
  return `${sid.slice(0, 6)}…`;
}
