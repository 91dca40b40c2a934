const longest = 120;

/**
 * Text from a file, made fit to be shown: control and non-ASCII characters escaped, each run of 40 or more characters that a
 * sid could consist of cut to its first 6, the whole cut to 120 characters.
 */
export function showable(text: string): string {
  const cut = text.slice(0, 4 * longest).replace(/[A-Za-z0-9_-]{40,}/g, (run) => `${run.slice(0, 6)}…`);
  const escaped = cut.replace(
    /[^\x20-\x7e…]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return escaped.length > longest ? `${escaped.slice(0, longest)}…` : escaped;
}
