/** `documented`: `session:<prefix>:<sid>`; `applet`: `session::<prefix>:<sid>`, which is what the applet's code builds and reads. */
export type KeyLayout = "documented" | "applet";

/** What stands before the sid in every key. Without a prefix the two layouts are one. */
export function keyPrefix(layout: KeyLayout, prefix: string | null): string {
  if (prefix === null) return "session:";
  return layout === "applet" ? `session::${prefix}:` : `session:${prefix}:`;
}
