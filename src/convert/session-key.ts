/** `documented`: `session:<prefix>:<sid>`; `applet`, as in its code: `session::<prefix>:<sid>`. */
export type KeyLayout = "documented" | "applet";

/** The part of every key before the sid. Without a prefix the two layouts agree. */
export function keyPrefix(layout: KeyLayout, prefix: string | null): string {
  if (prefix === null) return "session:";
  return layout === "applet" ? `session::${prefix}:` : `session:${prefix}:`;
}
