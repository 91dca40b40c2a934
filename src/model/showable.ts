const longestByDefault = 120;

/** Some names of variables are as long as a sid. */
const ourVariable = /^(?:TELE|ODOO)_SESSIONS?_REDIS_[A-Z_]+$/;

/**
 * Text from outside, made fit to be shown: control and non-ASCII characters escaped, each run of 40 or more characters that a sid could
 * consist of cut to its first 6, the whole cut to `longest` characters.
 */
export function showable(text: string, longest = longestByDefault): string {
  const edge = 4 * longest;
  // A run that the edge cuts through may be longer than what is left of it.
  const head =
    text.length > edge ? text.slice(0, edge).replace(/([A-Za-z0-9_-]{6})[A-Za-z0-9_-]+$/, "$1…") : text;
  const cut = head.replace(/[A-Za-z0-9_-]{40,}/g, (run) =>
    ourVariable.test(run) ? run : `${run.slice(0, 6)}…`,
  );
  const escaped = cut.replace(
    /[^\x20-\x7e…]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return escaped.length > longest ? `${escaped.slice(0, longest)}…` : escaped;
}

/** The same for a path or a setting, which is shown whole. */
export function showablePath(path: string): string {
  return showable(path, 4096);
}

/** How a session is named: the first 6 characters of its sid. */
export function shortSid(sid: string): string {
  return `${sid.slice(0, 6)}…`;
}
