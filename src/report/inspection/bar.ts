/** A bar of `#` and `.` for a part of a whole: full only for all of it, empty only for none. */
export function bar(part: number, whole: number, width: number): string {
  const share = part === 0 ? 0 : Math.max(1, Math.round((part / whole) * width));
  const filled = part < whole ? Math.min(share, width - 1) : share;
  return "#".repeat(filled).padEnd(width, ".");
}

/** A percentage for people: `100%` only for all of it, `0%` only for none. */
export function percentText(part: number, whole: number): string {
  const percent = Math.round((100 * part) / Math.max(whole, 1));
  if (percent === 0 && part > 0) return "<1%";
  return percent === 100 && part < whole ? ">99%" : `${percent}%`;
}
